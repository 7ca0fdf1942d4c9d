import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { spawn } from "node:child_process"
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Agents } from "../../../src/local/store/Agents.js"
import { KeyedInvocations } from "../../../src/local/store/KeyedInvocations.js"
import { Sessions } from "../../../src/local/store/Sessions.js"
import * as Store from "../../../src/local/store/Store.js"
import type { StoreUnavailable } from "../../../src/local/store/StoreUnavailable.js"
import { client, temporaryDatabase, temporaryFolder, withStore } from "./support.js"

const openAndFail = (filename: string): Effect.Effect<StoreUnavailable> =>
  Effect.flip(Effect.scoped(Layer.build(Store.layer({ filename })))).pipe(
    Effect.tap((error) => assert.strictEqual(error._tag, "StoreUnavailable")),
    Effect.orDieWith(() => new Error("the store opened"))
  )

describe("the store", () => {
  it.scoped("keeps what it has over reopening, and its migrations run once", () =>
    Effect.gen(function*() {
      const filename = yield* temporaryDatabase
      yield* withStore(filename)(Effect.flatMap(Agents, (agents) => agents.create({ name: "one" })))
      for (let i = 0; i < 3; i++) {
        yield* withStore(filename)(Effect.gen(function*() {
          const agents = yield* Agents
          assert.isTrue(Option.isSome(yield* agents.get("one")))
          const sql = yield* SqlClient.SqlClient
          assert.deepStrictEqual(yield* sql`SELECT migration_id, name FROM kruxos_migrations`, [
            { migration_id: 1, name: "first_tables" },
            { migration_id: 2, name: "keyed_invocations" },
            { migration_id: 3, name: "approval_decisions" },
            { migration_id: 4, name: "supervisors" },
            { migration_id: 5, name: "audit_log" },
            { migration_id: 6, name: "state" },
            { migration_id: 7, name: "alerts" },
            { migration_id: 8, name: "snapshots" },
            { migration_id: 9, name: "oldest_results" },
            { migration_id: 10, name: "transactions" },
            { migration_id: 11, name: "approval_traces" },
            { migration_id: 12, name: "cut_off" },
            { migration_id: 13, name: "secrets" },
            { migration_id: 14, name: "schedules" },
            { migration_id: 15, name: "messages" }
          ])
        }))
      }
    }))

  it.scoped("that the first version made is brought up to date, with all that it has", () =>
    Effect.gen(function*() {
      const filename = yield* temporaryDatabase
      yield* withStore(filename)(Effect.gen(function*() {
        const sessions = yield* Sessions
        yield* sessions.start({ sessionId: "old", agent: "one", transport: "http" })
        const sql = yield* SqlClient.SqlClient
        yield* sql`DROP TABLE keyed_invocations`
        yield* sql`DROP TABLE outcome_record`
        yield* sql`DROP TABLE supervisors`
        yield* sql`DROP TABLE audit_log`
        yield* sql`DROP TABLE alerts`
        yield* sql`DROP TABLE vaults`
        yield* sql`DROP TABLE secrets`
        yield* sql`DROP TABLE snapshots`
        yield* sql`DROP TABLE schedules`
        yield* sql`DROP TABLE channel_subscriptions`
        yield* sql`DROP TABLE held_messages`
        yield* sql`DROP INDEX inbox_messages_by_sender`
        yield* sql`DROP TABLE transactions`
        yield* sql`DROP TABLE transaction_steps`
        for (const table of ["spaces", "entries", "versions"]) yield* sql`DROP TABLE ${sql(`state_${table}`)}`
        yield* sql`DROP INDEX inbox_messages_by_channel`
        yield* sql`ALTER TABLE sessions DROP COLUMN owner`
        yield* sql`ALTER TABLE sessions ADD COLUMN owner_process BIGINT NOT NULL DEFAULT 1`
        yield* sql`DROP INDEX approvals_by_key`
        yield* sql`DROP INDEX approvals_by_status`
        yield* sql`DROP INDEX approvals_by_digest`
        yield* sql`DROP INDEX approvals_by_transaction`
        yield* sql`ALTER TABLE approvals DROP COLUMN transaction_id`
        yield* sql`ALTER TABLE approvals DROP COLUMN traceparent`
        for (const column of ["idempotency_key", "decided_at", "decided_by", "decision_reason", "owner", "began_at"]) {
          yield* sql`ALTER TABLE approvals DROP COLUMN ${sql(column)}`
        }
        for (const column of ["before", "result", "collected"]) {
          yield* sql`ALTER TABLE approvals DROP COLUMN ${sql(column)}`
        }
        yield* sql`DELETE FROM kruxos_migrations WHERE migration_id > 1`
      }))
      yield* withStore(filename)(Effect.gen(function*() {
        const sessions = yield* Sessions
        assert.strictEqual(yield* sessions.closeOrphans, 1)
        assert.deepStrictEqual((yield* sessions.list()).map(({ sessionId }) => sessionId), ["old"])
        assert.isNotEmpty(yield* Effect.flatMap(KeyedInvocations, (records) => records.recordId))
      }))
    }))

  it.scoped("is readable by its owner alone", () =>
    Effect.gen(function*() {
      const filename = yield* temporaryDatabase
      yield* withStore(filename)(Effect.sync(() => {
        for (const file of [filename, `${filename}-wal`]) assert.strictEqual(statSync(file).mode & 0o077, 0)
      }))
      chmodSync(filename, 0o640)
      yield* withStore(filename)(Effect.sync(() => assert.strictEqual(statSync(filename).mode & 0o777, 0o640)))
    }))

  it.scoped("in memory is another one each time", () =>
    Effect.gen(function*() {
      const create = Effect.flatMap(Agents, (agents) => agents.create({ name: "one" }))
      yield* withStore(":memory:")(create)
      yield* withStore(":memory:")(create)
    }))

  it.scoped("has an index for each of its frequent questions", () =>
    withStore(":memory:")(Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const questions = [
        "SELECT * FROM agents WHERE name = 'a'",
        "SELECT * FROM agents WHERE key_prefix = 'a'",
        "SELECT * FROM inbox_messages WHERE agent = 'a' ORDER BY urgency, position",
        "SELECT * FROM trash_entries WHERE recoverable_until <= 1 ORDER BY recoverable_until"
      ]
      for (const question of questions) {
        const plan = yield* sql.unsafe<{ detail: string }>(`EXPLAIN QUERY PLAN ${question}`)
        assert.lengthOf(plan, 1)
        assert.match(plan[0]?.detail ?? "", /SEARCH .* USING INDEX/)
      }
    })))

  it.scopedLive("is made by several processes at once", () =>
    Effect.gen(function*() {
      const filename = yield* temporaryDatabase
      const root = join(import.meta.dirname, "../../..")
      const program = `
        import * as Effect from "effect/Effect"
        import { Agents } from "./src/local/store/Agents.ts"
        import * as Store from "./src/local/store/Store.ts"
        const [filename, name] = process.argv.slice(2)
        await Effect.runPromise(Effect.gen(function*() {
          const agents = yield* Agents
          for (let i = 0; i < 20; i++) yield* agents.create({ name: name + i })
        }).pipe(Effect.provide(Store.layer({ filename }))))`
      const writer = (name: string) =>
        Effect.acquireRelease(
          Effect.sync(() =>
            spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-", filename, name], {
              cwd: root,
              stdio: ["pipe", "ignore", "inherit"]
            })
          ),
          (child) => Effect.sync(() => child.kill("SIGKILL"))
        ).pipe(
          Effect.flatMap((child) =>
            Effect.async<number | null>((resume) => {
              child.once("exit", (code) => resume(Effect.succeed(code)))
              child.stdin.end(program)
            })
          )
        )
      const codes = yield* Effect.all([writer("a"), writer("b"), writer("c")], { concurrency: "unbounded" }).pipe(
        Effect.timeout("30 seconds")
      )
      assert.deepStrictEqual(codes, [0, 0, 0])
      const all = yield* withStore(filename)(Effect.flatMap(Agents, (agents) => agents.list))
      assert.lengthOf(all, 60)
    }), 40_000)
})

