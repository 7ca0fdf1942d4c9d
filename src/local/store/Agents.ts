import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { service } from "../inOrder.js"
import {
  AgentAlreadyExists,
  AgentNotFound,
  AgentRevoked,
  InvalidAgentName,
  InvalidApiKey,
  InvalidCredentials
} from "./AgentErrors.js"
import * as AgentKey from "./AgentKey.js"
import * as rows from "./rows.js"

const Status = Schema.Literal("active", "paused", "revoked")

/**
 * An agent as the gateway knows it. `keyGeneration` grows by one with every rotation of its key. A paused agent may connect, and
 * invoke nothing.
 */
export const Agent = Schema.Struct({
  name: Schema.String,
  purpose: Schema.String,
  policyGroup: Schema.String,
  workspace: Schema.OptionFromNullOr(Schema.String),
  status: Status,
  keyGeneration: Schema.Int,
  createdAt: rows.Timestamp
})
export interface Agent extends Schema.Schema.Type<typeof Agent> {}

/** Whether an agent may act, and with which key: a session that began with an older generation has to end. */
export interface Standing {
  readonly status: typeof Status.Type | "unknown"
  /** 0 for an unknown agent. */
  readonly keyGeneration: number
}

export interface NewAgent {
  readonly name: string
  readonly purpose?: string | undefined
  /** `"default"` unless given. */
  readonly policyGroup?: string | undefined
  /** A folder of its own; the gateway's workspace unless given. */
  readonly workspace?: string | undefined
  /** 64 hexadecimal characters; a random one unless given. */
  readonly apiKey?: Redacted.Redacted<string> | undefined
}

export interface AgentsService {
  /** Adds an agent. The key is not kept: this is the only time that it can be read. */
  readonly create: (agent: NewAgent) => Effect.Effect<
    { readonly agent: Agent; readonly apiKey: Redacted.Redacted<string> },
    AgentAlreadyExists | InvalidAgentName | InvalidApiKey | SqlError
  >
  /** All agents by name, the revoked ones too. */
  readonly list: Effect.Effect<ReadonlyArray<Agent>, SqlError>
  readonly get: (name: string) => Effect.Effect<Option.Option<Agent>, SqlError>
  /** Replaces an agent's key; the old one is refused from then on. */
  readonly rotate: (
    name: string
  ) => Effect.Effect<Redacted.Redacted<string>, AgentNotFound | AgentRevoked | SqlError>
  /** Takes an agent's access away for good. Does nothing where that was done before. */
  readonly revoke: (name: string) => Effect.Effect<void, AgentNotFound | SqlError>
  /** Lets an agent invoke nothing until it is resumed. Does nothing where that was done before. */
  readonly pause: (name: string) => Effect.Effect<void, AgentNotFound | AgentRevoked | SqlError>
  /** Lets a paused agent go on. Does nothing where it is not paused. */
  readonly resume: (name: string) => Effect.Effect<void, AgentNotFound | AgentRevoked | SqlError>
  /** The agent that a key belongs to. */
  readonly authenticate: (
    key: Redacted.Redacted<string>
  ) => Effect.Effect<Agent, InvalidCredentials | AgentRevoked | SqlError>
  /** Whether an agent may act now; cheap enough to ask at every invocation. */
  readonly standing: (name: string) => Effect.Effect<Standing, SqlError>
}

/** The agents of a gateway and the hashes of their keys. */
export class Agents extends Context.Tag("kruxos/local/store/Agents")<Agents, AgentsService>() {}

const isName = (name: string): boolean => /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)

// Names are the same whatever their case.
const isReserved = (name: string): boolean => name.toLowerCase() === "shared"

const AgentWithHash = Schema.Struct({ ...Agent.fields, keyHash: Schema.String })
const StandingRow = Schema.Struct({ status: Status, keyGeneration: Schema.Int })

