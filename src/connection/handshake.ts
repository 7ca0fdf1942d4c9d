import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { DateTimeUtc } from "../schema/primitives.js"
import { type Feature, knownFeatures, type Session } from "../schema/Session.js"

/** The revision of MCP that this client asks for. */
export const protocolVersion = "2024-11-05"

const text = Schema.optional(Schema.NullOr(Schema.String))

const InitializeResult = Schema.Struct({
  protocolVersion: Schema.String,
  serverInfo: Schema.optional(Schema.Struct({ name: text, version: text })),
  capabilities: Schema.optional(Schema.Struct({
    experimental: Schema.optional(Schema.Struct({
      kruxos: Schema.optional(Schema.Record({ key: Schema.String, value: Schema.Unknown }))
    }))
  }))
})

const SessionInfo = Schema.Struct({
  session_id: text,
  agent: text,
  created_at: Schema.optional(DateTimeUtc),
  resumed: Schema.optional(Schema.Boolean)
})

const CreatedSession = Schema.Struct({
  session_id: Schema.String,
  agent: text,
  created_at: Schema.optional(DateTimeUtc),
  features: Schema.optional(Schema.Record({ key: Schema.String, value: Schema.Unknown }))
})

const featuresOf = (advertised: { readonly [name: string]: unknown } | undefined): ReadonlySet<Feature> =>
  new Set(knownFeatures.filter((feature) => Predicate.isRecord(advertised?.[feature])))

// A gateway that does not name its record has one only.
const outcomeRecordOf = (advertised: { readonly [name: string]: unknown } | undefined): string | undefined => {
  const idempotency = advertised?.["idempotency"]
  if (!Predicate.isRecord(idempotency)) return undefined
  return typeof idempotency["record_id"] === "string" ? idempotency["record_id"] : ""
}

/** What the answer to `initialize`, or to `session.create`, says. */
export interface Established {
  readonly session: Session
  readonly features: ReadonlySet<Feature>
  readonly outcomeRecord: string | undefined
  /** Whether it is the session that was asked for, with all that it had. */
  readonly isResumed: boolean
}

const decodeInitialize = Schema.decodeUnknownEither(InitializeResult)

const decodeSessionInfo = Schema.decodeUnknownEither(SessionInfo)

const decodeCreated = Schema.decodeUnknownEither(CreatedSession)

/** Asks for a session, or to go on with the one of the given id. */
export const initializeParams = (
  client: { readonly name: string; readonly version: string },
  resume: string | undefined
) => ({
  protocolVersion,
  clientInfo: client,
  capabilities: {},
  experimental: { kruxos: { resume: resume ?? null } }
})

/** Reads the result of MCP's `initialize`. */
export const readInitialize = (result: unknown) =>
  Either.map(decodeInitialize(result), ({ capabilities, protocolVersion, serverInfo }): Established => {
    const advertised = capabilities?.experimental?.kruxos
    const info = Either.getOrUndefined(decodeSessionInfo(advertised?.["session"] ?? {}))
    return {
      session: {
        id: info?.session_id ?? undefined,
        agent: info?.agent ?? undefined,
        createdAt: info?.created_at,
        serverName: serverInfo?.name ?? undefined,
        serverVersion: serverInfo?.version ?? undefined,
        protocolVersion
      },
      features: featuresOf(advertised),
      outcomeRecord: outcomeRecordOf(advertised),
      isResumed: info?.resumed === true
    }
  })

/** Reads the result of `session.create`. */
export const readCreatedSession = (result: unknown) =>
  Either.map(decodeCreated(result), ({ agent, created_at, features, session_id }): Established => ({
    session: {
      id: session_id,
      agent: agent ?? undefined,
      createdAt: created_at,
      serverName: undefined,
      serverVersion: undefined,
      protocolVersion: undefined
    },
    features: featuresOf(features),
    outcomeRecord: outcomeRecordOf(features),
    isResumed: false
  }))
