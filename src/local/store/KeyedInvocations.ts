import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Buffer } from "node:buffer"
import { Json } from "../../schema/primitives.js"
import { service } from "../inOrder.js"
import { GatewayInstance } from "./GatewayInstance.js"
import type { InvocationKey, Journal } from "./keyedOrphans.js"
import * as Orphans from "./keyedOrphans.js"
import * as LibsqlClient from "./LibsqlClient.js"
import * as rows from "./rows.js"
import type { RowsOf } from "./TransactionLevel.js"

export type { InvocationKey, Journal, Orphan } from "./keyedOrphans.js"

/** How long the record of a finished invocation is kept. */
export const keptHours = 24

export interface Options {
  /** How many bytes of results are kept for an agent; 64 MiB unless given. */
  readonly maximumResultBytes?: number | undefined
}

/**
 * What is known of the invocation of an agent's key. `digest` is of its arguments. It is `running` while the gateway of `owner`
 * runs it, `pending` while it waits for an approval, `done` with its result, or `unknown` where its end was never recorded, or its
 * result is not kept any longer.
 */
export const KeyedInvocation = Schema.Struct({
  capability: Schema.String,
  digest: Schema.String,
  status: Schema.Literal("running", "pending", "done", "unknown"),
  result: Schema.OptionFromNullOr(Schema.parseJson(Json)),
  owner: Schema.String,
  transactionId: Schema.optionalWith(Schema.String, { nullable: true })
})
export interface KeyedInvocation extends Schema.Schema.Type<typeof KeyedInvocation> {}

/** What an invocation does, by the digest of its arguments. */
export interface Invoked {
  readonly capability: string
  readonly digest: string
  /** The transaction that it is a step of: where that is rolled back the invocation is forgotten. */
  readonly transactionId?: string | undefined
}

export interface KeyedInvocationsService extends Orphans.OrphansService {
  /** Names this record among those of other stores. */
  readonly recordId: Effect.Effect<string, SqlError>
  /**
   * Notes that an invocation of this gateway begins, unless its key has a record already: then nothing changes, and it is that.
   */
  readonly begin: (key: InvocationKey, invoked: Invoked) => Effect.Effect<Option.Option<KeyedInvocation>, SqlError>
  /**
   * Notes that the handler of an invocation is about to begin, and what can be found out by later. It is forgotten with the end of the
   * invocation.
   */
  readonly enter: (key: InvocationKey, journal: Journal | undefined) => Effect.Effect<void, SqlError>
  /**
   * Notes the result of an invocation that was begun, or that was pending and is done now. Where that makes the results of an agent
   * more than are kept, the oldest are dropped, and their invocations are `unknown` from then on.
   */
  readonly settle: (
    key: InvocationKey,
    status: "pending" | "done",
    result: unknown
  ) => Effect.Effect<void, SqlError>
  /** Notes that nobody knows what an invocation has done. */
  readonly abandon: (key: InvocationKey) => Effect.Effect<void, SqlError>
  /** Forgets an invocation that did nothing, and may be tried again. */
  readonly forget: (key: InvocationKey) => Effect.Effect<void, SqlError>
  readonly find: (key: InvocationKey) => Effect.Effect<Option.Option<KeyedInvocation>, SqlError>
  /** Forgets what need not be kept any longer. */
  readonly sweep: Effect.Effect<void, SqlError>
}

/** The record of keyed invocations. */
export class KeyedInvocations
  extends Context.Tag("kruxos/local/store/KeyedInvocations")<KeyedInvocations, KeyedInvocationsService>()
{}

const Identity = Schema.Struct({ recordId: Schema.String })

/*
 * What every keyed invocation runs is prepared once, and decoded at once: an Effect for each costs several times what the statement
 * does.
 */
const insertStatement = `
  INSERT INTO keyed_invocations
    (agent, idempotency_key, capability, digest, status, owner, started_at, transaction_id, stage)
  VALUES (?, ?, ?, ?, 'running', ?, ?, ?, 'waiting')
  ON CONFLICT (agent, idempotency_key) DO NOTHING
  RETURNING status`

