import * as Duration from "effect/Duration"
import { describe, expect, it } from "vitest"
import { builtIn } from "../../src/catalogue/builtIn.js"
import { decodeFailure } from "../../src/errors/decode.js"
import { isGatewayError } from "../../src/errors/index.js"
import { wireFailureOfAny } from "../../src/errors/wire.js"
import { ownFields } from "./everyError.js"

const decode = (error: object) => decodeFailure(wireFailureOfAny(error), "filesystem.read")

interface Row {
  readonly type: string
  readonly tag: string
  readonly context?: object
  readonly fields?: object
  readonly retryable?: boolean
  readonly retryAfterSeconds?: number
}

const rows: ReadonlyArray<Row> = [
  { type: "auth.invalid_credentials", tag: "AuthenticationFailed" },
  { type: "auth.agent_revoked", tag: "AuthenticationFailed" },
  { type: "auth.user_token_revoked", tag: "AuthenticationFailed" },
  { type: "NotAuthenticated", tag: "AuthenticationFailed" },
  { type: "auth.rate_limited", tag: "RateLimited", retryable: true, retryAfterSeconds: 60 },
  { type: "SessionExpired", tag: "SessionExpired", context: { session_id: "s-1" }, fields: { sessionId: "s-1" } },
  {
    type: "PolicyDenied",
    tag: "PolicyDenied",
    context: { rule: "filesystem.*", reason: "no writes", capability: "filesystem.write" },
    fields: { rule: "filesystem.*", reason: "no writes" }
  },
  { type: "PolicyDenied", tag: "PolicyDenied", context: { rule_reference: "r-7" }, fields: { rule: "r-7" } },
  { type: "SessionPaused", tag: "SessionPaused" },
  {
    type: "ApprovalPending",
    tag: "ApprovalRequired",
    context: { request_id: "apr-1", capability: "filesystem.read" },
    fields: { approvalId: "apr-1" }
  },
  {
    type: "ApprovalRequired",
    tag: "ApprovalRequired",
    context: { approval_id: "apr-2", idempotency_key: "k" },
    fields: { approvalId: "apr-2", idempotencyKey: "k" }
  },
  { type: "ApprovalPending", tag: "ProtocolError" },
  {
    type: "ApprovalRejected",
    tag: "ApprovalRejected",
    context: { request_id: "apr-1", reason: "too risky" },
    fields: { approvalId: "apr-1", reason: "too risky" }
  },
  { type: "ApprovalExpired", tag: "ApprovalExpired", context: { request_id: "a" }, fields: { approvalId: "a" } },
  {
    type: "InvalidInput",
    tag: "InvalidInput",
    context: { field: "path", reason: "missing" },
    fields: { field: "path", reason: "missing" }
  },
  { type: "PathOutOfScope", tag: "PathOutOfScope", context: { path: "/etc" }, fields: { path: "/etc" } },
  { type: "FileNotFound", tag: "FileNotFound", context: { path: "/workspace/a" }, fields: { path: "/workspace/a" } },
  {
    type: "PermissionDenied",
    tag: "PermissionDenied",
    context: { path: "/workspace/a", operation: "write" },
    fields: { path: "/workspace/a", operation: "write" }
  },
  {
    type: "ResourceExhausted",
    tag: "ResourceExhausted",
    context: { resource: "disk", limit: 10, current: "11" },
    fields: { resource: "disk", limit: 10, current: "11" }
  },
  { type: "resource.exhausted", tag: "ResourceExhausted", context: { resource: "m" }, fields: { resource: "m" } },
  {
    type: "RateLimited",
    tag: "RateLimited",
    context: { limit: 10, window_seconds: 60, retry_after_seconds: 7 },
    fields: { limit: 10, windowSeconds: 60 },
    retryable: true,
    retryAfterSeconds: 7
  },
  {
    type: "Timeout",
    tag: "GatewayTimeout",
    context: { operation: "read", timeout_seconds: 30 },
    fields: { operation: "read", timeout: Duration.seconds(30) },
    retryable: true
  },
  {
    type: "ConflictError",
    tag: "VersionConflict",
    context: { resource: "counter", expected_version: 1, actual_version: 3 },
    fields: { resource: "counter", expectedVersion: 1, actualVersion: 3 },
    retryable: true
  },
  {
    type: "VersionConflict",
    tag: "VersionConflict",
    context: { key: "counter", expected_version: 1, current_version: 3 },
    fields: { resource: "counter", expectedVersion: 1, actualVersion: 3 },
    retryable: true
  },
  {
    type: "ServiceUnavailable",
    tag: "ServiceUnavailable",
    context: { service: "mail", reason: "off" },
    fields: { service: "mail", reason: "off" },
    retryable: true,
    retryAfterSeconds: 60
  },
  {
    type: "proxy.service_error",
    tag: "ServiceUnavailable",
    context: { service: "slack" },
    fields: { service: "slack" },
    retryable: true,
    retryAfterSeconds: 60
  },
  {
    type: "proxy.batch_protection",
    tag: "BatchProtection",
    context: { operation: "delete", count: 60, threshold: 50 },
    fields: { operation: "delete", count: 60, threshold: 50 }
  },
  { type: "BatchProtection", tag: "BatchProtection", context: { count: 2 }, fields: { count: 2 } },
  { type: "OutcomeUnknown", tag: "OutcomeUnknown", context: { idempotency_key: "k" }, fields: { idempotencyKey: "k" } },
  { type: "NotReversible", tag: "NotReversible" },
  {
    type: "TransactionClosed",
    tag: "TransactionClosed",
    context: { transaction_id: "t" },
    fields: { transactionId: "t" }
  },
  {
    type: "TransactionTimeout",
    tag: "TransactionTimeout",
    context: { transaction_id: "t", timeout_seconds: 90 },
    fields: { transactionId: "t", timeout: Duration.seconds(90) }
  },
  { type: "CapabilityNotFound", tag: "CapabilityNotFound", context: { name: "a.b" }, fields: { requested: "a.b" } },
  { type: "CapabilityNotFound", tag: "CapabilityNotFound", fields: { requested: "filesystem.read" } },
  ...["SystemInfoError", "HealthCheckError", "MetricsError", "AlertError", "CommsError", "SchedulerError", "VaultError"]
    .concat("DatabaseError", "IoError", "SessionError", "SessionNotFound")
    .map((type): Row => ({ type, tag: "CapabilityUnavailable", fields: { reason: type } })),
  ...["InvalidMethod", "InvalidPort", "InvalidFilter", "InvalidStream", "InvalidTimezone", "InvalidTimestamp"]
    .concat("InvalidUrl", "InvalidAction", "MissingParameter", "NoLabelsProvided", "InvalidFormat")
    .map((type): Row => ({
      type,
      tag: "InvalidInput",
      context: { field: "f" },
      fields: { field: "f", reason: type }
    })),
  { type: "SomePackError", tag: "CapabilityError", context: { path: "/workspace/a" } }
]

