import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { join } from "node:path"
import * as Store from "../../../src/local/store/Store.js"
import { folders } from "../../support/gateway.js"

const tables = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const all = yield* sql<{ readonly type: string; readonly name: string; readonly sql: string | null }>`
    SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name`
  const counts = yield* Effect.forEach(
    all.filter(({ type }) => type === "table"),
    ({ name }) => Effect.map(sql`SELECT COUNT(*) AS count FROM ${sql(name)}`, ([row]) => [name, row])
  )
  const migrations = yield* sql`SELECT migration_id, name FROM kruxos_migrations ORDER BY migration_id`
  return { all, counts, migrations }
})

const recordId = Effect.flatMap(SqlClient.SqlClient, (sql) => sql`SELECT record_id FROM outcome_record`)

const inStore = <A, E>(filename: string, use: Effect.Effect<A, E, SqlClient.SqlClient>) =>
  Effect.scoped(Effect.provide(use, Layer.orDie(Store.layer({ filename }))))

describe("the tables of a store in memory", () => {
  it.scopedLive("are those that the migrations make, from the first to the last gateway of a process", () =>
    Effect.gen(function*() {
      const { dataDirectory } = yield* folders
      const migrated = yield* inStore(join(dataDirectory, "gateway.db"), tables)
      assert.isAbove(migrated.all.length, 30)
      for (const gateway of ["first", "second", "third"]) {
        assert.deepStrictEqual(yield* inStore(":memory:", tables), migrated, gateway)
      }
    }))

  it.scopedLive("name a record of their own", () =>
    Effect.gen(function*() {
      const ids = yield* Effect.replicateEffect(inStore(":memory:", recordId), 3)
      assert.strictEqual(new Set(ids.map((rows) => JSON.stringify(rows))).size, 3)
    }))
})
