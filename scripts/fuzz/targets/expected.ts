import * as Predicate from "effect/Predicate"
import { decodeFrame, type Message } from "../../../src/connection/jsonRpc.js"
import { internalError } from "../../../src/local/protocol/answer.js"

/** An id as it is in an answer; what is none becomes null. */
export const written = (id: unknown): string =>
  typeof id === "string" || typeof id === "number" ? JSON.stringify(id) : "null"

/** The messages of a frame. */
export const messagesOf = (text: string): ReadonlyArray<Message> => {
  const frame = decodeFrame(text)
  return frame._tag === "Batch" ? frame.messages : [frame]
}

/** The id of the answer that a message gets, as it is written; none where it gets none. */
export const answeredId = (message: Message): string | undefined =>
  message._tag === "Request" || message._tag === "Invalid" ? written(message.id) : undefined

/** What is wrong with an answer, whatever was asked. */
export const flawOf = (answer: unknown): string | undefined => {
  if (!Predicate.isRecord(answer) || answer["jsonrpc"] !== "2.0" || !("id" in answer)) return "no JSON-RPC"
  const { error } = answer
  if ("result" in answer) return error === undefined ? undefined : "both a result and an error"
  if (!Predicate.isRecord(error)) return "neither a result nor an error"
  if (typeof error["code"] !== "number" || typeof error["message"] !== "string") return "an error without its fields"
  return error["message"] === internalError.error.message ? "the gateway failed" : undefined
}
