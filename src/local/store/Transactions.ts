import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Json } from "../../schema/primitives.js"
import { RollbackConflict } from "../../schema/Rollback.js"
import { service } from "../inOrder.js"
import { GatewayInstance } from "./GatewayInstance.js"
import { keptHours } from "./KeyedInvocations.js"
import * as rows from "./rows.js"

/**
 * A transaction. It is `open` until it is `committed` or `rolled_back`; `ending` where a rollback has begun. The `result` says why it was
 * rolled back, and what came of that.
 */
export const TransactionRecord = Schema.Struct({
  transactionId: Schema.String,
  agent: Schema.String,
  sessionId: Schema.String,
  parent: Schema.OptionFromNullOr(Schema.String),
  workspace: Schema.String,
  owner: Schema.String,
  status: Schema.Literal("open", "ending", "committed", "rolled_back"),
  result: Schema.OptionFromNullOr(Schema.parseJson(Json)),
  beganAt: Schema.Number
})
export interface TransactionRecord extends Schema.Schema.Type<typeof TransactionRecord> {}

/** What a step had changed, and somebody else has changed since: see RollbackConflict. */
const Conflicts = Schema.Array(RollbackConflict)

/**
 * A step, in the journal. It is `running` from before its handler begins; then it is `done`, or `failed` where nothing has to be undone.
 * A rollback makes it `undone`, or a `conflict` where somebody else has changed what `conflicts` names.
 */
export const StepRecord = Schema.Struct({
  stepNumber: Schema.Number,
  transactionId: Schema.String,
  capability: Schema.String,
  arguments: Schema.parseJson(Schema.Record({ key: Schema.String, value: Schema.Unknown })),
  kind: Schema.Literal("undoable", "compensated"),
  status: Schema.Literal("running", "done", "failed", "undone", "conflict"),
  source: Schema.String,
  before: Schema.OptionFromNullOr(Schema.parseJson(Json)),
  after: Schema.OptionFromNullOr(Schema.parseJson(Json)),
  conflicts: Schema.OptionFromNullOr(Schema.parseJson(Conflicts))
})
export interface StepRecord extends Schema.Schema.Type<typeof StepRecord> {}

/** A step that is about to begin. */
export interface NewStep {
  readonly transactionId: string
  readonly capability: string
  readonly arguments: { readonly [name: string]: unknown }
  readonly kind: StepRecord["kind"]
  readonly source: string
  readonly before: unknown
}

/** How a step has ended. */
export type StepEnd =
  | { readonly status: "done"; readonly after: unknown }
  | { readonly status: "failed" | "undone" }
  | { readonly status: "conflict"; readonly conflicts: ReadonlyArray<RollbackConflict> }

