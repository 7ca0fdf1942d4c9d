import * as Duration from "effect/Duration"
import * as Filesystem from "./filesystem.js"
import * as Gateway from "./gateway.js"
import * as General from "./general.js"
import type { KruxosError } from "./KruxosError.js"
import { seconds, type WireFailure } from "./wire.js"

interface Common {
  readonly type: string
  readonly message: string
  readonly recovery: WireFailure["recovery"]
  readonly retryable?: boolean
  readonly retryAfter: Duration.Duration | undefined
  readonly context: WireFailure["context"]
  readonly capability: string | undefined
}

type Build = (common: Common) => KruxosError

const text = ({ context }: Common, ...keys: ReadonlyArray<string>): string | undefined =>
  keys.map((key) => context[key]).find((value): value is string => typeof value === "string")

const number = ({ context }: Common, ...keys: ReadonlyArray<string>): number | undefined =>
  keys.map((key) => context[key]).find((value): value is number => typeof value === "number" && Number.isFinite(value))

const withPath =
  <E extends KruxosError>(Class: new(fields: Common & { readonly path: string | undefined }) => E): Build => (common) =>
    new Class({ ...common, path: text(common, "path", "destination", "trash_path") })

const authenticationFailed: Build = (common) =>
  new Gateway.AuthenticationFailed({ ...common, url: text(common, "url") })

const waiting = (wait: Duration.DurationInput, build: Build): Build => (common) =>
  build({ ...common, retryAfter: common.retryAfter ?? Duration.decode(wait) })

const secondsOf: { readonly [unit: string]: number } = { s: 1, m: 60, h: 3600, d: 86_400 }

// The code of a rate limit has a window such as "1h", the error type has seconds.
const windowSeconds = (common: Common): number | undefined => {
  const [, count, unit = ""] = /^(\d{1,9})([smhd])$/.exec(text(common, "window") ?? "") ?? []
  return number(common, "window_seconds", "window") ??
    (count === undefined ? undefined : Number(count) * (secondsOf[unit] ?? 1))
}

const rateLimited: Build = (common) =>
  new General.RateLimited({ ...common, limit: number(common, "limit"), windowSeconds: windowSeconds(common) })

const serviceUnavailable: Build = waiting(
  "60 seconds",
  (common) =>
    new General.ServiceUnavailable({ ...common, service: text(common, "service"), reason: text(common, "reason") })
)

const resourceExhausted: Build = (common) =>
  new General.ResourceExhausted({
    ...common,
    resource: text(common, "resource"),
    limit: common.context["limit"],
    current: common.context["current"]
  })

const versionConflict: Build = (common) =>
  new General.VersionConflict({
    ...common,
    resource: text(common, "resource", "key"),
    expectedVersion: number(common, "expected_version"),
    actualVersion: number(common, "actual_version", "current_version")
  })

const batchProtection: Build = (common) =>
  new General.BatchProtection({
    ...common,
    operation: text(common, "operation"),
    count: number(common, "count"),
    threshold: number(common, "threshold")
  })

const unavailable: Build = (common) => new General.CapabilityUnavailable({ ...common, reason: common.type })

const approvalRequired: Build = (common) => {
  const approvalId = text(common, "approval_id", "request_id")
  return approvalId === undefined
    ? new Gateway.ProtocolError({ ...common, message: "The gateway asks for an approval and gives no id for it" })
    : new General.ApprovalRequired({
      ...common,
      approvalId,
      idempotencyKey: text(common, "idempotency_key")
    })
}

const invalid: Build = (common) =>
  new General.InvalidInput({
    ...common,
    field: text(common, "field", "parameter"),
    reason: common.type === "InvalidInput" ? text(common, "reason") : common.type
  })

