import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { RecoveryAction } from "../schema/RecoveryAction.js"

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

const decodeRecovery = Schema.decodeUnknownEither(RecoveryAction)

const recoveryOf = (value: unknown): ReadonlyArray<RecoveryAction> =>
  Array.isArray(value)
    ? value.flatMap((item) => Option.toArray(Either.getRight(decodeRecovery(item))))
    : []

const firstText = (object: JsonObject, ...keys: ReadonlyArray<string>): string | undefined =>
  keys.map((key) => object[key]).find((value): value is string => typeof value === "string" && value !== "")

const seconds = (...values: ReadonlyArray<unknown>): Duration.Duration | undefined => {
  const known = values.find((value): value is number => typeof value === "number" && value >= 0)
  return known === undefined ? undefined : Duration.seconds(known)
}

const commonKeys = new Set([
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

/**
 * Reads an error object: `{ type, message, recovery }`, `{ error, message, recovery }` or a StructuredError
 * (`{ error_type, description, recovery_actions, … }`). Fields that none of them has become context. Absent when the
 * value names no error type.
 */
export const wireFailureOf = (value: unknown): WireFailure | undefined => {
  if (!isObject(value)) return undefined
  if (isObject(value["error"])) return wireFailureOf(value["error"])
  const type = firstText(value, "error_type", "type", "error")
  if (type === undefined) return undefined
  const others = Object.fromEntries(Object.entries(value).filter(([key]) => !commonKeys.has(key)))
  const context = { ...others, ...(isObject(value["context"]) ? value["context"] : {}) }
  return {
    type,
    message: firstText(value, "message", "agent_description", "description") ?? `The gateway reported ${type}`,
    recovery: recoveryOf(value["recovery_actions"] ?? value["recovery"]),
    retryable: typeof value["retryable"] === "boolean" ? value["retryable"] : undefined,
    retryAfter: seconds(value["retry_after"], context["retry_after_seconds"]),
    context
  }
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
  const structured = wireFailureOf(data)
  if (structured !== undefined) return structured
  if (type === undefined) return undefined
  const context = isObject(data) ? data : {}
  return {
    type,
    message: message === "" ? `The gateway reported ${type}` : message,
    recovery: [],
    retryable: undefined,
    retryAfter: seconds(context["retry_after_seconds"]),
    context
  }
}

/**
 * Reads the text of an MCP tool result that has `isError`: a JSON error object, or prose, which is then the message of an
 * error of unknown type.
 */
export const wireFailureOfText = (text: string): WireFailure => {
  const parsed = Either.getOrUndefined(Either.try((): unknown => JSON.parse(text)))
  return wireFailureOf(parsed) ?? {
    type: "CapabilityError",
    message: text,
    recovery: [],
    retryable: undefined,
    retryAfter: undefined,
    context: {}
  }
}
