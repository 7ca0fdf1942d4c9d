import { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { sharedSpace, type StateRecord } from "../archive/stateRecords.js"
import { letOthersRun } from "../letOthersRun.js"
import * as LibsqlDatabase from "./LibsqlDatabase.js"
import { messageOf, type StoreUnavailable } from "./StoreUnavailable.js"

/** Whose state is wanted: that of one agent, or that of all with what they share. */
export type Wanted = { readonly agent: string } | "full"

/** How many bytes of values are read at once, but for one value that has more. */
const pageBytes = 2 * 1024 * 1024

const pageRows = 500

const rowsAs = <A, I>(row: Schema.Schema<A, I>) => Schema.decodeUnknownSync(Schema.Array(row))

const agentNames = rowsAs(Schema.Struct({ name: Schema.String }))

const places = rowsAs(Schema.Struct({
  key: Schema.String,
  version: Schema.Int,
  size: Schema.Int
}))

const versions = rowsAs(Schema.Struct({
  key: Schema.String,
  newest: Schema.Int,
  owner: Schema.String,
  createdAt: Schema.Int,
  version: Schema.Int,
  previousVersion: Schema.Int,
  size: Schema.Int,
  writer: Schema.String,
  writtenAt: Schema.Int,
  value: Schema.String
}))

// By rows in the order of their bytes, which is that of the primary key.
const nextPlaces = `
  SELECT entry_key AS "key", version, size FROM state_versions
  WHERE space = ? AND (entry_key, version) > (?, ?) ORDER BY entry_key, version LIMIT ${pageRows}`

const nextVersions = `
  SELECT v.entry_key AS "key", e.version AS "newest", e.owner, e.created_at AS "createdAt", v.version,
    v.previous_version AS "previousVersion", v.size, v.writer, v.written_at AS "writtenAt", v.value
  FROM state_versions v JOIN state_entries e ON e.space = v.space AND e.entry_key = v.entry_key
  WHERE v.space = ? AND (v.entry_key, v.version) > (?, ?) AND (v.entry_key, v.version) <= (?, ?)
  ORDER BY v.entry_key, v.version`

interface Place {
  readonly key: string
  readonly version: number
}

const start: Place = { key: "", version: 0 }

const endOfPage = (found: ReadonlyArray<Place & { readonly size: number }>): Place | undefined => {
  let bytes = 0
  let end: Place | undefined
  for (const place of found) {
    bytes += place.size
    if (end !== undefined && bytes > pageBytes) break
    end = place
  }
  return end
}

const attempt = <A>(f: () => A): Effect.Effect<A, SqlError> =>
  Effect.try({
    try: f,
    catch: (cause) => new SqlError({ cause, message: `The state cannot be read: ${messageOf(cause)}` })
  })

/**
 * Gives everything that is kept of a state, as it was at one moment, in pieces. It reads by a
 * connection of its own, so that nobody who writes meanwhile waits for it.
 */
export const exportState = <E, R>(
  filename: string,
  wanted: Wanted,
  take: (records: ReadonlyArray<StateRecord>) => Effect.Effect<void, E, R>
): Effect.Effect<void, E | SqlError | StoreUnavailable, R> =>
  Effect.scoped(Effect.gen(function*() {
    const database: LibsqlDatabase.LibsqlDatabase = yield* LibsqlDatabase.open({ filename })
    yield* reading(database)
    const agents = wanted === "full"
      ? yield* attempt(() =>
        agentNames(database.all(`SELECT name FROM agents ORDER BY name`, [])).map(({ name }) => name)
      )
      : [wanted.agent]
    yield* take([{ kind: "manifest", agents, shared: wanted === "full" }])
    for (const space of wanted === "full" ? [sharedSpace, ...agents] : agents) {
      yield* exportSpace(database, space, take)
    }
  }))

// What is read in a transaction is as it was at its first statement.
const reading = (database: LibsqlDatabase.LibsqlDatabase): Effect.Effect<void, SqlError, Scope.Scope> =>
  Effect.acquireRelease(
    attempt(() => database.exec("BEGIN")),
    () => Effect.ignoreLogged(attempt(() => database.exec("ROLLBACK")))
  )

const exportSpace = <E, R>(
  database: LibsqlDatabase.LibsqlDatabase,
  space: string,
  take: (records: ReadonlyArray<StateRecord>) => Effect.Effect<void, E, R>
): Effect.Effect<void, E | SqlError, R> =>
  Effect.gen(function*() {
    let from = start
    let key: string | undefined
    while (true) {
      const after = from
      const end = yield* attempt(() => endOfPage(places(database.all(nextPlaces, [space, after.key, after.version]))))
      if (end === undefined) return
      const page = yield* attempt(() =>
        versions(database.all(nextVersions, [space, after.key, after.version, end.key, end.version]))
      )
      const records: Array<StateRecord> = []
      for (const { createdAt, key: of, newest, owner, ...version } of page) {
        if (of !== key) records.push({ kind: "key", space, key: of, version: newest, owner, createdAt })
        key = of
        records.push({ kind: "version", ...version })
      }
      yield* take(records)
      from = end
      yield* letOthersRun
    }
  })