export interface TransactionsService {
  readonly begin: (
    transaction: Pick<TransactionRecord, "transactionId" | "agent" | "sessionId" | "workspace"> & {
      readonly parent: string | undefined
    }
  ) => Effect.Effect<void, SqlError>
  readonly find: (agent: string, transactionId: string) => Effect.Effect<Option.Option<TransactionRecord>, SqlError>
  /** Runs what writes into the store, and has it on the disk when it ends: not only the gateway may be cut off, but the machine. */
  readonly durably: <A, E, R>(write: Effect.Effect<A, E, R>) => Effect.Effect<A, E | SqlError, R>
  /** Puts a step into the journal, on the disk, and gives its number: numbers grow over all transactions. */
  readonly beginStep: (step: NewStep) => Effect.Effect<number, SqlError>
  readonly endStep: (stepNumber: number, end: StepEnd) => Effect.Effect<void, SqlError>
  /** The steps of these transactions, the last first. */
  readonly steps: (transactions: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<StepRecord>, SqlError>
  /** Marks a transaction committed. Its steps stay in the journal until they are forgotten. */
  readonly commit: (transactionId: string) => Effect.Effect<void, SqlError>
  /**
   * Marks a savepoint committed, in one with what `alongside` does; its steps and its keys are those of the transaction around it from
   * then on.
   */
  readonly merge: <E>(
    transactionId: string,
    parent: string,
    alongside: Effect.Effect<void, E>
  ) => Effect.Effect<void, E | SqlError>
  /** Notes that a rollback has begun. */
  readonly end: (transactions: ReadonlyArray<string>) => Effect.Effect<void, SqlError>
  /**
   * Marks transactions rolled back, each with its result, and forgets their steps and their keys: they may be used again.
   */
  readonly rollback: (
    ended: ReadonlyArray<{ readonly transactionId: string; readonly result: unknown }>
  ) => Effect.Effect<void, SqlError>
  /** Forgets the steps of what is committed. */
  readonly forgetSteps: (transactionId: string) => Effect.Effect<void, SqlError>
  /** Takes over what gateways had open that no longer run, and what this one has taken over before; but not what it has open itself. */
  readonly takeOver: (openHere: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<TransactionRecord>, SqlError>
  /** What was committed by gateways that no longer run, and has steps in the journal. */
  readonly committedWithSteps: Effect.Effect<ReadonlyArray<TransactionRecord>, SqlError>
  /** Whether a step in the journal has kept something of exactly that name. */
  readonly isKept: (name: string) => Effect.Effect<boolean, SqlError>
  /** Forgets what ended long ago. */
  readonly sweep: Effect.Effect<void, SqlError>
}

/** The transactions, and the journal of what they have done. */
export class Transactions extends Context.Tag("kruxos/local/store/Transactions")<Transactions, TransactionsService>() {}

const encodeConflicts = Schema.encodeSync(Conflicts)

const Owner = Schema.Struct({ owner: Schema.String })
const StepNumber = Schema.Struct({ stepNumber: Schema.Number })

const keptMillis = keptHours * 60 * 60 * 1000

const make = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const gateway = yield* GatewayInstance
  const allTransactions = rows.all(TransactionRecord)
  const firstTransaction = rows.first(TransactionRecord)
  const allSteps = rows.all(StepRecord)
  const allOwners = rows.all(Owner)
  const onlyNumber = rows.only(StepNumber)
  const columns = sql.literal(
    `transaction_id AS "transactionId", agent, session_id AS "sessionId", parent_id AS parent, workspace, owner, status,
      result, began_at AS "beganAt"`
  )
  const journalTurn = yield* Effect.makeSemaphore(1)

  // Only what takes turns here ever changes it.
  const durably: TransactionsService["durably"] = (write) =>
    Effect.acquireUseRelease(
      sql`PRAGMA synchronous = FULL`.unprepared,
      () => write,
      () => Effect.ignore(sql`PRAGMA synchronous = NORMAL`.unprepared)
    ).pipe(journalTurn.withPermits(1))

  const begin: TransactionsService["begin"] = ({ agent, parent, sessionId, transactionId, workspace }) =>
    Effect.flatMap(Clock.currentTimeMillis, (at) =>
      Effect.asVoid(sql`
        INSERT INTO transactions (transaction_id, agent, session_id, parent_id, workspace, owner, status, began_at)
        VALUES (${transactionId}, ${agent}, ${sessionId}, ${
        parent ?? null
      }, ${workspace}, ${gateway.id}, 'open', ${at})`))

  const find: TransactionsService["find"] = (agent, transactionId) =>
    Effect.flatMap(Clock.currentTimeMillis, (at) =>
      firstTransaction(sql`
        SELECT ${columns} FROM transactions WHERE transaction_id = ${transactionId} AND agent = ${agent}
          AND (ended_at IS NULL OR ended_at > ${at - keptMillis})`))

  const beginStep: TransactionsService["beginStep"] = (step) =>
    Effect.gen(function*() {
      const given = yield* rows.encodeJson(step.arguments)
      const before = step.before === undefined ? null : yield* rows.encodeJson(step.before)
      const { stepNumber } = yield* durably(onlyNumber(sql`
        INSERT INTO transaction_steps (step_number, transaction_id, capability, arguments, kind, status, source, before)
        SELECT COALESCE(MAX(step_number), 0) + 1, ${step.transactionId}, ${step.capability}, ${given}, ${step.kind},
          'running', ${step.source}, ${before} FROM transaction_steps WHERE TRUE
        RETURNING step_number AS "stepNumber"`))
      return stepNumber
    })

  const endStep: TransactionsService["endStep"] = (stepNumber, end) =>
    Effect.gen(function*() {
      const at = sql`step_number = ${stepNumber}`
      switch (end.status) {
        case "done": {
          const after = end.after === undefined ? null : yield* rows.encodeJson(end.after)
          yield* sql`UPDATE transaction_steps SET status = 'done', after = ${after} WHERE ${at}`
          return
        }
        case "conflict":
          yield* sql`
            UPDATE transaction_steps SET status = 'conflict', conflicts = ${yield* rows.encodeJson(
            encodeConflicts(end.conflicts)
          )} WHERE ${at}`
          return
        default:
          yield* sql`UPDATE transaction_steps SET status = ${end.status} WHERE ${at}`
      }
    })

  const steps: TransactionsService["steps"] = (transactions) =>
    transactions.length === 0 ? Effect.succeed([]) : allSteps(sql`
      SELECT step_number AS "stepNumber", transaction_id AS "transactionId", capability, arguments, kind, status, source,
        before, after, conflicts
      FROM transaction_steps WHERE ${sql.in("transaction_id", transactions)} ORDER BY step_number DESC`)

  const commit: TransactionsService["commit"] = (transactionId) =>
    Effect.flatMap(Clock.currentTimeMillis, (at) =>
      Effect.asVoid(
        sql`UPDATE transactions SET status = 'committed', ended_at = ${at} WHERE transaction_id = ${transactionId}`
      ))

  const merge: TransactionsService["merge"] = (transactionId, parent, alongside) =>
    sql.withTransaction(Effect.gen(function*() {
      yield* commit(transactionId)
      for (const table of ["transaction_steps", "keyed_invocations"]) {
        yield* sql`UPDATE ${sql(table)} SET transaction_id = ${parent} WHERE transaction_id = ${transactionId}`
      }
      yield* alongside
    }))

  const end: TransactionsService["end"] = (transactions) =>
    Effect.asVoid(sql`UPDATE transactions SET status = 'ending' WHERE ${sql.in("transaction_id", transactions)}`)

  const forgetSteps: TransactionsService["forgetSteps"] = (transactionId) =>
    Effect.asVoid(sql`DELETE FROM transaction_steps WHERE transaction_id = ${transactionId}`)

  const rollback: TransactionsService["rollback"] = (ended) =>
    sql.withTransaction(Effect.gen(function*() {
      const at = yield* Clock.currentTimeMillis
      for (const { result, transactionId } of ended) {
        const text = yield* rows.encodeJson(result)
        yield* sql`
          UPDATE transactions SET status = 'rolled_back', result = ${text}, ended_at = ${at}
          WHERE transaction_id = ${transactionId}`
        yield* forgetSteps(transactionId)
        yield* sql`DELETE FROM keyed_invocations WHERE transaction_id = ${transactionId}`
      }
    }))

  const goneOwners = (statuses: ReadonlyArray<string>) =>
    Effect.map(
      allOwners(sql`SELECT DISTINCT owner FROM transactions WHERE ${sql.in("status", statuses)}`),
      (owners) => owners.flatMap(({ owner }) => gateway.isAlive(owner) ? [] : [owner])
    )

  const takeOver: TransactionsService["takeOver"] = (openHere) =>
    Effect.gen(function*() {
      const gone = yield* goneOwners(["open", "ending"])
      const found = yield* allTransactions(sql`
        UPDATE transactions SET status = 'ending', owner = ${gateway.id}
        WHERE (status IN ('open', 'ending') AND ${sql.in("owner", gone)})
          OR (status = 'ending' AND owner = ${gateway.id}) RETURNING ${columns}`)
      return found.filter(({ transactionId }) => !openHere.includes(transactionId))
    })

  const committedWithSteps: TransactionsService["committedWithSteps"] = Effect.gen(function*() {
    const gone = yield* goneOwners(["committed"])
    if (gone.length === 0) return []
    return yield* allTransactions(sql`
      SELECT ${columns} FROM transactions WHERE status = 'committed' AND ${sql.in("owner", gone)}
        AND transaction_id IN (SELECT transaction_id FROM transaction_steps)`)
  })

  const isKept: TransactionsService["isKept"] = (name) =>
    Effect.flatMap(rows.encodeJson(name), (text) =>
      Effect.map(
        rows.count(sql`SELECT COUNT(*) AS count FROM transaction_steps WHERE INSTR(before, ${text}) > 0`),
        (count) => count > 0
      ))

  const sweep: TransactionsService["sweep"] = Effect.flatMap(Clock.currentTimeMillis, (at) =>
    Effect.asVoid(sql`
      DELETE FROM transactions WHERE ended_at <= ${at - keptMillis}
        AND transaction_id NOT IN (SELECT transaction_id FROM transaction_steps)`))

  return {
    begin,
    find,
    durably,
    beginStep,
    endStep,
    steps,
    commit,
    merge,
    end,
    rollback,
    forgetSteps,
    takeOver,
    committedWithSteps,
    isKept,
    sweep
  }
})

/** `Transactions` in the store. */
export const layer: Layer.Layer<Transactions, never, SqlClient.SqlClient | GatewayInstance> = service(
  Transactions,
  make
)
