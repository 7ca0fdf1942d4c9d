import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FiberRef from "effect/FiberRef"
import * as Option from "effect/Option"
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

/** A result that is JSON text already. */
export class Written {
  readonly json: string

  constructor(json: string) {
    this.json = json
  }
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

const failed = (id: RpcId, method: string, cause: Cause.Cause<unknown>): Effect.Effect<Answer> =>
  Effect.as(Effect.logError(`${method} failed`, cause), refusal(id, internalError))

// What is uninterruptible is told of its interruption by the parts of it that are not.
const isInterruptedWith = (cause: Cause.Cause<unknown>): Effect.Effect<boolean> =>
  Effect.map(FiberRef.get(FiberRef.interruptedCause), (own) => !Cause.isEmpty(own) && Cause.isInterruptedOnly(cause))

const successText = (id: RpcId, value: unknown): string =>
  value instanceof Written
    ? `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${value.json}}`
    : JSON.stringify(successOf(id, value))

/**
 * Makes the answer to a request out of what it asks for. A bug becomes an internal error, and goes into the log. An
 * interrupted request has no answer.
 */
export const answerOf = (
  id: RpcId,
  method: string,
  result: Effect.Effect<unknown, Refusal>
): Effect.Effect<Answer> =>
  Effect.matchCauseEffect(result, {
    onSuccess: (value) => {
      const text = Either.try({ try: () => successText(id, value), catch: Cause.die })
      return Either.isRight(text)
        ? Effect.succeed(fitting(id, { text: text.right, final: false }))
        : failed(id, method, text.left)
    },
    onFailure: (cause) => {
      const failure = Cause.failureOption(cause)
      return Option.isSome(failure)
        ? Effect.succeed(fitting(id, refusal(id, failure.value)))
        : Effect.if(isInterruptedWith(cause), {
          onTrue: () => Effect.interrupt,
          onFalse: () => failed(id, method, cause)
        })
    }
  })

/** The answer to a message that cannot be read. */
export const answerToInvalid = ({ error, id }: Extract<Message, { readonly _tag: "Invalid" }>): string =>
  JSON.stringify(failureOf(id, error))