const builders: { readonly [type: string]: Build } = {
  "auth.invalid_credentials": authenticationFailed,
  "auth.agent_revoked": authenticationFailed,
  "auth.user_token_revoked": authenticationFailed,
  "auth.rate_limited": waiting("60 seconds", rateLimited),
  "resource.exhausted": resourceExhausted,
  "proxy.service_error": serviceUnavailable,
  "proxy.batch_protection": batchProtection,
  AuthenticationFailed: authenticationFailed,
  NotAuthenticated: authenticationFailed,
  SessionExpired: (common) => new Gateway.SessionExpired({ ...common, sessionId: text(common, "session_id") }),
  Timeout: (common) =>
    new Gateway.GatewayTimeout({
      ...common,
      operation: text(common, "operation"),
      timeout: seconds(number(common, "timeout_seconds"))
    }),
  "gateway.connection_failed": (common) => new Gateway.ConnectionFailed({ ...common, url: text(common, "url") }),
  ProtocolError: (common) => new Gateway.ProtocolError({ ...common, code: number(common, "code") }),
  OutcomeUnknown: (common) =>
    new Gateway.OutcomeUnknown({ ...common, idempotencyKey: text(common, "idempotency_key") }),
  PolicyDenied: (common) =>
    new General.PolicyDenied({
      ...common,
      rule: text(common, "rule", "rule_reference"),
      reason: text(common, "reason")
    }),
  SessionPaused: (common) => new General.SessionPaused(common),
  ApprovalPending: approvalRequired,
  ApprovalRequired: approvalRequired,
  ApprovalRejected: (common) =>
    new General.ApprovalRejected({
      ...common,
      approvalId: text(common, "approval_id", "request_id"),
      reason: text(common, "reason")
    }),
  ApprovalExpired: (common) =>
    new General.ApprovalExpired({ ...common, approvalId: text(common, "approval_id", "request_id") }),
  ApprovalTimeout: (common) => {
    const approvalId = text(common, "approval_id", "request_id")
    return approvalId === undefined
      ? new General.CapabilityError(common)
      : new General.ApprovalTimeout({ ...common, approvalId, timeout: seconds(number(common, "timeout_seconds")) })
  },
  NotReversible: (common) => new General.NotReversible(common),
  TransactionClosed: (common) =>
    new General.TransactionClosed({ ...common, transactionId: text(common, "transaction_id") }),
  PermissionDenied: (common) =>
    new General.PermissionDenied({ ...common, path: text(common, "path"), operation: text(common, "operation") }),
  ResourceExhausted: resourceExhausted,
  RateLimited: rateLimited,
  ServiceUnavailable: serviceUnavailable,
  BatchProtection: batchProtection,
  ConflictError: versionConflict,
  VersionConflict: versionConflict,
  OutputMismatch: (common) => new General.OutputMismatch({ ...common, raw: common.context["raw"] }),
  CapabilityNotFound: (common) =>
    new General.CapabilityNotFound({ ...common, name: text(common, "name") ?? common.capability }),
  CapabilityUnavailable: (common) =>
    new General.CapabilityUnavailable({ ...common, reason: text(common, "reason") ?? common.type }),

  InvalidInput: invalid,
  InvalidMethod: invalid,
  InvalidPort: invalid,
  InvalidFilter: invalid,
  InvalidStream: invalid,
  InvalidTimezone: invalid,
  InvalidTimestamp: invalid,
  InvalidUrl: invalid,
  InvalidAction: invalid,
  MissingParameter: invalid,
  NoLabelsProvided: invalid,
  InvalidFormat: invalid,

  SystemInfoError: unavailable,
  HealthCheckError: unavailable,
  MetricsError: unavailable,
  AlertError: unavailable,
  CommsError: unavailable,
  SchedulerError: unavailable,
  VaultError: unavailable,
  DatabaseError: unavailable,
  IoError: unavailable,
  SessionError: unavailable,
  SessionNotFound: unavailable,

  PathOutOfScope: withPath(Filesystem.PathOutOfScope),
  FileNotFound: withPath(Filesystem.FileNotFound),
  DirectoryNotFound: withPath(Filesystem.DirectoryNotFound),
  NotADirectory: withPath(Filesystem.NotADirectory),
  EncodingError: (common) =>
    new Filesystem.EncodingError({ ...common, path: text(common, "path"), encoding: text(common, "encoding") }),
  ParentNotFound: withPath(Filesystem.ParentNotFound),
  DiskFull: withPath(Filesystem.DiskFull),
  DirectoryNotEmpty: withPath(Filesystem.DirectoryNotEmpty),
  InvalidPattern: (common) => new Filesystem.InvalidPattern({ ...common, pattern: text(common, "pattern") }),
  DestinationExists: withPath(Filesystem.DestinationExists),
  TooManyWatches: (common) => new Filesystem.TooManyWatches({ ...common, limit: number(common, "limit") }),
  ReplacementCountMismatch: (common) =>
    new Filesystem.ReplacementCountMismatch({
      ...common,
      expected: number(common, "expected"),
      actual: number(common, "actual")
    }),
  TrashEntryNotFound: withPath(Filesystem.TrashEntryNotFound)
}

/**
 * Turns an error from the wire into the tagged error of its type. A type that is not known becomes `CapabilityError`, with
 * the wire type in `type`.
 */
export const decodeFailure = (failure: WireFailure, capability?: string): KruxosError => {
  const { retryable, ...rest } = failure
  const named = failure.context["capability"]
  const common: Common = {
    ...rest,
    capability: capability ?? (typeof named === "string" ? named : undefined),
    ...(retryable === undefined ? {} : { retryable })
  }
  const build = Object.hasOwn(builders, failure.type) ? builders[failure.type] : undefined
  return build === undefined ? new General.CapabilityError(common) : build(common)
}
