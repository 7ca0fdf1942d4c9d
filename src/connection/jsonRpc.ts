import * as Predicate from "effect/Predicate"
import { RpcCode, type RpcError } from "../errors/wire.js"
import { isDeeper, isLongEnoughToBeDeep, maximumDepth } from "../schema/nesting.js"

/** The id of a request; null only in the answer to a request whose id could not be read. */
export type RpcId = string | number

export type Message =
  | { readonly _tag: "Request"; readonly id: RpcId; readonly method: string; readonly params: unknown }
  | { readonly _tag: "Notification"; readonly method: string; readonly params: unknown }
  | { readonly _tag: "Success"; readonly id: RpcId; readonly result: unknown }
  | { readonly _tag: "Failure"; readonly id: RpcId | null; readonly error: RpcError }
  | { readonly _tag: "Invalid"; readonly id: RpcId | null; readonly error: RpcError }

/** What one frame, or one HTTP body, holds. */
export type Frame = Message | { readonly _tag: "Batch"; readonly messages: ReadonlyArray<Message> }

// What is written as 1e999 would be answered as null.
const isId = (value: unknown): value is RpcId => typeof value === "string" || Number.isFinite(value)

const invalid = (id: RpcId | null, code: number, message: string): Message => ({
  _tag: "Invalid",
  id,
  error: { code, message }
})

const errorOf = (value: unknown): RpcError =>
  Predicate.isRecord(value)
    ? {
      code: typeof value["code"] === "number" ? value["code"] : RpcCode.internalError,
      message: typeof value["message"] === "string" ? value["message"] : "",
      data: value["data"]
    }
    : { code: RpcCode.internalError, message: typeof value === "string" ? value : "" }

const tooDeep: RpcError = {
  code: RpcCode.parseError,
  message: `The answer is nested deeper than ${maximumDepth} levels`
}

const decodeMessage = (value: unknown, mayBeDeep: boolean): Message => {
  if (!Predicate.isRecord(value)) return invalid(null, RpcCode.invalidRequest, "A message is a JSON object")
  const { id, method, params } = value
  const knownId = isId(id) ? id : null
  if (value["jsonrpc"] !== "2.0") {
    return invalid(knownId, RpcCode.invalidRequest, "A message has the field jsonrpc with the value \"2.0\"")
  }
  if (method !== undefined) {
    if (typeof method !== "string") return invalid(knownId, RpcCode.invalidRequest, "The method is not a string")
    if (params !== undefined && !Predicate.isReadonlyRecord(params) && !Array.isArray(params)) {
      return invalid(knownId, RpcCode.invalidRequest, "The params are neither an object nor an array")
    }
    if (id === undefined) return { _tag: "Notification", method, params }
    return knownId === null
      ? invalid(null, RpcCode.invalidRequest, "The id is neither a string nor a number")
      : { _tag: "Request", id: knownId, method, params }
  }
  if (mayBeDeep && isDeeper(value, maximumDepth)) return { _tag: "Failure", id: knownId, error: tooDeep }
  if ("error" in value && value["error"] !== undefined && value["error"] !== null) {
    return { _tag: "Failure", id: knownId, error: errorOf(value["error"]) }
  }
  if ("result" in value && knownId !== null) return { _tag: "Success", id: knownId, result: value["result"] }
  return invalid(knownId, RpcCode.invalidRequest, "The message is neither a request nor a response")
}

/** Reads one frame. It never fails: what cannot be read is `Invalid`, with the error to answer. */
export const decodeFrame = (text: string): Frame => {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return invalid(null, RpcCode.parseError, "The message is not valid JSON")
  }
  const mayBeDeep = isLongEnoughToBeDeep(text)
  if (!Array.isArray(parsed)) return decodeMessage(parsed, mayBeDeep)
  return parsed.length === 0
    ? invalid(null, RpcCode.invalidRequest, "A batch has at least one message")
    : { _tag: "Batch", messages: parsed.map((message) => decodeMessage(message, mayBeDeep)) }
}

export const encodeRequest = (id: RpcId, method: string, params: unknown): string =>
  JSON.stringify({ jsonrpc: "2.0", id, method, params })

export const encodeNotification = (method: string, params: unknown): string =>
  JSON.stringify({ jsonrpc: "2.0", method, params })

export const successOf = (id: RpcId, result: unknown) => ({ jsonrpc: "2.0", id, result: result ?? null })

export const failureOf = (id: RpcId | null, error: RpcError) => ({ jsonrpc: "2.0", id, error })
