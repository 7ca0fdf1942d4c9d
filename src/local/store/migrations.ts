import * as Migrator from "@effect/sql/Migrator"
import * as SqlClient from "@effect/sql/SqlClient"
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { randomUUID } from "node:crypto"
import { isDamage, messageOf, StoreUnavailable } from "./StoreUnavailable.js"

/*
 * The SQL is what SQLite and Postgres both take. Times are whole milliseconds since 1970. Once published a migration
 * never changes: add another.
 */
const statements: ReadonlyArray<string> = [
  `CREATE TABLE agents (
    name VARCHAR(64) NOT NULL PRIMARY KEY,
    purpose TEXT NOT NULL,
    policy_group TEXT NOT NULL,
    workspace TEXT,
    status VARCHAR(16) NOT NULL,
    key_prefix VARCHAR(8) NOT NULL,
    key_hash VARCHAR(64) NOT NULL UNIQUE,
    key_generation INTEGER NOT NULL,
    created_at BIGINT NOT NULL
  )`,
  // An agent's name is also the name of its policy file, and some file systems do not tell cases apart.
  `CREATE UNIQUE INDEX agents_by_folded_name ON agents (LOWER(name))`,
  `CREATE INDEX agents_by_key_prefix ON agents (key_prefix)`,
  `CREATE TABLE sessions (
    session_id VARCHAR(128) NOT NULL PRIMARY KEY,
    agent VARCHAR(64) NOT NULL,
    transport VARCHAR(32) NOT NULL,
    client_name TEXT,
    started_at BIGINT NOT NULL,
    ended_at BIGINT,
    orphaned INTEGER NOT NULL,
    owner_process BIGINT NOT NULL,
    invocations INTEGER NOT NULL
  )`,
  `CREATE INDEX sessions_by_agent ON sessions (agent, started_at)`,
  `CREATE INDEX sessions_by_end ON sessions (agent, ended_at)`,
  `CREATE TABLE inbox_messages (
    message_id VARCHAR(64) NOT NULL PRIMARY KEY,
    agent VARCHAR(64) NOT NULL,
    position BIGINT NOT NULL,
    urgency INTEGER NOT NULL,
    sender TEXT NOT NULL,
    channel TEXT,
    message TEXT NOT NULL,
    sent_at BIGINT NOT NULL,
    UNIQUE (agent, position)
  )`,
  `CREATE INDEX inbox_messages_by_urgency ON inbox_messages (agent, urgency, position)`,
  `CREATE TABLE trash_entries (
    trash_path VARCHAR(4096) NOT NULL PRIMARY KEY,
    original_path TEXT NOT NULL,
    agent VARCHAR(64) NOT NULL,
    kind VARCHAR(16) NOT NULL,
    size BIGINT NOT NULL,
    deleted_at BIGINT NOT NULL,
    recoverable_until BIGINT NOT NULL
  )`,
  `CREATE INDEX trash_entries_by_end ON trash_entries (recoverable_until)`,
  `CREATE TABLE approvals (
    approval_id VARCHAR(64) NOT NULL PRIMARY KEY,
    agent VARCHAR(64) NOT NULL,
    capability TEXT NOT NULL,
    arguments TEXT NOT NULL,
    digest TEXT NOT NULL,
    rule TEXT NOT NULL,
    reason TEXT,
    status VARCHAR(16) NOT NULL,
    requested_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
  )`,
  `CREATE INDEX approvals_by_agent ON approvals (agent, requested_at)`
]

