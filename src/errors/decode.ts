import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import { AuthenticationFailed, GatewayTimeout, ProtocolError } from "./gateway.js"
import { ConnectionFailed } from "./gateway.js"
import {
  ApprovalRequired,
  BatchProtection,
  CapabilityError,
  CapabilityUnavailable,
  InvalidInput,
  RateLimited,
  ResourceExhausted,
  ServiceUnavailable,
  VersionConflict
} from "./general.js"
import { type ErrorClass, KruxosError } from "./KruxosError.js"
import { PortCheckFailed } from "./network.js"
import { fromContext } from "./ownFields.js"
import type { WireFailure } from "./wire.js"

const everyOf = (errorClass: ErrorClass, ...types: ReadonlyArray<string>) =>
  types.map((type): readonly [string, ErrorClass] => [type, errorClass])

/** The class of each wire type. A type has the name of its class, except for these. */
const classes: ReadonlyMap<string, ErrorClass> = new Map([
  ...KruxosError.members.map((errorClass): readonly [string, ErrorClass] => [errorClass._tag, errorClass]),
  ...everyOf(
    AuthenticationFailed,
    "auth.invalid_credentials",
    "auth.agent_revoked",
    "auth.user_token_revoked",
    "NotAuthenticated"
  ),
  ...everyOf(RateLimited, "auth.rate_limited"),
  ...everyOf(ResourceExhausted, "resource.exhausted"),
  ...everyOf(ServiceUnavailable, "proxy.service_error"),
  ...everyOf(BatchProtection, "proxy.batch_protection"),
  ...everyOf(GatewayTimeout, "Timeout"),
  ...everyOf(ApprovalRequired, "ApprovalPending"),
  ...everyOf(VersionConflict, "ConflictError"),
  // What a capability that checks ports reports; the connection's own failure has a longer name on the wire.
  ...everyOf(PortCheckFailed, "ConnectionFailed"),
  ...everyOf(ConnectionFailed, "gateway.connection_failed"),
  ...everyOf(
    InvalidInput,
    "InvalidMethod",
    "InvalidPort",
    "InvalidFilter",
    "InvalidStream",
    "InvalidTimezone",
    "InvalidTimestamp",
    "InvalidUrl",
    "InvalidAction",
    "MissingParameter",
    "NoLabelsProvided",
    "InvalidFormat"
  ),
  ...everyOf(
    CapabilityUnavailable,
    "SystemInfoError",
    "HealthCheckError",
    "MetricsError",
    "AlertError",
    "CommsError",
    "SchedulerError",
    "VaultError",
    "DatabaseError",
    "IoError",
    "SessionError",
    "SessionNotFound"
  )
])

const waits = new Map([
  ["auth.rate_limited", Duration.seconds(60)],
  ["ServiceUnavailable", Duration.seconds(60)],
  ["proxy.service_error", Duration.seconds(60)]
])

const secondsOf: { readonly [unit: string]: number } = { s: 1, m: 60, h: 3600, d: 86_400 }

// The code of a rate limit has a window such as "1h", the error type has seconds.
const windowSeconds = ({ window }: WireFailure["context"]): number | undefined => {
  if (typeof window === "number" && Number.isFinite(window)) return window
  const [, count, unit = ""] = /^(\d{1,9})([smhd])$/.exec(typeof window === "string" ? window : "") ?? []
  return count === undefined ? undefined : Number(count) * (secondsOf[unit] ?? 1)
}

/** What the type says, and no field of the context does. */
const byType = (errorClass: ErrorClass, { context, type }: WireFailure, capability: string | undefined): object => {
  switch (errorClass) {
    case CapabilityUnavailable:
      return type === "CapabilityUnavailable" && typeof context["reason"] === "string" ? {} : { reason: type }
    case InvalidInput:
      return type === "InvalidInput" ? {} : { reason: type }
    case RateLimited:
      return typeof context["window_seconds"] === "number" ? {} : { windowSeconds: windowSeconds(context) }
    default:
      return errorClass._tag === "CapabilityNotFound" && typeof (context["requested"] ?? context["name"]) !== "string"
        ? { requested: capability }
        : {}
  }
}

// The constructor checks the fields; that they are those of the class is what `fromContext` sees to.
const construct = (errorClass: ErrorClass, fields: object): Either.Either<KruxosError, unknown> =>
  Either.try((): unknown => Reflect.construct(errorClass, [fields])).pipe(
    Either.filterOrLeft((error): error is KruxosError => error instanceof errorClass, () => fields)
  )

/**
 * Turns an error from the wire into the tagged error of its type. A type that is not known becomes `CapabilityError`, with
 * the wire type in `type`; so does one that lacks what its class cannot do without.
 */
export const decodeFailure = (failure: WireFailure, capability?: string): KruxosError => {
  const { retryable, ...rest } = failure
  const named = failure.context["capability"]
  const common = {
    ...rest,
    retryAfter: failure.retryAfter ?? (retryable === false ? undefined : waits.get(failure.type)),
    capability: capability ?? (typeof named === "string" ? named : undefined),
    ...(retryable === undefined ? {} : { retryable })
  }
  const errorClass = classes.get(failure.type) ?? CapabilityError
  return Either.getOrElse(
    construct(errorClass, {
      ...common,
      ...fromContext(errorClass, failure.context),
      ...byType(errorClass, failure, common.capability)
    }),
    () =>
      errorClass === ApprovalRequired
        ? new ProtocolError({ ...common, message: "The gateway asks for an approval and gives no id for it" })
        : new CapabilityError(common)
  )
}
