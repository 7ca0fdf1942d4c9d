import * as SqlClient from "@effect/sql/SqlClient"
import type { Connection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import type { Fragment } from "@effect/sql/Statement"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { type Fact, genesis, hashOf, type Head } from "../audit/chain.js"
import { service } from "../inOrder.js"
import * as rows from "./rows.js"

const text = Schema.NullOr(Schema.String)

/** An entry of the audit log. */
export const AuditEntry = Schema.Struct({
  sequence: Schema.Int,
  at: Schema.Int,
  kind: Schema.String,
  agent: text,
  sessionId: text,
  capability: text,
  tier: text,
  rule: text,
  approvalId: text,
  idempotencyKey: text,
  details: Schema.String,
  previousHash: Schema.String,
  hash: Schema.String
})
export interface AuditEntry extends Schema.Schema.Type<typeof AuditEntry> {}

/** The columns of an entry, by the names of its fields. */
export const entryColumns =
  `sequence, at, kind, agent, session_id AS "sessionId", capability, tier, rule, approval_id AS "approvalId",
    idempotency_key AS "idempotencyKey", details, previous_hash AS "previousHash", hash`

/** Which entries to list. */
export interface AuditFilter {
  readonly agent?: string | undefined
  /** A capability; `*` stands for any text. */
  readonly capability?: string | undefined
  /** A transaction, with its steps and savepoints, or a savepoint. */
  readonly transaction?: string | undefined
  /** Milliseconds since 1970. */
  readonly since?: number | undefined
  /** How many at most, the newest; 100 unless given. */
  readonly limit?: number | undefined
}

/** Where the log no longer holds what it once held, the fact of it. */
export type Lost = (head: Head) => Fact

export interface AuditLogService {
  /**
   * Adds entries at the end, all or none, and says where the log ends then. It goes on from what other gateways have added. Where
   * it no longer holds `known`, at which it once ended, the first thing that is added is `lost`. Quickest for one of `batchSizes`.
   */
  readonly append: (
    facts: ReadonlyArray<Fact>,
    known: Option.Option<Head>,
    lost: Lost
  ) => Effect.Effect<Head, SqlError>
  /** The rows behind a sequence number, in order, at most so many, as they are. */
  readonly rowsBehind: (sequence: number, limit: number) => Effect.Effect<ReadonlyArray<unknown>, SqlError>
  /** The rows that name this as the hash of the entry before them. */
  readonly rowsAfterHash: (previousHash: string) => Effect.Effect<ReadonlyArray<unknown>, SqlError>
  /** The sequence numbers of the rows with this hash. */
  readonly withHash: (hash: string) => Effect.Effect<ReadonlyArray<number>, SqlError>
  /** Entries, the newest last. */
  readonly list: (filter: AuditFilter) => Effect.Effect<ReadonlyArray<AuditEntry>, SqlError>
}

/** The log of what agents did and what was decided. */
export class AuditLog extends Context.Tag("kruxos/local/store/AuditLog")<AuditLog, AuditLogService>() {}

const HeadRow = Schema.Struct({ sequence: Schema.Number, hash: Schema.String })

const Sequence = Schema.Struct({ sequence: Schema.Number })

const columnNames =
  "sequence, at, kind, agent, session_id, capability, tier, rule, approval_id, idempotency_key, details, previous_hash, hash"

/** How many entries are added by one statement: that costs little more than one entry, and a few sizes are prepared only once. */
export const batchSizes: ReadonlyArray<number> = [128, 96, 64, 48, 32, 24, 16, 14, 12, 10, 8, 7, 6, 5, 4, 3, 2, 1]

const inserts = new Map(batchSizes.map((count) => [
  count,
  `INSERT INTO audit_log (${columnNames}) VALUES ${
    Array.from({ length: count }, () => "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)").join(", ")
  }`
]))

// Before all entries, also those that nobody's numbering has.
const first = Number.MIN_SAFE_INTEGER

// The second is what is left of it where somebody has taken the triggers away.
const isMisplaced = ({ message }: SqlError) =>
  message.includes("added to at its end") || message.includes("UNIQUE constraint failed: audit_log")

/** A capability of a filter as LIKE takes it, with a backslash to escape with. */
export const asPattern = (capability: string): string =>
  capability.replaceAll(/[\\%_]/g, (character) => `\\${character}`).replaceAll("*", "%")

/** A field of an entry's details. An entry that somebody changed may hold anything. */
export const detailOf = (sql: SqlClient.SqlClient, name: string): Fragment =>
  sql`CASE WHEN json_valid(details) THEN details ->> ${name} END`

/** Whether an entry is about a transaction, or about one of its steps or savepoints. */
export const isOfTransaction = (sql: SqlClient.SqlClient, transaction: string): Fragment =>
  sql.and([
    // A fraction of what looking into all details would take.
    sql`details LIKE ${asPattern(`*${transaction}*`)} ESCAPE '\\'`,
    sql.or([
      sql`${detailOf(sql, "transaction_id")} = ${transaction}`,
      sql`${detailOf(sql, "root_transaction_id")} = ${transaction}`
    ])
  ])

const seal = (facts: ReadonlyArray<Fact>, head: Head): ReadonlyArray<AuditEntry> => {
  let { hash, sequence } = head
  return facts.map((fact) => {
    // Field by field, which takes a tenth of the time of a spread.
    const entry = {
      sequence: ++sequence,
      at: fact.at,
      kind: fact.kind,
      agent: fact.agent,
      sessionId: fact.sessionId,
      capability: fact.capability,
      tier: fact.tier,
      rule: fact.rule,
      approvalId: fact.approvalId,
      idempotencyKey: fact.idempotencyKey,
      details: fact.details,
      previousHash: hash,
      hash: ""
    }
    hash = hashOf(entry)
    entry.hash = hash
    return entry
  })
}

const parametersOf = (entries: ReadonlyArray<AuditEntry>): ReadonlyArray<unknown> => {
  const parameters: Array<unknown> = []
  for (const entry of entries) {
    parameters.push(
      entry.sequence,
      entry.at,
      entry.kind,
      entry.agent,
      entry.sessionId,
      entry.capability,
      entry.tier,
      entry.rule,
      entry.approvalId,
      entry.idempotencyKey,
      entry.details,
      entry.previousHash,
      entry.hash
    )
  }
  return parameters
}

const make = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  // One connection is all that the client has, and it is always there.
  const outside = yield* Effect.orDie(Effect.scoped(sql.reserve))
  const firstHead = rows.first(HeadRow)
  const allSequences = rows.all(Sequence)
  const allEntries = rows.all(AuditEntry)
  const columns = sql.literal(entryColumns)

  const newest = Effect.map(
    firstHead(sql`SELECT sequence, hash FROM audit_log ORDER BY sequence DESC LIMIT 1`),
    Option.getOrElse(() => genesis)
  )

  const holds = (known: Head, head: Head) => {
    if (known.sequence === head.sequence) return Effect.succeed(known.hash === head.hash)
    return Effect.map(
      firstHead(sql`SELECT sequence, hash FROM audit_log WHERE sequence = ${known.sequence}`),
      Option.exists(({ hash }) => hash === known.hash)
    )
  }

  const insertBatch = (connection: Connection, entries: ReadonlyArray<AuditEntry>) =>
    connection.executeRaw(inserts.get(entries.length) ?? "", parametersOf(entries))

  const insert = (connection: Connection, entries: ReadonlyArray<AuditEntry>): Effect.Effect<void, SqlError> => {
    const size = batchSizes.find((count) => count <= entries.length)
    if (size === undefined) return Effect.void
    return Effect.zipRight(
      insertBatch(connection, entries.slice(0, size)),
      Effect.suspend(() => insert(connection, entries.slice(size)))
    )
  }

  const endOf = (entries: ReadonlyArray<AuditEntry>, head: Head): Head => {
    const { hash, sequence } = entries.at(-1) ?? head
    return { sequence, hash }
  }

  const appendAfterReading: AuditLogService["append"] = (facts, known, lost) =>
    Effect.gen(function*() {
      const head = yield* newest
      const isWhole = Option.isNone(known) || (yield* holds(known.value, head))
      const entries = seal(isWhole ? facts : [lost(known.value), ...facts], head)
      yield* insert(yield* sql.reserve, entries)
      return endOf(entries, head)
    }).pipe(Effect.scoped, sql.withTransaction)

  // The database itself looks whether an entry follows the last one, so that nothing need be read where no other gateway wrote.
  const append: AuditLogService["append"] = (facts, known, lost) =>
    Effect.suspend(() => {
      if (Option.isNone(known) || !inserts.has(facts.length)) return appendAfterReading(facts, known, lost)
      const entries = seal(facts, known.value)
      return insertBatch(outside, entries).pipe(
        Effect.as(endOf(entries, known.value)),
        Effect.catchIf(isMisplaced, () => appendAfterReading(facts, known, lost))
      )
    })

  const rowsBehind: AuditLogService["rowsBehind"] = (sequence, limit) =>
    sql`SELECT ${columns} FROM audit_log WHERE sequence > ${sequence} ORDER BY sequence LIMIT ${limit}`

  const rowsAfterHash: AuditLogService["rowsAfterHash"] = (previousHash) =>
    sql`SELECT ${columns} FROM audit_log WHERE previous_hash = ${previousHash} ORDER BY sequence LIMIT 10`

  const withHash: AuditLogService["withHash"] = (hash) =>
    Effect.map(
      allSequences(sql`SELECT sequence FROM audit_log WHERE hash = ${hash} ORDER BY sequence LIMIT 10`),
      (found) => found.map(({ sequence }) => sequence)
    )

  const list: AuditLogService["list"] = ({ agent, capability, limit, since, transaction }) => {
    const found = sql`
      SELECT ${columns} FROM audit_log
      WHERE ${agent === undefined ? sql`1 = 1` : sql`agent = ${agent}`}
        AND ${capability === undefined ? sql`1 = 1` : sql`capability LIKE ${asPattern(capability)} ESCAPE '\\'`}
        AND ${transaction === undefined ? sql`1 = 1` : isOfTransaction(sql, transaction)}
        AND at >= ${since ?? first}
      ORDER BY sequence DESC LIMIT ${limit ?? 100}`
    return Effect.map(allEntries(found), (entries) => entries.toReversed())
  }

  return { append, rowsBehind, rowsAfterHash, withHash, list }
})

/** `AuditLog` in the store. */
export const layer: Layer.Layer<AuditLog, never, SqlClient.SqlClient> = service(AuditLog, make)
