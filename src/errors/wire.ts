import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import type { RecoveryAction } from "../schema/RecoveryAction.js"

/**
 * The one form that all the shapes of an error on the wire are brought into before it becomes a tagged error.
 */
export interface WireFailure {
  readonly type: string
  readonly message: string
  readonly recovery: ReadonlyArray<RecoveryAction>
  readonly retryable: boolean | undefined
  readonly retryAfter: Duration.Duration | undefined
  readonly context: { readonly [key: string]: unknown }
}

type JsonObject = { readonly [key: string]: unknown }

const isObject = (value: unknown): value is JsonObject => Predicate.isRecord(value)

const firstText = (object: JsonObject, ...keys: ReadonlyArray<string>): string | undefined =>
  keys.map((key) => object[key]).find((value): value is string => typeof value === "string" && value !== "")

// Field by field and not by schema: what can be read of an action is worth more than nothing.
const recoveryActionOf = (item: unknown): ReadonlyArray<RecoveryAction> => {
  if (typeof item === "string") return [{ action: item, description: "" }]
  const action = isObject(item) ? firstText(item, "action") : undefined
  if (action === undefined || !isObject(item)) return []
  const { capability, inputs } = item
  return [{
    action,
    description: firstText(item, "description") ?? "",
    ...(typeof capability === "string" ? { capability } : {}),
    ...(isObject(inputs) ? { inputs: withoutPrototype(inputs) } : {})
  }]
}

const recoveryOf = (...values: ReadonlyArray<unknown>): ReadonlyArray<RecoveryAction> => {
  const list = values.find((value) => Array.isArray(value) || (typeof value === "string" && value !== ""))
  return Array.isArray(list) ? list.flatMap(recoveryActionOf) : recoveryActionOf(list)
}

// A field of that name becomes a prototype wherever somebody copies the object field by field.
const withoutPrototype = (object: JsonObject): JsonObject =>
  Object.hasOwn(object, "__proto__")
    ? Object.fromEntries(Object.entries(object).filter(([key]) => key !== "__proto__"))
    : object

const longestWaitSeconds = 1e9

/** A wait that the gateway names, in seconds; one beyond all measure is cut to about thirty years. */
export const seconds = (...values: ReadonlyArray<unknown>): Duration.Duration | undefined => {
  const known = values.find((value): value is number => typeof value === "number" && value >= 0)
  return known === undefined ? undefined : Duration.seconds(Math.min(known, longestWaitSeconds))
}

const commonKeys = new Set([
  "__proto__",
  "type",
  "error",
  "error_type",
  "message",
  "description",
  "agent_description",
  "recovery",
  "recovery_actions",
  "retryable",
  "retry_after",
  "context"
])

const deepestNesting = 8

const innermost = (value: JsonObject): JsonObject => {
  let object = value
  for (let depth = 0; depth < deepestNesting && isObject(object["error"]); depth++) object = object["error"]
  return object
}

const messageOf = (object: JsonObject) => firstText(object, "message", "agent_description", "description")

const failureOf = (object: JsonObject, type: string, otherMessage: string): WireFailure => {
  const others = Object.fromEntries(Object.entries(object).filter(([key]) => !commonKeys.has(key)))
  const context = { ...others, ...(isObject(object["context"]) ? withoutPrototype(object["context"]) : {}) }
  return {
    type,
    message: messageOf(object) ?? otherMessage,
    recovery: recoveryOf(object["recovery_actions"], object["recovery"]),
    retryable: typeof object["retryable"] === "boolean" ? object["retryable"] : undefined,
    retryAfter: seconds(object["retry_after"], context["retry_after_seconds"]),
    context
  }
}

const reported = (type: string) => `The gateway reported ${type}`

/**
 * Reads an error object: `{ type, message, recovery }`, `{ error, message, recovery }` or a StructuredError
 * (`{ error_type, description, recovery_actions, … }`), also where it is the `error` of another object. Fields that none
 * of them has become context. Absent when the value names no error type.
 */
export const wireFailureOf = (value: unknown, otherMessage = ""): WireFailure | undefined => {
  if (!isObject(value)) return undefined
  const object = innermost(value)
  const type = firstText(object, "error_type", "type", "error")
  return type === undefined ? undefined : failureOf(object, type, otherMessage === "" ? reported(type) : otherMessage)
}

const unknownType = "CapabilityError"

/**
 * Reads what a gateway gives as the error of an invocation, whatever it is: where it names no type, the type is unknown
 * and its message is kept.
 */
export const wireFailureOfAny = (value: unknown): WireFailure => {
  const typed = wireFailureOf(value)
  if (typed !== undefined) return typed
  const said = typeof value === "string" && value.trim() !== "" ? value : "The gateway reported an error without a type"
  return failureOf(isObject(value) ? innermost(value) : {}, unknownType, said)
}

/** The error code numbers of JSON-RPC 2.0, and those that KruxOS adds. */
export const RpcCode = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internalError: -32603,
  rateLimited: -32000,
  policyDenied: -32001,
  approvalRequired: -32002,
  authenticationFailed: -32003
} as const

const typeOfCode = new Map<number, string>([
  [RpcCode.rateLimited, "RateLimited"],
  [RpcCode.policyDenied, "PolicyDenied"],
  [RpcCode.approvalRequired, "ApprovalPending"],
  [RpcCode.authenticationFailed, "NotAuthenticated"],
  [RpcCode.invalidParams, "InvalidInput"]
])

/** The error member of a JSON-RPC response. */
export interface RpcError {
  readonly code: number
  readonly message: string
  readonly data?: unknown
}

/**
 * Reads the error member of a JSON-RPC response. Its `data` says the type where it is an error object; else the code
 * does. Absent when neither does: then it is a failure of the protocol, not of the capability.
 */
export const wireFailureOfRpc = ({ code, data, message }: RpcError): WireFailure | undefined => {
  const type = typeOfCode.get(code)
  const structured = wireFailureOf(data, message)
  // Details that go along with a known code can have a field `type` of their own; an error object has a message.
  const isErrorObject = isObject(data) && messageOf(innermost(data)) !== undefined
  if (structured !== undefined && (type === undefined || isErrorObject)) return structured
  if (type === undefined) return undefined
  return failureOf(isObject(data) ? data : {}, type, message === "" ? reported(type) : message)
}

/**
 * Reads the text of an MCP tool result that has `isError`: a JSON error object, or prose, which is then the message of an
 * error of unknown type.
 */
export const wireFailureOfText = (text: string): WireFailure => {
  const parsed = Either.getOrUndefined(Either.try((): unknown => JSON.parse(text)))
  return wireFailureOfAny(isObject(parsed) ? parsed : text)
}
