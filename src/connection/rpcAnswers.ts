import * as Exit from "effect/Exit"
import { RpcCode, type RpcError, wireFailureOfRpc } from "../errors/wire.js"
import { decodeFrame, type Message, type RpcId } from "./jsonRpc.js"
import { type RequestFailure, RpcFailure, Unsendable } from "./Peer.js"
import { type Body, dropped } from "./rpcPost.js"

/** What becomes of a call: its end, or "again" where the gateway ran nothing of a body because it had several. */
export type Outcome = Exit.Exit<unknown, RequestFailure> | "again"

/** What a body was answered with. */
export interface Answers {
  readonly outcomeOf: (id: RpcId) => Outcome
  /** Whether the gateway has answered an array as if it knew none. */
  readonly refusesBatches: boolean
}

const contentTooLarge = 413

const tooManyRequests = 429

/** What is said by HTTP alone, perhaps by something that stands before the gateway. */
const otherwise = ({ retryAfterSeconds, status }: Body): Exit.Exit<unknown, RequestFailure> => {
  switch (status) {
    case contentTooLarge:
      return Exit.fail(new Unsendable({ message: `The request is too large to be taken (HTTP ${status})` }))
    case tooManyRequests: {
      const message = `Too many requests (HTTP ${status})`
      const data = { retry_after_seconds: retryAfterSeconds }
      return Exit.fail(new RpcFailure({ error: { code: RpcCode.rateLimited, message, data } }))
    }
    default:
      return Exit.fail(dropped(`HTTP ${status}, and the answer is not one of JSON-RPC`, true))
  }
}

const outcomeOf = (message: Message | undefined, body: Body): Exit.Exit<unknown, RequestFailure> => {
  switch (message?._tag) {
    case "Success":
      return Exit.succeed(message.result)
    case "Failure":
      return Exit.fail(new RpcFailure({ error: message.error }))
    default:
      return otherwise(body)
  }
}

/** The call that a message answers. */
const idOf = (message: Message): RpcId | null | undefined =>
  message._tag === "Success" || message._tag === "Failure" ? message.id : undefined

const unanswered = Exit.fail(dropped("the answer to the batch has none to this call", true))

// By JSON-RPC these say that no method was run.
const notRun = new Set<number>([
  RpcCode.parseError,
  RpcCode.invalidRequest,
  RpcCode.methodNotFound,
  RpcCode.invalidParams
])

// What is said in between, or of the moment, says nothing of batches.
const passing = new Set([tooManyRequests, 502, 503, 504, contentTooLarge])

const saysOtherwise = (error: RpcError) => !notRun.has(error.code) && wireFailureOfRpc(error) !== undefined

/** Reads the answer to a body with one call. */
export const ofOne = (body: Body): Answers => {
  const frame = decodeFrame(body.text)
  const messages = frame._tag === "Batch" ? frame.messages : [frame]
  return {
    refusesBatches: false,
    outcomeOf: (id) =>
      outcomeOf(
        // An answer with id null speaks of the whole body, such as one that is too large.
        messages.find((message) => idOf(message) === id) ??
          messages.find((message) => message._tag === "Failure" && message.id === null),
        body
      )
  }
}

/** Reads the answer to a body with several calls. One that has no answer of its own fails alone; of two it gets the first. */
export const ofBatch = (body: Body): Answers => {
  const { status } = body
  const frame = decodeFrame(body.text)
  if (frame._tag === "Batch") {
    const byId = new Map(frame.messages.toReversed().map((message) => [idOf(message), message]))
    return {
      refusesBatches: false,
      outcomeOf: (id) => {
        const message = byId.get(id)
        return message === undefined ? unanswered : outcomeOf(message, body)
      }
    }
  }
  const isOfAll = frame._tag === "Failure" && frame.id === null
  return {
    refusesBatches: !passing.has(status) && !(isOfAll && saysOtherwise(frame.error)),
    outcomeOf: (id) => {
      if (status === contentTooLarge || (isOfAll && notRun.has(frame.error.code))) return "again"
      return isOfAll || idOf(frame) === id ? outcomeOf(frame, body) : otherwise(body)
    }
  }
}
