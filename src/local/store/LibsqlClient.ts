import * as Reactivity from "@effect/experimental/Reactivity"
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Statement from "@effect/sql/Statement"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as LibsqlDatabase from "./LibsqlDatabase.js"
import type { StoreUnavailable } from "./StoreUnavailable.js"
import { type RowsOf, TransactionLevel } from "./TransactionLevel.js"

/** A SqlClient over an open database, which is nobody else's for as long as it lives: see {@link make}. */
export const over = (
  database: LibsqlDatabase.LibsqlDatabase
): Effect.Effect<SqlClient.SqlClient, never, Scope.Scope | Reactivity.Reactivity> =>
  Effect.gen(function*() {
    const outside = new TransactionLevel(database)
    const client = yield* SqlClient.make({
      acquirer: Effect.succeed(outside),
      compiler: Statement.makeCompilerSqlite(),
      spanAttributes: [["db.system.name", "sqlite"]]
    })
    const currentLevel = Effect.map(
      Effect.serviceOption(SqlClient.TransactionConnection),
      (current) => Option.isSome(current) && outside.isRelative(current.value[0]) ? current.value[0] : outside
    )
    const withTransaction = <R, E, A>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | SqlError, R> =>
      Effect.flatMap(currentLevel, (level) => level.transaction(effect)).pipe(
        Effect.withSpan("sql.transaction", { kind: "client", captureStackTrace: false })
      )
    return Object.assign(client, { withTransaction, reserve: currentLevel })
  })

/**
 * A SqlClient with one connection to a libSQL database. Transactions take turns on it; one inside another is a
 * savepoint, and a failing COMMIT is a `SqlError` that is rolled back. A statement blocks the process while it runs, so
 * keep transactions short and do nothing in them but statements.
 *
 * A fiber inside a transaction of one client must not use another client: `@effect/sql` would run it on the first.
 */
export const make = (
  options: LibsqlDatabase.Options
): Effect.Effect<SqlClient.SqlClient, StoreUnavailable, Scope.Scope | Reactivity.Reactivity> =>
  Effect.flatMap(LibsqlDatabase.open(options), over)

const currentLevelOf = (sql: SqlClient.SqlClient): Effect.Effect<TransactionLevel, SqlError> =>
  Effect.flatMap(
    Effect.scoped(sql.reserve),
    (level) =>
      level instanceof TransactionLevel ? Effect.succeed(level) : Effect.dieMessage("a client of another database")
  )

/** What runs statements of such a client without an Effect for each: see {@link TransactionLevel}. */
export const quick = (sql: SqlClient.SqlClient) => ({
  atOnce: <A>(f: (rowsOf: RowsOf) => A): Effect.Effect<A, SqlError> =>
    Effect.flatMap(currentLevelOf(sql), (level) => level.atOnce(f)),
  atomically: <A>(f: (rowsOf: RowsOf) => A, committed?: (result: A) => void): Effect.Effect<A, SqlError> =>
    Effect.flatMap(currentLevelOf(sql), (level) => level.atomically(f, committed)),
  script: (statements: string): Effect.Effect<void, SqlError> =>
    Effect.flatMap(currentLevelOf(sql), (level) => level.script(statements))
})

/**
 * The client as a layer; the end of its scope closes the database. Fails with `StoreUnavailable`.
 */
export const layer = (options: LibsqlDatabase.Options): Layer.Layer<SqlClient.SqlClient, StoreUnavailable> =>
  Layer.scoped(SqlClient.SqlClient, make(options)).pipe(Layer.provide(Reactivity.layer))

/** The same over a database that is open already, and stays open. */
export const layerOver = (database: LibsqlDatabase.LibsqlDatabase): Layer.Layer<SqlClient.SqlClient> =>
  Layer.scoped(SqlClient.SqlClient, over(database)).pipe(Layer.provide(Reactivity.layer))