const findStatement = `
  SELECT capability, digest, status, result, owner, transaction_id AS "transactionId" FROM keyed_invocations
  WHERE agent = ? AND idempotency_key = ? AND (completed_at IS NULL OR completed_at > ?)`

const forgetStatement = `DELETE FROM keyed_invocations WHERE agent = ? AND idempotency_key = ?`

const enterStatement = `
  UPDATE keyed_invocations SET stage = 'begun', journal = ?
  WHERE agent = ? AND idempotency_key = ? AND status = 'running'
  RETURNING status`

const settleStatement = `
  UPDATE keyed_invocations SET status = ?, result = ?, completed_at = ?, stage = NULL, journal = NULL
  WHERE agent = ? AND idempotency_key = ? AND (status = 'running' OR (status = 'pending' AND ? = 'done'))
  RETURNING status`

const sizeStatement = `
  SELECT COALESCE(SUM(OCTET_LENGTH(result)), 0) AS size FROM keyed_invocations WHERE agent = ? AND status = 'done'`

const oldestStatement = `
  SELECT rowid AS id, OCTET_LENGTH(result) AS size FROM keyed_invocations
  WHERE agent = ? AND status = 'done' ORDER BY completed_at LIMIT 64`

const dropStatement = `UPDATE keyed_invocations SET status = 'unknown', result = NULL WHERE rowid = ?`

const decodeInvocations = Schema.decodeUnknownSync(Schema.Array(KeyedInvocation))

const decodeSize = Schema.decodeUnknownSync(Schema.Tuple(Schema.Struct({ size: Schema.Number })))

const decodeOldest = Schema.decodeUnknownSync(Schema.Array(Schema.Struct({ id: Schema.Number, size: Schema.Number })))

const keptMillis = keptHours * 60 * 60 * 1000

