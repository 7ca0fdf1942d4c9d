import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { ResourceExhausted } from "../../../errors/general.js"
import { type Command, type CommandFailure, type Ended, notThere } from "./Command.js"
import { GitLimits, type Limits } from "./GitLimits.js"
import { GitSandbox } from "./GitSandbox.js"
import { runInSandbox } from "./inSandbox.js"
import { runOnHost } from "./onHost.js"

/** A command took longer than it may, and was stopped. */
export class TookTooLong extends Data.TaggedError("TookTooLong")<{ readonly message: string }> {}

const start = (command: Command, limits: Limits): Effect.Effect<Ended, CommandFailure> =>
  Effect.flatMap(GitSandbox, (sandbox) =>
    Option.match(sandbox, {
      onNone: () => runOnHost(command, limits),
      onSome: (found) =>
        Effect.flatMap(found.facts, ({ kind }) =>
          kind === "bubblewrap" ? runInSandbox(found, command, limits) : runOnHost(command, limits))
    }))

const runWithin = (
  command: Command,
  duration: Duration.DurationInput,
  limits: Limits
): Effect.Effect<Ended, CommandFailure | TookTooLong> =>
  start(command, limits).pipe(
    Effect.timeoutFail({
      duration,
      onTimeout: () => new TookTooLong({ message: `git took more than ${Duration.format(duration)}` })
    }),
    Effect.filterOrFail(
      ({ code, stderr }) => code !== 127 || !stderr.includes("git: not found"),
      ({ stderr }) => notThere(new Error(stderr))
    )
  )

/**
 * Runs a command of git that needs no other machine, without a shell that would read its arguments. Interrupted, it is stopped with all
 * its helpers. ResourceExhausted: it took more than a minute, or said more than 16 MiB. ServiceUnavailable: there is no git.
 */
export const runLocal = (command: Command): Effect.Effect<Ended, CommandFailure> =>
  Effect.flatMap(
    GitLimits,
    (limits) =>
      Effect.catchTag(runWithin(command, limits.local, limits), "TookTooLong", ({ message }) =>
        new ResourceExhausted({ message, resource: "git time", limit: Duration.format(limits.local) }))
  )

/** The same for a command that talks to a remote: it may take five minutes. */
export const runRemote = (command: Command): Effect.Effect<Ended, CommandFailure | TookTooLong> =>
  Effect.flatMap(GitLimits, (limits) => runWithin(command, limits.remote, limits))
