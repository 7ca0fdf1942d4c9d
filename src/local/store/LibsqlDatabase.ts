import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type Libsql from "libsql"
import * as FileSystem from "node:fs/promises"
import * as Path from "node:path"
import { isBusy, isDamage, messageOf, StoreUnavailable } from "./StoreUnavailable.js"

/** One open database. Its functions are synchronous; they throw what the driver throws, or that it is closed. */
export interface LibsqlDatabase {
  /** The rows of a statement. A blob comes as an ArrayBuffer; integers beyond 2^53 lose precision. */
  readonly all: (sql: string, parameters: ReadonlyArray<unknown>) => ReadonlyArray<unknown>
  /** The rows of a statement as arrays of columns. */
  readonly values: (sql: string, parameters: ReadonlyArray<unknown>) => ReadonlyArray<ReadonlyArray<unknown>>
  /** The rows of a statement that has some, else what the driver says of its effect (`changes`). */
  readonly raw: (sql: string, parameters: ReadonlyArray<unknown>) => unknown
  /** As `all`, without keeping the prepared statement. */
  readonly once: (sql: string, parameters: ReadonlyArray<unknown>) => ReadonlyArray<unknown>
  /** Runs statements without parameters, and drops their rows. */
  readonly exec: (sql: string) => void
  readonly inTransaction: () => boolean
}

export interface Options {
  /** A path, or `":memory:"`. A missing file is made, readable by its owner alone; a missing folder is not. */
  readonly filename: string
  /** How long a statement waits for another connection's lock, which blocks the process; 5 seconds unless given. */
  readonly busyTimeout?: Duration.DurationInput | undefined
}

const statementsKept = 128

type Parameter = null | number | bigint | string | Uint8Array

/**
 * The driver ends the process on a boolean, binds every number as a float, makes NaN a NULL and cuts text at its first
 * NUL character when it reads it back.
 */
const toParameter = (value: unknown): Parameter => {
  if (value === null || value === undefined) return null
  if (typeof value === "boolean") return value ? 1n : 0n
  if (typeof value === "number") {
    if (Number.isNaN(value)) throw new TypeError("NaN cannot be stored")
    return Number.isSafeInteger(value) ? BigInt(value) : value
  }
  if (typeof value === "string") {
    if (value.includes("\0")) throw new TypeError("text with a NUL character cannot be stored")
    return value
  }
  if (typeof value === "bigint" || value instanceof Uint8Array) return value
  throw new TypeError(`a value of type ${typeof value} cannot be a parameter`)
}

/**
 * A statement that meets another connection's lock stays half-run in the driver until it is garbage-collected: its
 * connection can commit nothing more, and reads what the database was at that moment for ever. So the connection is
 * replaced before its next use.
 */
const wrap = (
  connect: () => Libsql.Database,
  replaceable: boolean
): LibsqlDatabase & { readonly close: () => void } => {
  const statements = new Map<string, Libsql.Statement>()
  let connection = connect()
  let stuck = false
  let closed = false

  const current = (): Libsql.Database => {
    if (closed) throw new Error("the database is closed")
    if (stuck && !connection.inTransaction) {
      const replacement = connect()
      statements.clear()
      connection.close()
      connection = replacement
      stuck = false
    }
    return connection
  }

  const prepared = (sql: string): Libsql.Statement => {
    const kept = statements.get(sql)
    const statement = kept ?? connection.prepare(sql)
    statements.delete(sql)
    statements.set(sql, statement)
    if (statements.size > statementsKept) {
      for (const oldest of statements.keys()) {
        statements.delete(oldest)
        break
      }
    }
    return statement
  }

  const run = <A>(
    parameters: ReadonlyArray<unknown>,
    prepare: () => Libsql.Statement,
    f: (statement: Libsql.Statement, parameters: ReadonlyArray<Parameter>) => A
  ): A => {
    const bound = parameters.map(toParameter)
    current()
    try {
      return f(prepare(), bound)
    } catch (error) {
      if (replaceable && isBusy(error)) stuck = true
      throw error
    }
  }

  return {
    all: (sql, parameters) => run(parameters, () => prepared(sql), (statement, bound) => statement.all(bound)),
    values: (sql, parameters) =>
      run(parameters, () => prepared(sql), (statement, bound) => {
        statement.raw(true)
        try {
          return statement.all(bound).map((row) => Array.isArray(row) ? row : [row])
        } finally {
          statement.raw(false)
        }
      }),
    raw: (sql, parameters) =>
      run(
        parameters,
        () => prepared(sql),
        (statement, bound) => statement.reader ? statement.all(bound) : statement.run(bound)
      ),
    once: (sql, parameters) =>
      run(parameters, () => connection.prepare(sql), (statement, bound) => statement.all(bound)),
    exec: (sql) => void current().exec(sql),
    inTransaction: () => current().inTransaction,
    close: () => {
      if (closed) return
      closed = true
      statements.clear()
      try {
        if (connection.inTransaction) connection.exec("ROLLBACK")
        // The driver holds the file until its statements are garbage-collected, so the log is emptied here.
        connection.exec("PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(TRUNCATE)")
      } catch {
        // The log stays beside the file, and whoever opens it next reads it.
      }
      connection.close()
    }
  }
}

