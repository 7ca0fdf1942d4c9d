import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { service } from "../inOrder.js"
import * as rows from "./rows.js"

/** What is known of a deleted file or folder; `size` in bytes. */
export const TrashEntry = Schema.Struct({
  trashPath: Schema.String,
  originalPath: Schema.String,
  agent: Schema.String,
  kind: Schema.Literal("file", "directory"),
  size: Schema.Number,
  deletedAt: rows.Timestamp,
  recoverableUntil: rows.Timestamp
})
export interface TrashEntry extends Schema.Schema.Type<typeof TrashEntry> {}

export interface TrashService {
  /** Records what was deleted. A `trashPath` that is in use is a `SqlError`. */
  readonly add: (entry: Omit<TrashEntry, "deletedAt">) => Effect.Effect<TrashEntry, SqlError>
  readonly find: (trashPath: string) => Effect.Effect<Option.Option<TrashEntry>, SqlError>
  /** Forgets an entry, and says whether it was there: of two callers one gets true. */
  readonly remove: (trashPath: string) => Effect.Effect<boolean, SqlError>
  /** What need not be kept any longer at a time, the oldest first. */
  readonly expired: (now: DateTime.Utc) => Effect.Effect<ReadonlyArray<TrashEntry>, SqlError>
}

/** The records of deleted files; the files themselves are elsewhere. */
export class Trash extends Context.Tag("kruxos/local/store/Trash")<Trash, TrashService>() {}

const make = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const allEntries = rows.all(TrashEntry)
  const firstEntry = rows.first(TrashEntry)
  const onlyEntry = rows.only(TrashEntry)
  const columns = sql.literal(
    `trash_path AS "trashPath", original_path AS "originalPath", agent, kind, size, deleted_at AS "deletedAt",
      recoverable_until AS "recoverableUntil"`
  )

  const add: TrashService["add"] = (entry) =>
    Effect.flatMap(DateTime.now, (deletedAt) =>
      onlyEntry(sql`
        INSERT INTO trash_entries (trash_path, original_path, agent, kind, size, deleted_at, recoverable_until)
        VALUES (${entry.trashPath}, ${entry.originalPath}, ${entry.agent}, ${entry.kind}, ${entry.size},
          ${DateTime.toEpochMillis(deletedAt)}, ${DateTime.toEpochMillis(entry.recoverableUntil)})
        RETURNING ${columns}`))

  const find: TrashService["find"] = (trashPath) =>
    firstEntry(sql`SELECT ${columns} FROM trash_entries WHERE trash_path = ${trashPath}`)

  const remove: TrashService["remove"] = (trashPath) =>
    Effect.map(
      firstEntry(sql`DELETE FROM trash_entries WHERE trash_path = ${trashPath} RETURNING ${columns}`),
      Option.isSome
    )

  const expired: TrashService["expired"] = (now) =>
    allEntries(sql`
      SELECT ${columns} FROM trash_entries WHERE recoverable_until <= ${DateTime.toEpochMillis(now)}
      ORDER BY recoverable_until, trash_path`)

  return { add, find, remove, expired }
})

/** `Trash` in the store. */
export const layer: Layer.Layer<Trash, never, SqlClient.SqlClient> = service(Trash, make)