const keyedInvocations: ReadonlyArray<string> = [
  // A gateway is known by more than its process, whose id may be used again.
  `ALTER TABLE sessions DROP COLUMN owner_process`,
  `ALTER TABLE sessions ADD COLUMN owner TEXT`,
  `CREATE TABLE keyed_invocations (
    agent VARCHAR(64) NOT NULL,
    idempotency_key VARCHAR(200) NOT NULL,
    capability TEXT NOT NULL,
    digest VARCHAR(64) NOT NULL,
    status VARCHAR(16) NOT NULL,
    result TEXT,
    owner TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    completed_at BIGINT,
    PRIMARY KEY (agent, idempotency_key)
  )`,
  `CREATE INDEX keyed_invocations_by_completion ON keyed_invocations (completed_at)`,
  `CREATE TABLE outcome_record (record_id VARCHAR(64) NOT NULL PRIMARY KEY)`
]

const approvalDecisions: ReadonlyArray<string> = [
  `ALTER TABLE approvals ADD COLUMN idempotency_key VARCHAR(200)`,
  `ALTER TABLE approvals ADD COLUMN decided_at BIGINT`,
  `ALTER TABLE approvals ADD COLUMN decided_by TEXT`,
  `ALTER TABLE approvals ADD COLUMN decision_reason TEXT`,
  // Which gateway carries out what was approved, and from which state of things it began.
  `ALTER TABLE approvals ADD COLUMN owner TEXT`,
  `ALTER TABLE approvals ADD COLUMN began_at BIGINT`,
  `ALTER TABLE approvals ADD COLUMN before TEXT`,
  `ALTER TABLE approvals ADD COLUMN result TEXT`,
  `ALTER TABLE approvals ADD COLUMN collected INTEGER NOT NULL DEFAULT 0`,
  `CREATE INDEX approvals_by_key ON approvals (agent, idempotency_key)`,
  `CREATE INDEX approvals_by_status ON approvals (status, expires_at)`,
  `CREATE INDEX approvals_by_digest ON approvals (agent, digest)`
]

const supervisors: ReadonlyArray<string> = [
  `CREATE TABLE supervisors (
    name VARCHAR(64) NOT NULL PRIMARY KEY,
    token_hash VARCHAR(64) NOT NULL
  )`
]

const auditLog: ReadonlyArray<string> = [
  `CREATE TABLE audit_log (
    sequence INTEGER NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    kind VARCHAR(32) NOT NULL,
    agent VARCHAR(64),
    session_id VARCHAR(128),
    capability TEXT,
    tier VARCHAR(32),
    rule TEXT,
    approval_id VARCHAR(64),
    idempotency_key VARCHAR(200),
    details TEXT NOT NULL,
    previous_hash VARCHAR(64) NOT NULL,
    hash VARCHAR(64) NOT NULL
  )`,
  // In SQLite's words, which Postgres would say otherwise. The last also forbids INSERT OR REPLACE, at which no trigger of a DELETE fires.
  `CREATE TRIGGER audit_log_is_not_changed BEFORE UPDATE ON audit_log
    BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END`,
  `CREATE TRIGGER audit_log_is_not_removed BEFORE DELETE ON audit_log
    BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END`,
  `CREATE TRIGGER audit_log_is_a_chain BEFORE INSERT ON audit_log
    WHEN NEW.sequence IS NOT (SELECT COALESCE(MAX(sequence), 0) + 1 FROM audit_log)
      OR NEW.previous_hash IS NOT COALESCE((SELECT hash FROM audit_log ORDER BY sequence DESC LIMIT 1),
        '0000000000000000000000000000000000000000000000000000000000000000')
    BEGIN SELECT RAISE(ABORT, 'the audit log is only added to at its end'); END`
]

