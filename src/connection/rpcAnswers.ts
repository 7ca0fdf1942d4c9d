import * as Exit from "effect/Exit"
import { RpcCode, type RpcError, wireFailureOfRpc } from "../errors/wire.js"
import { decodeFrame, type Message, type RpcId } from "./jsonRpc.js"
import { type RequestFailure, RpcFailure } from "./Peer.js"
import { type Body, dropped } from "./rpcPost.js"

/** What becomes of a call: its end, or "again" where the gateway ran nothing of a body because it had several. */
export type Outcome = Exit.Exit<unknown, RequestFailure> | "again"

/** What a body was answered with. */
export interface Answers {
  readonly outcomeOf: (id: RpcId) => Outcome
  /** Whether the gateway has answered an array as if it knew none. */
  readonly refusesBatches: boolean
}

const outcomeOf = (message: Message | undefined, status: number): Exit.Exit<unknown, RequestFailure> => {
  switch (message?._tag) {
    case "Success":
      return Exit.succeed(message.result)
    case "Failure":
      return Exit.fail(new RpcFailure({ error: message.error }))
    default:
      return Exit.fail(dropped(`HTTP ${status}, and the answer is not one of JSON-RPC`, true))
  }
}

const idOf = (message: Message): RpcId | null | undefined => "id" in message ? message.id : undefined

const unanswered = Exit.fail(dropped("the answer to the batch has none to this call", true))

// By JSON-RPC these say that no method was run.
const notRun = new Set<number>([
  RpcCode.parseError,
  RpcCode.invalidRequest,
  RpcCode.methodNotFound,
  RpcCode.invalidParams
])

const contentTooLarge = 413

// What is said in between, or of the moment, says nothing of batches.
const passing = new Set([429, 502, 503, 504, contentTooLarge])

const saysOtherwise = (error: RpcError) => !notRun.has(error.code) && wireFailureOfRpc(error) !== undefined

/** Reads the answer to a body with one call. */
export const ofOne = ({ status, text }: Body): Answers => {
  const frame = decodeFrame(text)
  const messages = frame._tag === "Batch" ? frame.messages : [frame]
  return {
    refusesBatches: false,
    outcomeOf: (id) =>
      outcomeOf(
        // An answer with id null speaks of the whole body, such as one that is too large.
        messages.find((message) => idOf(message) === id) ??
          messages.find((message) => message._tag === "Failure" && message.id === null),
        status
      )
  }
}

/** Reads the answer to a body with several calls. One that has no answer of its own fails alone. */
export const ofBatch = ({ status, text }: Body): Answers => {
  const frame = decodeFrame(text)
  if (frame._tag === "Batch") {
    const byId = new Map(frame.messages.map((message) => [idOf(message), message]))
    return {
      refusesBatches: false,
      outcomeOf: (id) => {
        const message = byId.get(id)
        return message === undefined ? unanswered : outcomeOf(message, status)
      }
    }
  }
  const isOfAll = frame._tag === "Failure" && frame.id === null
  return {
    refusesBatches: !passing.has(status) && !(isOfAll && saysOtherwise(frame.error)),
    outcomeOf: (id) => {
      if (status === contentTooLarge || (isOfAll && notRun.has(frame.error.code))) return "again"
      return isOfAll || idOf(frame) === id ? outcomeOf(frame, status) : outcomeOf(undefined, status)
    }
  }
}
