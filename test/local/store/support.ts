import * as Reactivity from "@effect/experimental/Reactivity"
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as FileSystem from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { make } from "../../../src/local/store/LibsqlClient.js"
import type * as LibsqlDatabase from "../../../src/local/store/LibsqlDatabase.js"
import * as Store from "../../../src/local/store/Store.js"

/** A folder that goes with the scope. */
export const temporaryFolder: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.promise(() => FileSystem.mkdtemp(join(tmpdir(), "kruxos-store-"))),
  (folder) => Effect.promise(() => FileSystem.rm(folder, { recursive: true, force: true }))
)

/** The path of a database that is not there yet, in a folder that goes with the scope. */
export const temporaryDatabase = Effect.map(temporaryFolder, (folder) => join(folder, "gateway.db"))

/** A client without the store's tables. */
export const client = (options: LibsqlDatabase.Options) => Effect.provide(make(options), Reactivity.layer)

/** A client in memory with one table `numbers (value)`. */
export const numbers = Effect.gen(function*() {
  const sql = yield* client({ filename: ":memory:" })
  yield* sql`CREATE TABLE numbers (value BIGINT NOT NULL PRIMARY KEY)`
  return sql
})

/** The numbers in the table of that name. */
export const valuesOf = (sql: SqlClient.SqlClient) =>
  Effect.map(sql<{ value: number }>`SELECT value FROM numbers ORDER BY value`, (rows) => rows.map((row) => row.value))

/** Runs an effect with the store in a file, closed afterwards. */
export const withStore = (filename: string) => <A, E>(effect: Effect.Effect<A, E, Store.Store>) =>
  Effect.scoped(Effect.provide(effect, Store.layer({ filename })))