const state: ReadonlyArray<string> = [
  // A space is an agent's, by its name, or `*`, which all agents share. Room is counted in bytes of keys and values, of all versions kept.
  `CREATE TABLE state_spaces (
    space VARCHAR(64) NOT NULL PRIMARY KEY,
    used_bytes BIGINT NOT NULL,
    key_count BIGINT NOT NULL,
    removed_count BIGINT NOT NULL,
    version_floor BIGINT NOT NULL,
    change_count BIGINT NOT NULL
  )`,
  // Keys are compared byte by byte: SQLite does so by itself, Postgres with the collation "C". A removed key stays for its version.
  `CREATE TABLE state_entries (
    space VARCHAR(64) NOT NULL,
    entry_key VARCHAR(512) NOT NULL,
    version BIGINT NOT NULL,
    is_removed INTEGER NOT NULL,
    size BIGINT NOT NULL,
    owner VARCHAR(64) NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    change_number BIGINT NOT NULL,
    source VARCHAR(128) NOT NULL,
    PRIMARY KEY (space, entry_key)
  )`,
  `CREATE INDEX state_entries_by_change ON state_entries (space, change_number)`,
  `CREATE INDEX state_entries_removed ON state_entries (space, change_number) WHERE is_removed = 1`,
  `CREATE TABLE state_versions (
    space VARCHAR(64) NOT NULL,
    entry_key VARCHAR(512) NOT NULL,
    version BIGINT NOT NULL,
    previous_version BIGINT NOT NULL,
    size BIGINT NOT NULL,
    writer VARCHAR(64) NOT NULL,
    written_at BIGINT NOT NULL,
    source VARCHAR(128) NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (space, entry_key, version)
  )`,
  `CREATE INDEX inbox_messages_by_channel ON inbox_messages (agent, channel)`
]

const alerts: ReadonlyArray<string> = [
  `CREATE TABLE alerts (
    alert_id VARCHAR(64) NOT NULL PRIMARY KEY,
    agent VARCHAR(64) NOT NULL,
    position BIGINT NOT NULL,
    severity VARCHAR(16) NOT NULL,
    title TEXT,
    message TEXT NOT NULL,
    context TEXT,
    status VARCHAR(16) NOT NULL,
    created_at BIGINT NOT NULL,
    acknowledged_at BIGINT,
    acknowledged_by TEXT,
    UNIQUE (agent, position)
  )`,
  `CREATE INDEX alerts_by_agent_status ON alerts (agent, status, position)`,
  `CREATE INDEX alerts_by_status ON alerts (status)`
]

const snapshots: ReadonlyArray<string> = [
  `CREATE TABLE snapshots (
    snapshot_id VARCHAR(64) NOT NULL PRIMARY KEY,
    agent VARCHAR(64) NOT NULL,
    position BIGINT NOT NULL,
    taken_at BIGINT NOT NULL,
    size BIGINT NOT NULL,
    content TEXT NOT NULL,
    UNIQUE (agent, position)
  )`
]

const oldestResults: ReadonlyArray<string> = [
  `CREATE INDEX keyed_invocations_by_result ON keyed_invocations (agent, completed_at) WHERE status = 'done'`
]

const nameRecord = Effect.flatMap(
  SqlClient.SqlClient,
  (sql) => sql`INSERT INTO outcome_record (record_id) VALUES (${randomUUID()})`
)

const runAll = (all: ReadonlyArray<string>) =>
  Effect.flatMap(
    SqlClient.SqlClient,
    (sql) => Effect.forEach(all, (statement) => sql.unsafe(statement).unprepared, { discard: true })
  )

const migrations = {
  "0001_first_tables": runAll(statements),
  "0002_keyed_invocations": Effect.zipRight(runAll(keyedInvocations), nameRecord),
  "0003_approval_decisions": runAll(approvalDecisions),
  "0004_supervisors": runAll(supervisors),
  "0005_audit_log": runAll(auditLog),
  "0006_state": runAll(state),
  "0007_alerts": runAll(alerts),
  "0008_snapshots": runAll(snapshots),
  "0009_oldest_results": runAll(oldestResults)
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

/**
 * Brings the tables up to date, all or nothing; `path` is only for the error. Fails with `StoreUnavailable`, also where
 * a later version of this package made the tables.
 */
export const run = (path: string): Effect.Effect<void, StoreUnavailable, SqlClient.SqlClient> =>
  Effect.gen(function*() {
    yield* Migrator.make<never>({})({ loader: Migrator.fromRecord(migrations), table })
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