describe("a store that cannot be used", () => {
  it.scoped("is a file of something else", () =>
    Effect.gen(function*() {
      const filename = yield* temporaryDatabase
      const content = "this is not a database at all. ".repeat(200)
      writeFileSync(filename, content)
      const error = yield* openAndFail(filename)
      assert.strictEqual(error.reason, "not-a-database")
      assert.strictEqual(error.path, filename)
      assert.include(error.message, filename)
      assert.isDefined(error.cause)
      assert.strictEqual(readFileSync(filename, "utf8"), content)
    }))

  it.scoped("is a damaged file", () =>
    Effect.gen(function*() {
      const filename = yield* temporaryDatabase
      yield* withStore(filename)(Effect.void)
      const bytes = readFileSync(filename)
      writeFileSync(filename, Buffer.concat([bytes.subarray(0, 100), Buffer.alloc(bytes.length - 100, 0xa5)]))
      assert.strictEqual((yield* openAndFail(filename)).reason, "not-a-database")
    }))

  it.scoped("is a path that cannot be made or opened", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryFolder
      assert.strictEqual((yield* openAndFail(join(folder, "missing", "gateway.db"))).reason, "cannot-open")
      mkdirSync(join(folder, "folder.db"))
      assert.strictEqual((yield* openAndFail(join(folder, "folder.db"))).reason, "cannot-open")
      writeFileSync(join(folder, "file"), "")
      assert.strictEqual((yield* openAndFail(join(folder, "file", "gateway.db"))).reason, "cannot-open")
      assert.strictEqual((yield* openAndFail("")).reason, "cannot-open")
    }))

  it.scoped("was made by a later version", () =>
    Effect.gen(function*() {
      const filename = yield* temporaryDatabase
      yield* withStore(filename)(
        Effect.flatMap(SqlClient.SqlClient, (sql) =>
          sql`INSERT INTO kruxos_migrations (migration_id, name) VALUES (1000, 'from_the_future')`)
      )
      const error = yield* openAndFail(filename)
      assert.strictEqual(error.reason, "newer-version")
      assert.match(error.message, /1000/)
    }))

  it.scoped("has a table of that name from elsewhere, and is left as it was", () =>
    Effect.gen(function*() {
      const filename = yield* temporaryDatabase
      const tables = Effect.scoped(Effect.flatMap(client({ filename }), (sql) =>
        sql<{ name: string }>`SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'kruxos_migrations'`))
      yield* Effect.scoped(Effect.flatMap(client({ filename }), (sql) =>
        sql`CREATE TABLE sessions (id BIGINT)`))
      const error = yield* openAndFail(filename)
      assert.strictEqual(error.reason, "migration-failed")
      assert.deepStrictEqual(yield* tables, [{ name: "sessions" }])
    }))
})