const load = (path: string) =>
  Effect.tryPromise({
    try: () => import("libsql").then((module) => module.default),
    catch: (cause) =>
      new StoreUnavailable({
        reason: "not-installed",
        path,
        message:
          "The local gateway's store needs the optional dependency `libsql`, which is missing or has no build for "
          + "this platform; install it with `npm install libsql`",
        cause
      })
  })

const alreadyExists = (cause: unknown): boolean =>
  typeof cause === "object" && cause !== null && "code" in cause && cause.code === "EEXIST"

/** Exclusive, because opening and closing a file elsewhere in the process would drop the driver's locks on it. */
const createPrivately = (path: string) =>
  Effect.tryPromise({
    try: () => FileSystem.open(path, "ax", 0o600).then((file) => file.close()),
    catch: (cause) => cause
  }).pipe(Effect.catchIf(alreadyExists, () => Effect.void))

const unavailable = (path: string) => (cause: unknown) =>
  new StoreUnavailable({
    reason: isDamage(cause) ? "not-a-database" : "cannot-open",
    path,
    message: isDamage(cause)
      ? `${path} is not a database, or it is damaged: ${messageOf(cause)}`
      : `Cannot open the store ${path}: ${messageOf(cause)}`,
    cause
  })

/**
 * Opens a database for as long as the scope lives, with a write-ahead log, foreign keys enforced and synchronous writes
 * as a write-ahead log needs them. Fails with `StoreUnavailable`.
 */
export const open = (options: Options): Effect.Effect<LibsqlDatabase, StoreUnavailable, Scope.Scope> =>
  Effect.gen(function*() {
    // An absolute path, because the driver takes some names for the address of a server.
    const path = options.filename === ":memory:" ? options.filename : Path.resolve(options.filename)
    const busyTimeout = Math.round(Duration.toMillis(options.busyTimeout ?? "5 seconds"))
    const Database = yield* load(path)
    if (path !== ":memory:") yield* Effect.mapError(createPrivately(path), unavailable(path))
    const connect = () => {
      const connection = new Database(path)
      try {
        connection.exec(`PRAGMA busy_timeout = ${busyTimeout}`)
        connection.exec("PRAGMA journal_mode = WAL")
        connection.exec("PRAGMA synchronous = NORMAL")
        connection.exec("PRAGMA foreign_keys = ON")
        return connection
      } catch (error) {
        connection.close()
        throw error
      }
    }
    return yield* Effect.acquireRelease(
      Effect.try({ try: () => wrap(connect, path !== ":memory:"), catch: (cause) => cause }).pipe(
        // The change to a write-ahead log fails at once, whatever the timeout, while another process makes it too.
        Effect.retry({
          while: isBusy,
          schedule: Schedule.spaced("20 millis").pipe(Schedule.upTo(Duration.millis(busyTimeout)))
        }),
        Effect.mapError(unavailable(path))
      ),
      (database) => Effect.sync(database.close)
    )
  })
