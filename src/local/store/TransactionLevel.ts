import * as SqlClient from "@effect/sql/SqlClient"
import type * as SqlConnection from "@effect/sql/SqlConnection"
import { SqlError } from "@effect/sql/SqlError"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { LibsqlDatabase } from "./LibsqlDatabase.js"
import { messageOf } from "./StoreUnavailable.js"

const attempt = <A>(action: string, f: () => A): Effect.Effect<A, SqlError> =>
  Effect.try({ try: f, catch: (cause) => new SqlError({ cause, message: `${action}: ${messageOf(cause)}` }) })

/** Runs a statement and gives its rows. */
export type RowsOf = (sql: string, parameters: ReadonlyArray<unknown>) => ReadonlyArray<unknown>

const failure = (message: string) => new SqlError({ message, cause: new Error(message) })

/**
 * The one connection, seen from one depth of transactions: depth 0 is outside of all. Statements and transactions of a
 * level take turns, so that what runs beside a transaction never becomes part of it, at any depth. A level that has
 * ended refuses the statements of fibers that outlived it.
 */
export class TransactionLevel implements SqlConnection.Connection {
  readonly #database: LibsqlDatabase
  readonly #enclosing: TransactionLevel | undefined
  readonly #turn = Effect.unsafeMakeSemaphore(1)
  readonly #depth: number
  /** What is to be told when all is committed. */
  readonly #toTell: Array<() => void> = []
  #ended = false

  constructor(database: LibsqlDatabase, enclosing?: TransactionLevel) {
    this.#database = database
    this.#enclosing = enclosing
    this.#depth = enclosing === undefined ? 0 : enclosing.#depth + 1
  }

  execute(sql: string, parameters: ReadonlyArray<unknown>) {
    return this.#takingTurn("Statement failed", () => this.#database.all(sql, parameters))
  }

  executeRaw(sql: string, parameters: ReadonlyArray<unknown>) {
    return this.#takingTurn("Statement failed", () => this.#database.raw(sql, parameters))
  }

  executeValues(sql: string, parameters: ReadonlyArray<unknown>) {
    return this.#takingTurn("Statement failed", () => this.#database.values(sql, parameters))
  }

  executeUnprepared(sql: string, parameters: ReadonlyArray<unknown>) {
    return this.#takingTurn("Statement failed", () => this.#database.once(sql, parameters))
  }

  executeStream(sql: string, parameters: ReadonlyArray<unknown>) {
    return Stream.fromIterableEffect(this.execute(sql, parameters))
  }

  /** Whether a connection is a level of the same database. */
  isRelative(connection: SqlConnection.Connection): connection is TransactionLevel {
    return connection instanceof TransactionLevel && connection.#database === this.#database
  }

  /** Runs an effect in a transaction of its own, or in a savepoint where this level is itself in a transaction. */
  transaction<A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | SqlError, R> {
    return this.#turn.withPermits(1)(Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(this.#begin(), (inner) => {
        const transacted = Effect.mapInputContext(
          effect,
          (context: Context.Context<R>) => Context.add(context, SqlClient.TransactionConnection, [inner, inner.#depth])
        )
        return Effect.exit(restore(transacted)).pipe(
          Effect.flatMap((exit) => inner.#end(exit)),
          Effect.tap(() => Effect.sync(() => inner.#tell()))
        )
      })
    ))
  }

  /** Runs statements at once: nothing else of this process comes in between. What `f` throws is a `SqlError`. */
  atOnce<A>(f: (rowsOf: RowsOf) => A): Effect.Effect<A, SqlError> {
    return this.#takingTurn("Statement failed", () => f((sql, parameters) => this.#database.all(sql, parameters)))
  }

  /**
   * Runs statements at once and as one transaction, in a fraction of the time of {@link TransactionLevel.transaction}. What `f`
   * throws undoes them, and is a `SqlError`. `committed` is told when the outermost transaction around is committed, before anything
   * else can be; never, where one around is rolled back.
   */
  atomically<A>(f: (rowsOf: RowsOf) => A, committed?: (result: A) => void): Effect.Effect<A, SqlError> {
    return this.#takingTurn("Transaction failed", () => {
      const result = this.#inOneStep(f)
      if (committed !== undefined) {
        if (this.#depth === 0) committed(result)
        else this.#toTell.push(() => committed(result))
      }
      return result
    })
  }

  /** Runs statements without parameters, separated by semicolons, at once and as one transaction. */
  script(statements: string): Effect.Effect<void, SqlError> {
    return this.#takingTurn("Transaction failed", () => this.#inOneStep(() => this.#database.exec(statements)))
  }

