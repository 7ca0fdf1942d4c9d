import * as Effect from "effect/Effect"
import { CapabilityError } from "../../../errors/general.js"
import type { CommandFailure } from "./Command.js"
import type { Repository } from "./Repository.js"
import { said } from "./said.js"

/** Runs a command that ought to succeed, and gives what it says. */
export const output = (
  repository: Repository,
  args: ReadonlyArray<string>,
  options?: Parameters<Repository["run"]>[1]
): Effect.Effect<string, CommandFailure | CapabilityError> =>
  Effect.flatMap(
    repository.run(args, options),
    (ended) =>
      ended.code === 0 ? Effect.succeed(ended.stdout) : Effect.fail(
        new CapabilityError({
          type: "GitError",
          message: `git refused: ${said(ended, repository.workspace.root, [repository.commonDirectory])}`,
          context: { exit_code: ended.code }
        })
      )
  )

/** The commit that something names; undefined where it names none. */
export const commitOf = (repository: Repository, name: string): Effect.Effect<string | undefined, CommandFailure> =>
  Effect.map(
    repository.run(["rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`]),
    ({ code, stdout }) => {
      const hash = stdout.trim().split("\n").at(-1) ?? ""
      return code === 0 && /^[0-9a-f]{40,64}$/.test(hash) ? hash : undefined
    }
  )

/** The full name of the branch that HEAD is; undefined where it is a commit. */
export const headReference = (repository: Repository): Effect.Effect<string | undefined, CommandFailure> =>
  Effect.map(
    repository.run(["symbolic-ref", "--quiet", "HEAD"]),
    ({ code, stdout }) => code === 0 ? stdout.trim() : undefined
  )

const prefix = "refs/heads/"

/** The name of a branch, of its full name. */
export const shortName = (reference: string): string =>
  reference.startsWith(prefix) ? reference.slice(prefix.length) : reference

/** The branch that is checked out; `HEAD` where none is. */
export const currentBranch = (repository: Repository): Effect.Effect<string, CommandFailure> =>
  Effect.map(headReference(repository), (reference) => reference === undefined ? "HEAD" : shortName(reference))
