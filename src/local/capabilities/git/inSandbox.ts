import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { ResourceExhausted, ServiceUnavailable } from "../../../errors/general.js"
import { atMost } from "../../sandbox/atMost.js"
import type { Exit, LaunchFailed, Sandbox } from "../../sandbox/Sandbox.js"
import {
  argumentsOf,
  type Command,
  type CommandFailure,
  type Ended,
  environmentOf,
  scriptOf,
  Written
} from "./Command.js"
import type { Limits } from "./GitLimits.js"

// What the shell says when git has said everything, so that it can be told from what was cut off.
const last = "\0kruxos: that was all"

const script = scriptOf(`git "$@"; code=$?; printf '\\0%s' '${last.slice(1)}'; exit "$code"`)

const failed = ({ cause, message }: LaunchFailed): CommandFailure =>
  new ServiceUnavailable({
    message: "git could not be started in the sandbox",
    service: "git",
    reason: message,
    retryable: true,
    cause
  })

const exhausted = (resource: string) =>
  new ResourceExhausted({ message: `git was stopped, because it took too much: ${resource}`, resource })

const whole = (written: Written, { code, exceeded }: Exit): Effect.Effect<Ended, CommandFailure> => {
  if (exceeded !== undefined) return Effect.fail(exhausted(exceeded))
  const ended = written.ended(code)
  // What a signal has ended says no more.
  if (code > 128 && !ended.stdout.endsWith(last)) return Effect.succeed(ended)
  return ended.stdout.endsWith(last)
    ? Effect.succeed({ ...ended, stdout: ended.stdout.slice(0, -last.length) })
    : Effect.fail(
      new ResourceExhausted({
        message: "What git had to say could not be read in time",
        resource: "git output",
        retryable: true
      })
    )
}

const mostProcesses = 256

/**
 * Runs a command in the sandbox: it sees the workspace, the system's programs and its home, and has the network only where it talks to
 * another machine. It ends with the gateway.
 */
export const runInSandbox = (
  sandbox: Sandbox["Type"],
  command: Command,
  limits: Limits
): Effect.Effect<Ended, CommandFailure> =>
  Effect.scoped(Effect.gen(function*() {
    const tooMuch = yield* Deferred.make<never, ResourceExhausted>()
    const written = new Written(
      // The last words are not git's.
      { ...limits, outputBytes: limits.outputBytes + last.length },
      (failure) => Deferred.unsafeDone(tooMuch, Effect.fail(failure))
    )
    const launched = yield* Effect.acquireRelease(
      Effect.mapError(
        sandbox.launch({
          program: {
            _tag: "File",
            file: "/bin/sh",
            args: [
              "-c",
              script,
              ...argumentsOf({ ...command, args: ["-C", command.directory, ...command.args] }, limits)
            ]
          },
          workspace: command.workspace,
          workingDirectory: [],
          shared: [...new Set([command.workspace, command.home, ...command.also ?? []])],
          environment: environmentOf(command),
          limits: { cpu: 4, memoryBytes: limits.memoryBytes, processes: mostProcesses, seconds: undefined },
          network: command.protocols === "http:https",
          stdin: command.stdin,
          onOutput: written.take
        }),
        failed
      ),
      // Told to end, git removes its lock files. What is left ends with the scope.
      ({ exited, signal }) => Effect.zipRight(signal("SIGTERM"), atMost(exited, limits.grace))
    )
    // Where nothing may be interrupted, the one that does not come first is given up all the same.
    const exit = yield* Effect.raceFirst(
      Effect.interruptible(launched.exited),
      Effect.interruptible(Deferred.await(tooMuch))
    )
    return yield* whole(written, exit)
  }))
