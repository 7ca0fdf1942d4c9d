/** A program that runs in the background of a gateway, as a resource: it ends with its scope, whatever ends that. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { Capabilities } from "kruxos"

/** How long the agent waits before it asks again what the program has written. */
const betweenLooks = "100 millis"

/**
 * Starts a line of the shell. `lines` is what it writes, as it comes, until it ends; `exitCode` is that of a program that has ended, and
 * null where a signal ended it.
 */
export const start = (command: string, directory: string) =>
  Effect.gen(function*() {
    const { invoke } = yield* Capabilities
    const { process_id } = yield* Effect.acquireRelease(
      invoke("process.run", { command, working_directory: directory, background: true }),
      ({ process_id }) =>
        invoke("process.kill", { process_id }).pipe(
          Effect.catchTag("ProcessAlreadyExited", () => Effect.void),
          Effect.ignoreLogged
        )
    )
    // The size of all that was written so far is where the next look begins.
    const look = (offset: number) =>
      invoke("process.logs", { process_id, stream: "stdout", offset }).pipe(
        Effect.delay(betweenLooks),
        Effect.map(({ state, stdout, stdout_size }) =>
          [stdout, state === "running" ? Option.some(stdout_size) : Option.none()] as const
        )
      )
    return {
      lines: Stream.splitLines(Stream.paginateEffect(0, look)),
      exitCode: Effect.map(invoke("process.monitor", { process_id }), ({ exit_code }) => exit_code)
    }
  })
