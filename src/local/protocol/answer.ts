import * as Effect from "effect/Effect"
import { byteLength, fitsInFrame, maximumFrameBytes } from "../../connection/Duplex.js"
import { failureOf, type Message, type RpcId, successOf } from "../../connection/jsonRpc.js"
import { ResourceExhausted } from "../../errors/general.js"
import { RpcCode } from "../../errors/wire.js"
import { invalidMessage, type Refusal, refuseError } from "./Refusal.js"

/** The answer to one request: its text, and whether the connection ends with it. */
export interface Answer {
  readonly text: string
  readonly final: boolean
}

/** The answer that refuses a request. */
export const refusal = (id: RpcId | null, { error, final }: Refusal): Answer => ({
  text: JSON.stringify(failureOf(id, error)),
  final
})

const tooLarge = (id: RpcId, bytes: number): Answer =>
  refusal(
    id,
    refuseError(
      new ResourceExhausted({
        message:
          `The answer has ${bytes} bytes, more than the ${maximumFrameBytes} that one message may have: ask for a part of it`,
        resource: "message_bytes",
        limit: maximumFrameBytes,
        current: bytes
      })
    )
  )

const fitting = (id: RpcId, answer: Answer): Answer =>
  fitsInFrame(answer.text) ? answer : tooLarge(id, byteLength(answer.text))

/** The answer to what a bug kept from being answered. It says nothing of the inside. */
export const internalError = invalidMessage(RpcCode.internalError, "The gateway failed; its log says how")

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
    Effect.map((value): Answer => ({ text: JSON.stringify(successOf(id, value)), final: false })),
    Effect.catchTag("Refusal", (failure) => Effect.succeed(refusal(id, failure))),
    Effect.map((answer) => fitting(id, answer)),
    Effect.catchAllCause((cause) => Effect.as(Effect.logError(`${method} failed`, cause), refusal(id, internalError)))
  )

/** The answer to a message that cannot be read. */
export const answerToInvalid = ({ error, id }: Extract<Message, { readonly _tag: "Invalid" }>): string =>
  JSON.stringify(failureOf(id, error))
