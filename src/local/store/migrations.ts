import * as Migrator from "@effect/sql/Migrator"
import * as SqlClient from "@effect/sql/SqlClient"
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Identifiers } from "../Identifiers.js"
import { alerts } from "./migrations/alerts.js"
import { approvalDecisions } from "./migrations/approvalDecisions.js"
import { approvalTraces } from "./migrations/approvalTraces.js"
import { auditLog } from "./migrations/auditLog.js"
import { cutOff } from "./migrations/cutOff.js"
import { firstTables } from "./migrations/firstTables.js"
import { keyedInvocations } from "./migrations/keyedInvocations.js"
import { messages } from "./migrations/messages.js"
import { oldestResults } from "./migrations/oldestResults.js"
import { schedules } from "./migrations/schedules.js"
import { secrets } from "./migrations/secrets.js"
import { snapshots } from "./migrations/snapshots.js"
import { state } from "./migrations/state.js"
import { supervisors } from "./migrations/supervisors.js"
import { transactions } from "./migrations/transactions.js"
import { isDamage, messageOf, StoreUnavailable } from "./StoreUnavailable.js"
import * as TablesInMemory from "./tablesInMemory.js"

/*
 * The SQL is what SQLite and Postgres both take. Times are whole milliseconds since 1970. Once published a migration
 * never changes: add another.
 */
const runAll = (all: ReadonlyArray<string>) =>
  Effect.flatMap(
    SqlClient.SqlClient,
    (sql) => Effect.forEach(all, (statement) => sql.unsafe(statement).unprepared, { discard: true })
  )

const namingRecord = Effect.map(
  Identifiers,
  ({ uuid }) => `INSERT INTO outcome_record (record_id) VALUES ('${uuid()}')`
)

const nameRecord = Effect.flatMap(namingRecord, (statement) => runAll([statement]))

const migrations = {
  "0001_first_tables": runAll(firstTables),
  "0002_keyed_invocations": Effect.zipRight(runAll(keyedInvocations), nameRecord),
  "0003_approval_decisions": runAll(approvalDecisions),
  "0004_supervisors": runAll(supervisors),
  "0005_audit_log": runAll(auditLog),
  "0006_state": runAll(state),
  "0007_alerts": runAll(alerts),
  "0008_snapshots": runAll(snapshots),
  "0009_oldest_results": runAll(oldestResults),
  "0010_transactions": runAll(transactions),
  "0011_approval_traces": runAll(approvalTraces),
  "0012_cut_off": runAll(cutOff),
  "0013_secrets": runAll(secrets),
  "0014_schedules": runAll(schedules),
  "0015_messages": runAll(messages)
}

const table = "kruxos_migrations"

const latest = Array.reduce(
  Object.keys(migrations),
  0,
  (highest, key) => Math.max(highest, Number.parseInt(key, 10))
)

const versionOf = Effect.flatMap(
  SqlClient.SqlClient,
  (sql) => sql`SELECT COALESCE(MAX(migration_id), 0) AS version FROM ${sql(table)}`
).pipe(
  Effect.flatMap(Schema.decodeUnknown(Schema.Tuple(Schema.Struct({ version: Schema.Number })))),
  Effect.map(([row]) => row.version)
)

const failed = (path: string) => (cause: unknown) =>
  isDamage(cause)
    ? new StoreUnavailable({
      reason: "not-a-database",
      path,
      message: `${path} is not a database, or it is damaged`,
      cause
    })
    : new StoreUnavailable({
      reason: "migration-failed",
      path,
      message: `The tables of ${path} could not be brought up to date: ${messageOf(cause)}`,
      cause
    })

const bringUpToDate = Migrator.make<never>({})({ loader: Migrator.fromRecord(migrations), table })

const makeInMemory = Effect.gen(function*() {
  if (yield* TablesInMemory.recall(namingRecord)) return
  const wasEmpty = (yield* bringUpToDate).length === Object.keys(migrations).length
  if (wasEmpty) yield* TablesInMemory.remember(table)
})

/**
 * Brings the tables up to date, all or nothing; `path` is only for the error. Fails with `StoreUnavailable`, also where
 * a later version of this package made the tables.
 */
export const run = (path: string): Effect.Effect<void, StoreUnavailable, SqlClient.SqlClient> =>
  Effect.gen(function*() {
    yield* path === ":memory:" ? makeInMemory : bringUpToDate
    return yield* versionOf
  }).pipe(
    // The migrator dies of a migration that fails.
    Effect.catchAllDefect((defect) => Effect.fail(defect)),
    Effect.mapError(failed(path)),
    Effect.flatMap((version) => {
      if (version === latest) return Effect.void
      return version > latest
        ? new StoreUnavailable({
          reason: "newer-version",
          path,
          message:
            `${path} was made by a later version of kruxos (tables ${version}, this one knows ${latest}); update kruxos`
        })
        : failed(path)(new Error(`the tables are still at version ${version} of ${latest}`))
    })
  )