describe("wire types", () => {
  it.each(rows)("$type is $tag", ({ context = {}, fields = {}, retryable = false, retryAfterSeconds, tag, type }) => {
    const error = decode({ type, message: "It went wrong", context })
    expect(error._tag).toBe(tag)
    expect(error.type).toBe(type)
    expect(error.message).toBe(
      tag === "ProtocolError" ? "The gateway asks for an approval and gives no id for it" : "It went wrong"
    )
    expect(ownFields(error)).toEqual(fields)
    expect(error.retryable).toBe(retryable)
    expect(error.retryAfter).toEqual(retryAfterSeconds === undefined ? undefined : Duration.seconds(retryAfterSeconds))
    expect(error.context).toEqual(context)
    expect(error.capability).toBe("filesystem.read")
    expect(error.recovery).toEqual([])
  })

  it("gives every error that a capability lists the class that the catalogue has for it", () => {
    for (const capability of Object.values(builtIn)) {
      for (const [type, entry] of Object.entries(capability.errors)) {
        expect(decode({ type, message: "m" })).toBeInstanceOf(entry.class)
      }
    }
  })

  it("does not take what a check of ports reports for a failure of the own connection", () => {
    expect(isGatewayError(decode({ type: "ConnectionFailed", message: "m" }))).toBe(false)
  })

  it("names the path by whichever word the capability has for it", () => {
    expect(ownFields(decode({ type: "DestinationExists", destination: "/workspace/b" }))).toEqual({
      path: "/workspace/b"
    })
    expect(ownFields(decode({ type: "TrashEntryNotFound", trash_path: "/t/1" }))).toEqual({ path: "/t/1" })
  })

  it.each([["1h", 3600], ["5m", 300], ["30s", 30], ["2d", 172_800], [90, 90], ["soon", undefined]])(
    "reads the window %s of a rate limit",
    (window, seconds) => {
      const error = decode({ type: "RateLimited", message: "m", context: { window } })
      expect(ownFields(error)).toEqual(seconds === undefined ? {} : { windowSeconds: seconds })
    }
  )

  it("lets the gateway say what is retryable, and when", () => {
    const stubborn = decode({ error_type: "RateLimited", description: "m", retryable: false, retry_after: 2.5 })
    expect(stubborn.retryable).toBe(false)
    expect(stubborn.retryAfter).toEqual(Duration.millis(2500))
    const soft = decode({ error_type: "FileNotFound", description: "m", retryable: true, retry_after: null })
    expect(soft.retryable).toBe(true)
    expect(soft.retryAfter).toBeUndefined()
    expect(decode({ type: "ServiceUnavailable", retry_after: 5 }).retryAfter).toEqual(Duration.seconds(5))
  })

  it("takes the capability from the context where the caller knows none", () => {
    const failure = wireFailureOfAny({ type: "PolicyDenied", message: "m", context: { capability: "email.send" } })
    expect(decodeFailure(failure).capability).toBe("email.send")
    expect(decodeFailure(failure, "email.read").capability).toBe("email.read")
  })
})
