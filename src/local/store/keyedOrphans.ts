import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { GatewayInstance } from "./GatewayInstance.js"
import * as rows from "./rows.js"

/** Whose invocation it is. */
export interface InvocationKey {
  readonly agent: string
  readonly idempotencyKey: string
}

/** From which state of things a handler began, for whoever has to find out what it has done. */
export const Journal = Schema.Struct({
  arguments: Schema.Record({ key: Schema.String, value: Schema.Unknown }),
  /** The root of the workspace on the host. */
  workspace: Schema.String,
  /** Names the invocation among all others in what it writes into the store. */
  source: Schema.String,
  before: Schema.Unknown
})
export interface Journal extends Schema.Schema.Type<typeof Journal> {}

/** What a gateway was running that no longer runs: before its handler began, since then, or nobody knows. */
export interface Orphan extends InvocationKey {
  readonly capability: string
  readonly digest: string
  readonly stage: "waiting" | "begun" | "unknown"
}

/** What is left of gateways that no longer run. */
export interface OrphansService {
  /** Takes over what they were running. Steps of transactions are abandoned: those undo them. */
  readonly takeOver: Effect.Effect<ReadonlyArray<Orphan>, SqlError>
  /** The journal of an invocation that was taken over. */
  readonly journal: (key: InvocationKey) => Effect.Effect<Option.Option<Journal>, SqlError>
}

const Owner = Schema.Struct({ owner: Schema.String })

const OrphanRow = Schema.Struct({
  agent: Schema.String,
  idempotencyKey: Schema.String,
  capability: Schema.String,
  digest: Schema.String,
  stage: Schema.Literal("waiting", "begun", "unknown")
})

const JournalRow = Schema.Struct({ journal: Schema.OptionFromNullOr(Schema.parseJson(Journal)) })

/** Makes what takes over what gateways were running that no longer run. */
export const make = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const gateway = yield* GatewayInstance
  const allOwners = rows.all(Owner)
  const allOrphans = rows.all(OrphanRow)
  const firstJournal = rows.first(JournalRow)

  // One statement each, so that of two gateways that start at once only one gets an orphan.
  const takeOver: OrphansService["takeOver"] = Effect.gen(function*() {
    const completedAt = DateTime.toEpochMillis(yield* DateTime.now)
    const owners = yield* allOwners(sql`SELECT DISTINCT owner FROM keyed_invocations WHERE status = 'running'`)
    const gone = owners.flatMap(({ owner }) => gateway.isAlive(owner) ? [] : [owner])
    if (gone.length === 0) return []
    yield* sql`
      UPDATE keyed_invocations SET status = 'unknown', completed_at = ${completedAt}, stage = NULL, journal = NULL
      WHERE status = 'running' AND transaction_id IS NOT NULL AND ${sql.in("owner", gone)}`
    return yield* allOrphans(sql`
      UPDATE keyed_invocations SET owner = ${gateway.id} WHERE status = 'running' AND ${sql.in("owner", gone)}
      RETURNING agent, idempotency_key AS "idempotencyKey", capability, digest, COALESCE(stage, 'unknown') AS stage`)
  })

  const journal: OrphansService["journal"] = ({ agent, idempotencyKey }) =>
    Effect.map(
      firstJournal(sql`
        SELECT journal FROM keyed_invocations
        WHERE agent = ${agent} AND idempotency_key = ${idempotencyKey} AND status = 'running'`),
      Option.flatMap((row) => row.journal)
    )

  const service: OrphansService = { takeOver, journal }
  return service
})
