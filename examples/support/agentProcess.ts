/** This program once more, in a process of its own that can be killed. */
import * as Command from "@effect/platform/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import type { LocalGateway } from "kruxos/local"

/**
 * Starts this program with other arguments, connected to a gateway by its environment, and prints behind a bar what it prints.
 * `ended` waits for its end and gives its exit code; `kill` is `kill -9`. The end of the scope ends it.
 */
export const startAgent = (served: LocalGateway.Served, ...args: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const [node = "", program = ""] = process.argv
    const child = yield* Command.start(
      Command.make(node, ...process.execArgv, program, ...args).pipe(
        Command.env({ KRUXOS_HOST: served.url, KRUXOS_API_KEY: Redacted.value(served.apiKey) }),
        Command.stderr("inherit")
      )
    )
    const printing = yield* child.stdout.pipe(
      Stream.decodeText(),
      Stream.splitLines,
      Stream.runForEach((line) => Console.log(`  | ${line}`)),
      Effect.forkScoped
    )
    return {
      ended: Effect.zipRight(Fiber.join(printing), child.exitCode).pipe(Effect.timeout("30 seconds")),
      kill: Effect.zipRight(child.kill("SIGKILL"), Fiber.join(printing)).pipe(Effect.timeout("30 seconds"))
    }
  })
