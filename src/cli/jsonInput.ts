import * as NodeStream from "@effect/platform-node/NodeStream"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { type CommandFailed, failed, usageFailed } from "./exit.js"
import { oneLine } from "./text.js"

const standardInput = NodeStream.stdin.pipe(
  Stream.decodeText(),
  Stream.mkString,
  Effect.mapError((cause) => failed(oneLine(`Standard input cannot be read: ${String(cause)}`)))
)

/** A value from the command line, or for `-` from standard input; `what` names it where it is not JSON. */
export const jsonInput = (text: string, what: string): Effect.Effect<unknown, CommandFailed> =>
  Effect.flatMap(text === "-" ? standardInput : Effect.succeed(text), (given) =>
    Effect.try({
      try: (): unknown => JSON.parse(given),
      catch: (cause) => usageFailed(oneLine(`${what} is not JSON: ${cause instanceof Error ? cause.message : ""}`))
    }))
