import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Buffer } from "node:buffer"
import { JsonValue } from "../../schema/JsonValue.js"
import { service } from "../inOrder.js"
import * as rows from "./rows.js"

/** What is known of a snapshot without what is in it; `size` is that of its JSON, in bytes. */
export const Snapshot = Schema.Struct({
  snapshotId: Schema.String,
  takenAt: rows.Timestamp,
  size: Schema.Int
})
export interface Snapshot extends Schema.Schema.Type<typeof Snapshot> {}

/** How things stood. */
export const SnapshotContent = Schema.Struct({
  agents: JsonValue,
  resources: JsonValue,
  approvals: JsonValue,
  alerts: JsonValue,
  health: JsonValue,
  state: JsonValue
})
export interface SnapshotContent extends Schema.Schema.Type<typeof SnapshotContent> {}

export interface Options {
  /** How many snapshots of an agent are kept; 50 unless given. The oldest make room for new ones. */
  readonly maximumSnapshots?: number | undefined
  /** How many bytes an agent's snapshots may have together, but for the newest; 64 MiB unless given. */
  readonly maximumBytes?: number | undefined
}

export interface SnapshotsService {
  /** Keeps a snapshot for an agent. An id that is in use is a `SqlError`. */
  readonly add: (snapshot: {
    readonly agent: string
    readonly snapshotId: string
    readonly takenAt: number
    readonly content: SnapshotContent
  }) => Effect.Effect<Snapshot, SqlError>
  /** The snapshots of an agent, the newest first. */
  readonly list: (agent: string) => Effect.Effect<ReadonlyArray<Snapshot>, SqlError>
  /** What is in a snapshot of an agent. */
  readonly load: (agent: string, snapshotId: string) => Effect.Effect<Option.Option<SnapshotContent>, SqlError>
}

/** How things stood at some moments, as agents had it recorded. */
export class Snapshots extends Context.Tag("kruxos/local/store/Snapshots")<Snapshots, SnapshotsService>() {}

const Place = Schema.Struct({ position: Schema.Int, size: Schema.Int })

const Content = Schema.Struct({ content: Schema.parseJson(SnapshotContent) })

const make = ({ maximumBytes = 64 * 1024 * 1024, maximumSnapshots = 50 }: Options) =>
  Effect.map(SqlClient.SqlClient, (sql): SnapshotsService => {
    const allSnapshots = rows.all(Snapshot)
    const onlySnapshot = rows.only(Snapshot)
    const allPlaces = rows.all(Place)
    const firstContent = rows.first(Content)
    const columns = sql.literal(`snapshot_id AS "snapshotId", taken_at AS "takenAt", size`)

    const makeRoom = (agent: string) =>
      Effect.gen(function*() {
        const places = yield* allPlaces(
          sql`SELECT position, size FROM snapshots WHERE agent = ${agent} ORDER BY position DESC`
        )
        let bytes = 0
        const tooMany = places.find(({ size }, index) => {
          bytes += size
          return index > 0 && (index >= maximumSnapshots || bytes > maximumBytes)
        })
        if (tooMany === undefined) return
        yield* sql`DELETE FROM snapshots WHERE agent = ${agent} AND position <= ${tooMany.position}`
      })

    const add: SnapshotsService["add"] = ({ agent, content, snapshotId, takenAt }) =>
      Effect.gen(function*() {
        const text = yield* rows.encodeJson(content)
        const last = yield* rows.count(
          sql`SELECT COALESCE(MAX(position), 0) AS count FROM snapshots WHERE agent = ${agent}`
        )
        const added = yield* onlySnapshot(sql`
          INSERT INTO snapshots (snapshot_id, agent, position, taken_at, size, content)
          VALUES (${snapshotId}, ${agent}, ${last + 1}, ${takenAt}, ${Buffer.byteLength(text)}, ${text})
          RETURNING ${columns}`)
        yield* makeRoom(agent)
        return added
      }).pipe(sql.withTransaction)

    return {
      add,
      list: (agent) =>
        allSnapshots(sql`SELECT ${columns} FROM snapshots WHERE agent = ${agent} ORDER BY position DESC`),
      load: (agent, snapshotId) =>
        Effect.map(
          firstContent(
            sql`SELECT content FROM snapshots WHERE agent = ${agent} AND snapshot_id = ${snapshotId}`
          ),
          Option.map(({ content }) => content)
        )
    }
  })

/** `Snapshots` in the store. */
export const layer = (options: Options = {}): Layer.Layer<Snapshots, never, SqlClient.SqlClient> =>
  service(Snapshots, make(options))
