import * as NodeStream from "@effect/platform-node/NodeStream"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { Buffer } from "node:buffer"
import { type CommandFailed, failed } from "../exit.js"
import { printError } from "../print.js"

// More than the longest value has in UTF-8.
const mostBytes = 128 * 1024

const textOf = (pieces: Iterable<Uint8Array>): Effect.Effect<Redacted.Redacted<string>, CommandFailed> =>
  Effect.try({
    try: () => {
      const text = new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat([...pieces]))
      // What `echo` adds is no part of it.
      return Redacted.make(text.replace(/\r?\n$/, ""))
    },
    catch: () => failed("The value on standard input is no text in UTF-8")
  })

/** The value of a secret, from standard input: whoever can list processes reads what stands on a command line. */
export const valueFromStandardInput: Effect.Effect<Redacted.Redacted<string>, CommandFailed> = Effect.gen(function*() {
  if (process.stdin.isTTY) {
    yield* printError("Type the value, which is shown, and Ctrl-D on a line of its own; better pipe it in")
  }
  const pieces: Array<Uint8Array> = []
  let size = 0
  yield* NodeStream.stdin.pipe(
    Stream.mapError(() => failed("Standard input cannot be read")),
    Stream.runForEach((piece) => {
      size += piece.length
      pieces.push(piece)
      return size > mostBytes ? Effect.fail(failed(`The value is longer than ${mostBytes} bytes`)) : Effect.void
    })
  )
  const value = yield* textOf(pieces)
  return Redacted.value(value) === ""
    ? yield* failed("There is no value on standard input: pipe it in, as in `kruxos vault add … < token.txt`")
    : value
})