const make = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const allAgents = rows.all(Agent)
  const firstAgent = rows.first(Agent)
  const agentsWithHash = rows.all(AgentWithHash)
  const firstStanding = rows.first(StandingRow)
  const columns = sql.literal(
    `name, purpose, policy_group AS "policyGroup", workspace, status, key_generation AS "keyGeneration",
      created_at AS "createdAt"`
  )
  const unusedHash = AgentKey.hashOf(AgentKey.generate()).hash

  const get: AgentsService["get"] = (name) => firstAgent(sql`SELECT ${columns} FROM agents WHERE name = ${name}`)

  const standing: AgentsService["standing"] = (name) =>
    Effect.map(
      firstStanding(sql`SELECT status, key_generation AS "keyGeneration" FROM agents WHERE name = ${name}`),
      Option.getOrElse((): Standing => ({ status: "unknown", keyGeneration: 0 }))
    )

  const whyNotCreated = (name: string) =>
    firstAgent(sql`SELECT ${columns} FROM agents WHERE LOWER(name) = LOWER(${name})`).pipe(
      Effect.flatMap((existing): Effect.Effect<never, AgentAlreadyExists | InvalidApiKey> =>
        Option.isSome(existing)
          ? new AgentAlreadyExists({ name: existing.value.name })
          : new InvalidApiKey({ reason: "in-use" })
      )
    )

  const create: AgentsService["create"] = (options) =>
    Effect.gen(function*() {
      if (!isName(options.name)) return yield* new InvalidAgentName({ name: options.name, reason: "malformed" })
      if (isReserved(options.name)) return yield* new InvalidAgentName({ name: options.name, reason: "reserved" })
      const apiKey = options.apiKey ?? AgentKey.generate()
      if (!AgentKey.isWellFormed(apiKey)) return yield* new InvalidApiKey({ reason: "malformed" })
      const { hash, prefix } = AgentKey.hashOf(apiKey)
      const createdAt = DateTime.toEpochMillis(yield* DateTime.now)
      const created = yield* firstAgent(sql`
        INSERT INTO agents
          (name, purpose, policy_group, workspace, status, key_prefix, key_hash, key_generation, created_at)
        VALUES (${options.name}, ${options.purpose ?? ""}, ${options.policyGroup ?? "default"},
          ${options.workspace ?? null}, 'active', ${prefix}, ${hash}, 1, ${createdAt})
        ON CONFLICT DO NOTHING
        RETURNING ${columns}`)
      return Option.isSome(created)
        ? { agent: created.value, apiKey }
        : yield* whyNotCreated(options.name)
    })

  const notInUse = (name: string) =>
    Effect.flatMap(
      standing(name),
      ({ status }): Effect.Effect<never, AgentNotFound | AgentRevoked> =>
        status === "unknown" ? new AgentNotFound({ name }) : new AgentRevoked({ name })
    )

  const rotate: AgentsService["rotate"] = (name) =>
    Effect.gen(function*() {
      const apiKey = AgentKey.generate()
      const { hash, prefix } = AgentKey.hashOf(apiKey)
      const rotated = yield* firstAgent(sql`
        UPDATE agents SET key_prefix = ${prefix}, key_hash = ${hash}, key_generation = key_generation + 1
        WHERE name = ${name} AND status <> 'revoked'
        RETURNING ${columns}`)
      return Option.isSome(rotated) ? apiKey : yield* notInUse(name)
    })

  const revoke: AgentsService["revoke"] = (name) =>
    Effect.flatMap(
      firstAgent(sql`UPDATE agents SET status = 'revoked' WHERE name = ${name} RETURNING ${columns}`),
      Option.match({ onNone: () => new AgentNotFound({ name }), onSome: () => Effect.void })
    )

  const setStatus = (status: "active" | "paused") => (name: string) =>
    Effect.flatMap(
      firstAgent(
        sql`UPDATE agents SET status = ${status} WHERE name = ${name} AND status <> 'revoked' RETURNING ${columns}`
      ),
      Option.match({ onNone: () => notInUse(name), onSome: () => Effect.void })
    )

  const authenticate: AgentsService["authenticate"] = (key) =>
    Effect.gen(function*() {
      const { hash, prefix } = AgentKey.hashOf(key)
      const candidates = yield* agentsWithHash(
        sql`SELECT ${columns}, key_hash AS "keyHash" FROM agents WHERE key_prefix = ${prefix}`
      )
      let found: typeof AgentWithHash.Type | undefined
      for (const candidate of candidates) {
        if (AgentKey.isSame(candidate.keyHash, hash)) found = candidate
      }
      // An unknown prefix takes a comparison too, so that the time of an answer does not tell the two apart.
      if (candidates.length === 0) AgentKey.isSame(unusedHash, hash)
      if (found === undefined) return yield* new InvalidCredentials()
      const { keyHash: _, ...agent } = found
      return agent.status === "revoked" ? yield* new AgentRevoked({ name: agent.name }) : agent
    })

  const list = allAgents(sql`SELECT ${columns} FROM agents ORDER BY name`)

  return {
    create,
    list,
    get,
    rotate,
    revoke,
    pause: setStatus("paused"),
    resume: setStatus("active"),
    authenticate,
    standing
  }
})

/** `Agents` in the store. */
export const layer: Layer.Layer<Agents, never, SqlClient.SqlClient> = service(Agents, make)
