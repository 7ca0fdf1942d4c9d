import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as LibsqlClient from "./LibsqlClient.js"
import * as rows from "./rows.js"

// To go through all versions of the tables takes ten times as long as to make the newest at once, and a test makes a store.
let made: string | undefined

const statementsOf = rows.all(Schema.Struct({ sql: Schema.String }))

const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`

const migrationsOf = rows.all(Schema.Struct({ id: Schema.Number, name: Schema.String }))

/**
 * Remembers how the tables of an empty database are, so that the next database in memory is made like it. `table` is where the
 * migrations are noted; what else migrations put into tables they have to put in again.
 */
export const remember = (table: string): Effect.Effect<void, SqlError, SqlClient.SqlClient> =>
  Effect.gen(function*() {
    if (made !== undefined) return
    const sql = yield* SqlClient.SqlClient
    const statements = yield* statementsOf(
      sql`SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid`
    )
    const migrations = yield* migrationsOf(
      sql`SELECT migration_id AS id, name FROM ${sql(table)} ORDER BY migration_id`
    )
    const values = migrations.map(({ id, name }) => `(${id}, ${quoted(name)})`).join(", ")
    made = [
      ...statements.map((statement) => statement.sql),
      `INSERT INTO ${table} (migration_id, name) VALUES ${values}`
    ].join(";\n")
  })

const isEmpty = Effect.flatMap(
  SqlClient.SqlClient,
  (sql) => Effect.map(rows.count(sql`SELECT COUNT(*) AS count FROM sqlite_master`), (count) => count === 0)
)

/**
 * Makes the tables that are remembered, if there are any, in an empty database, and runs one statement more, which is made only then;
 * tells whether it did. All or nothing.
 */
export const recall = <R>(
  further: Effect.Effect<string, never, R>
): Effect.Effect<boolean, SqlError, R | SqlClient.SqlClient> =>
  Effect.gen(function*() {
    if (made === undefined || !(yield* isEmpty)) return false
    yield* LibsqlClient.quick(yield* SqlClient.SqlClient).script(`${made};\n${yield* further}`)
    return true
  })
