import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { maximumFrameBytes } from "../../connection/Duplex.js"
import { failureOf, type Message, type RpcId, successOf } from "../../connection/jsonRpc.js"
import { ResourceExhausted } from "../../errors/general.js"
import { RpcCode } from "../../errors/wire.js"
import { type Refusal, refuseError } from "./Refusal.js"

/** The answer to one request: its text, and whether the connection ends with it. */
export interface Answer {
  readonly text: string
  readonly final: boolean
}

const refusal = (id: RpcId | null, { error, final }: Refusal): Answer => ({
  text: JSON.stringify(failureOf(id, error)),
  final
})

const tooLarge = (id: RpcId, bytes: number): Answer =>
  refusal(
    id,
    refuseError(
      new ResourceExhausted({
        message:
          `The result has ${bytes} bytes, more than the ${maximumFrameBytes} that one message may have: ask for a part of it`,
        resource: "message_bytes",
        limit: maximumFrameBytes,
        current: bytes
      })
    )
  )

const fits = (id: RpcId, text: string): Answer => {
  // A character has at most three bytes in UTF-8, so that most texts need not be counted.
  if (text.length * 3 <= maximumFrameBytes) return { text, final: false }
  const bytes = Buffer.byteLength(text)
  return bytes <= maximumFrameBytes ? { text, final: false } : tooLarge(id, bytes)
}

const internalError = (id: RpcId) =>
  failureOf(id, { code: RpcCode.internalError, message: "The gateway failed; its log says how" })

/**
 * Makes the answer to a request out of what it asks for. A bug becomes an internal error, and goes into the log. An
 * interrupted request has no answer.
 */
export const answerOf = (
  id: RpcId,
  method: string,
  result: Effect.Effect<unknown, Refusal>
): Effect.Effect<Answer> =>
  result.pipe(
    Effect.map((value) => fits(id, JSON.stringify(successOf(id, value)))),
    Effect.catchTag("Refusal", (failure) => Effect.succeed(refusal(id, failure))),
    Effect.catchAllCause((cause) =>
      Cause.isInterruptedOnly(cause)
        ? Effect.failCause(cause)
        : Effect.as(Effect.logError(`${method} failed`, cause), {
          text: JSON.stringify(internalError(id)),
          final: false
        })
    )
  )

/** The answer to a message that cannot be read. */
export const answerToInvalid = ({ error, id }: Extract<Message, { readonly _tag: "Invalid" }>): string =>
  JSON.stringify(failureOf(id, error))

/** The most messages that one batch may have. */
export const maximumBatch = 1000

/** How many requests of a batch run at a time. */
export const batchConcurrency = 16