const make = (options: Options) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const gateway = yield* GatewayInstance
    const { atOnce, atomically } = LibsqlClient.quick(sql)
    const onlyIdentity = rows.only(Identity)
    const orphans = yield* Orphans.make
    const now = Effect.map(DateTime.now, DateTime.toEpochMillis)
    const oldest = Effect.map(DateTime.now, (at) => DateTime.toEpochMillis(DateTime.subtract(at, { hours: keptHours })))
    const maximumResultBytes = options.maximumResultBytes ?? 64 * 1024 * 1024
    // What other gateways on the same data have recorded since is not in it before the next sweep.
    const resultBytes = new Map<string, number>()
    const isKey = ({ agent, idempotencyKey }: InvocationKey) =>
      sql`agent = ${agent} AND idempotency_key = ${idempotencyKey}`

    const isInserted = (rowsOf: RowsOf, key: InvocationKey, invoked: Invoked, at: number) => {
      const { capability, digest, transactionId } = invoked
      const row = [key.agent, key.idempotencyKey, capability, digest, gateway.id, at, transactionId]
      return rowsOf(insertStatement, row).length > 0
    }

    const found = (rowsOf: RowsOf, { agent, idempotencyKey }: InvocationKey, at: number) =>
      Option.fromNullable(decodeInvocations(rowsOf(findStatement, [agent, idempotencyKey, at - keptMillis]))[0])

    const find: KeyedInvocationsService["find"] = (key) =>
      Effect.flatMap(now, (at) => atOnce((rowsOf) => found(rowsOf, key, at)))

    const begun = (rowsOf: RowsOf, key: InvocationKey, invoked: Invoked, at: number) =>
      isInserted(rowsOf, key, invoked, at)
        ? Option.some(Option.none())
        : Option.map(found(rowsOf, key, at), Option.some)

    // What is too old to be found is as good as forgotten.
    const beginAnew = (key: InvocationKey, invoked: Invoked, at: number) =>
      atomically((rowsOf) =>
        Option.getOrElse(begun(rowsOf, key, invoked, at), () => {
          rowsOf(forgetStatement, [key.agent, key.idempotencyKey])
          isInserted(rowsOf, key, invoked, at)
          return Option.none()
        })
      )

    const begin: KeyedInvocationsService["begin"] = (key, invoked) =>
      Effect.flatMap(now, (at) =>
        Effect.flatMap(
          atOnce((rowsOf) => begun(rowsOf, key, invoked, at)),
          Option.match({ onNone: () => beginAnew(key, invoked, at), onSome: Effect.succeed })
        ))

    // Somewhat more goes than has to, so that few results in a row need this.
    const dropOldest = (agent: string, newest: number) => {
      const enough = Math.max(maximumResultBytes * 31 / 32, Math.min(newest, maximumResultBytes))
      return atomically((rowsOf) => {
        let bytes = resultBytes.get(agent) ?? 0
        while (bytes > enough) {
          const oldest = decodeOldest(rowsOf(oldestStatement, [agent]))
          if (oldest.length === 0) return 0
          for (const { id, size } of oldest) {
            if (bytes <= enough) break
            rowsOf(dropStatement, [id])
            bytes -= size
          }
        }
        return bytes
      }, (bytes) => resultBytes.set(agent, bytes)).pipe(
        Effect.catchAll((cause) => Effect.logWarning(`Old results of agent ${agent} could not be dropped`, cause))
      )
    }

    const enter: KeyedInvocationsService["enter"] = ({ agent, idempotencyKey }, journal) =>
      Effect.flatMap(
        journal === undefined ? Effect.succeed(null) : rows.encodeJson(journal),
        (text) => Effect.asVoid(atOnce((rowsOf) => rowsOf(enterStatement, [text, agent, idempotencyKey])))
      )

    const settle: KeyedInvocationsService["settle"] = ({ agent, idempotencyKey }, status, result) =>
      Effect.gen(function*() {
        const text = yield* rows.encodeJson(result)
        const size = Buffer.byteLength(text)
        const completedAt = yield* now
        const bytes = yield* atOnce((rowsOf) => {
          const before = resultBytes.get(agent) ?? decodeSize(rowsOf(sizeStatement, [agent]))[0].size
          const settled = rowsOf(settleStatement, [status, text, completedAt, agent, idempotencyKey, status])
          const after = settled.length > 0 && status === "done" ? before + size : before
          resultBytes.set(agent, after)
          return after
        })
        if (bytes > maximumResultBytes) yield* dropOldest(agent, size)
      })

    const abandon: KeyedInvocationsService["abandon"] = (key) =>
      Effect.flatMap(now, (completedAt) =>
        Effect.asVoid(sql`
          UPDATE keyed_invocations SET status = 'unknown', completed_at = ${completedAt}, stage = NULL, journal = NULL
          WHERE ${isKey(key)} AND status = 'running'`))

    const forget: KeyedInvocationsService["forget"] = ({ agent, idempotencyKey }) =>
      Effect.asVoid(atOnce((rowsOf) => rowsOf(forgetStatement, [agent, idempotencyKey])))

    const sweep: KeyedInvocationsService["sweep"] = Effect.flatMap(
      oldest,
      (time) => sql`DELETE FROM keyed_invocations WHERE completed_at <= ${time}`
    ).pipe(Effect.map(() => resultBytes.clear()))

    const recordId: KeyedInvocationsService["recordId"] = Effect.map(
      onlyIdentity(sql`SELECT record_id AS "recordId" FROM outcome_record`),
      (row) => row.recordId
    )

    return { recordId, begin, enter, settle, abandon, forget, find, ...orphans, sweep }
  })

/** `KeyedInvocations` in the store. */
export const layer = (
  options: Options = {}
): Layer.Layer<KeyedInvocations, never, SqlClient.SqlClient | GatewayInstance> =>
  service(KeyedInvocations, make(options))