  #inOneStep<A>(f: (rowsOf: RowsOf) => A): A {
    const database = this.#database
    const isOutermost = this.#depth === 0
    const name = `level_${this.#depth + 1}`
    // What a rollback that failed has left behind.
    if (isOutermost && database.inTransaction()) database.exec("ROLLBACK")
    database.exec(isOutermost ? "BEGIN IMMEDIATE" : `SAVEPOINT ${name}`)
    try {
      const result = f((sql, parameters) => database.all(sql, parameters))
      database.exec(isOutermost ? "COMMIT" : `RELEASE SAVEPOINT ${name}`)
      return result
    } catch (error) {
      try {
        if (database.inTransaction()) {
          database.exec(isOutermost ? "ROLLBACK" : `ROLLBACK TO SAVEPOINT ${name}; RELEASE SAVEPOINT ${name}`)
        }
      } catch {
        // The first failure says more, and what is left is undone before the next transaction.
      }
      throw error
    }
  }

  #takingTurn<A>(action: string, f: () => A): Effect.Effect<A, SqlError> {
    return this.#turn.withPermits(1)(
      Effect.suspend(() => {
        const refused = this.#refusal()
        return refused === undefined ? attempt(action, f) : Effect.fail(refused)
      })
    )
  }

  // While nobody else has a turn on any level around.
  #tell(): void {
    const enclosing = this.#enclosing
    for (const tell of this.#toTell) {
      if (enclosing === undefined || enclosing.#depth === 0) tell()
      else enclosing.#toTell.push(tell)
    }
  }

  #hasEnded(): boolean {
    return this.#ended || (this.#enclosing !== undefined && this.#enclosing.#hasEnded())
  }

  #refusal(): SqlError | undefined {
    if (this.#hasEnded()) return failure("The transaction has ended")
    // Some errors (a full disk) end the whole transaction; what follows must not be committed statement by statement.
    return this.#depth > 0 && !this.#isInTransaction() ? failure("The transaction was rolled back") : undefined
  }

  #isInTransaction(): boolean {
    try {
      return this.#database.inTransaction()
    } catch {
      return false
    }
  }

  #begin(): Effect.Effect<TransactionLevel, SqlError> {
    return Effect.suspend(() => {
      const refused = this.#refusal()
      if (refused !== undefined) return Effect.fail(refused)
      const inner = new TransactionLevel(this.#database, this)
      return Effect.as(
        attempt("Cannot begin a transaction", () => {
          if (this.#depth > 0) {
            this.#database.exec(`SAVEPOINT level_${inner.#depth}`)
            return
          }
          // What a rollback that failed has left behind.
          if (this.#database.inTransaction()) this.#database.exec("ROLLBACK")
          // A transaction that reads first and writes later fails at once when another process wrote in between.
          this.#database.exec("BEGIN IMMEDIATE")
        }),
        inner
      )
    })
  }

  #end<A, E>(exit: Exit.Exit<A, E>): Effect.Effect<A, E | SqlError> {
    const settled: Effect.Effect<A, E | SqlError> = Exit.isSuccess(exit)
      ? Effect.flatMap(
        this.#turn.withPermitsIfAvailable(1)(this.#commit()),
        Option.match({
          onNone: () => Effect.fail(failure("Cannot commit while a transaction inside this one is open")),
          onSome: () => Effect.succeed(exit.value)
        })
      )
      : Effect.failCause(exit.cause)
    return settled.pipe(
      Effect.catchAllCause((cause: Cause.Cause<E | SqlError>) =>
        Effect.matchCauseEffect(this.#rollback(), {
          onFailure: (rollback): Effect.Effect<never, E | SqlError> =>
            Effect.failCause(Cause.sequential(cause, rollback)),
          onSuccess: () => Effect.failCause(cause)
        })
      ),
      Effect.ensuring(Effect.sync(() => {
        this.#ended = true
      }))
    )
  }

  #commit(): Effect.Effect<void, SqlError> {
    return Effect.suspend(() => {
      const refused = this.#refusal()
      return refused !== undefined
        ? Effect.fail(refused)
        : attempt(
          "Cannot commit",
          () => this.#database.exec(this.#depth > 1 ? `RELEASE SAVEPOINT level_${this.#depth}` : "COMMIT")
        )
    })
  }

  #rollback(): Effect.Effect<void, SqlError> {
    return attempt("Cannot roll back", () => {
      if (this.#refusal() !== undefined) return
      if (this.#depth === 1) {
        this.#database.exec("ROLLBACK")
      } else {
        this.#database.exec(`ROLLBACK TO SAVEPOINT level_${this.#depth}`)
        this.#database.exec(`RELEASE SAVEPOINT level_${this.#depth}`)
      }
    })
  }
}
