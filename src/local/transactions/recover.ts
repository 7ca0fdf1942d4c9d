import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Audit } from "../audit/Audit.js"
import { Workspaces } from "../sessions/Workspaces.js"
import { Agents } from "../store/Agents.js"
import { type TransactionRecord, Transactions as Records } from "../store/Transactions.js"
import type { Workspace } from "../workspace/Workspace.js"
import * as Failures from "./failures.js"
import * as Result from "./result.js"
import { reportOf, type UndoSteps } from "./undoSteps.js"

interface Found {
  readonly record: TransactionRecord
  readonly workspace: Workspace
}

/** Makes what undoes what gateways had begun that no longer run. It can be run again where it was cut off. */
export const make = (undoSteps: UndoSteps, mayGoOn: () => boolean, openHere: () => ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const records = yield* Records
    const agents = yield* Agents
    const workspaces = yield* Workspaces
    const audit = yield* Audit
    const warned = new Set<string>()

    const warnOnce = ({ agent, transactionId }: TransactionRecord, cause: unknown) =>
      Effect.suspend(() => {
        if (warned.has(transactionId)) return Effect.void
        warned.add(transactionId)
        return Effect.logWarning(`The transaction ${transactionId} of ${agent} cannot be rolled back`, cause)
      })

    // In another workspace there is nothing of it, and what has the same name there is nobody's business.
    const found = (record: TransactionRecord) =>
      agents.get(record.agent).pipe(
        Effect.flatten,
        Effect.flatMap(workspaces.of),
        Effect.filterOrFail(
          ({ root }) => root === record.workspace,
          () => ({ message: `its workspace is ${record.workspace}` })
        ),
        Effect.map((workspace): Found => ({ record, workspace })),
        Effect.asSome,
        Effect.catchAll((cause) => Effect.as(warnOnce(record, cause), Option.none<Found>()))
      )

    const foundOf = (all: ReadonlyArray<TransactionRecord>) =>
      Effect.map(Effect.forEach(all, found), (each) => each.flatMap(Option.toArray))

    const contextsOf = (all: ReadonlyArray<Found>) => {
      const byId = new Map(all.map((each) => [each.record.transactionId, each]))
      return ({ source, transactionId }: { readonly source: string; readonly transactionId: string }) => {
        const each = byId.get(transactionId)
        return each === undefined ? [] : [{ agent: each.record.agent, workspace: each.workspace, source }]
      }
    }

    const below = (all: ReadonlyArray<Found>, transactionId: string): ReadonlyArray<string> => [
      transactionId,
      ...all.flatMap(({ record }) =>
        Option.contains(record.parent, transactionId) ? below(all, record.transactionId) : []
      )
    ]

    const rootOf = (all: ReadonlyArray<Found>, { parent, transactionId }: TransactionRecord): string => {
      const around = all.find(({ record }) => Option.contains(parent, record.transactionId))
      return around === undefined ? Option.getOrElse(parent, () => transactionId) : rootOf(all, around.record)
    }

    const ended = (all: ReadonlyArray<Found>, { record }: Found, steps: number, report: ReturnType<typeof reportOf>) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        audit.transaction.ended({
          transactionId: record.transactionId,
          agent: record.agent,
          sessionId: record.sessionId,
          savepointOf: Option.getOrUndefined(
            Option.map(record.parent, (parent) => ({ parent, root: rootOf(all, record) }))
          ),
          outcome: "rolled_back",
          because: "gateway_stop",
          steps,
          report,
          durationMillis: now - record.beganAt
        }))

    const rollBack = (all: ReadonlyArray<Found>) =>
      Effect.gen(function*() {
        const contexts = contextsOf(all)
        const steps = yield* records.steps(all.map(({ record }) => record.transactionId))
        const known = steps.flatMap((step) => contexts(step).map((context) => ({ step, context })))
        const outcomes = yield* undoSteps.undoAll(known, mayGoOn)
        yield* undoSteps.release(known)
        const results = all.map((each) => {
          const { transactionId } = each.record
          const report = reportOf(outcomes, new Set(below(all, transactionId)), [])
          return { each, report, error: Failures.rolledBack(transactionId, "gateway_stop", 0) }
        })
        const kept = yield* Effect.forEach(
          results,
          ({ each, error, report }) =>
            Effect.map(Result.encode({ _tag: "RolledBack", error, report }), (result) => ({
              transactionId: each.record.transactionId,
              result
            }))
        )
        yield* records.rollback(kept)
        yield* Effect.forEach(
          results,
          ({ each, report }) =>
            ended(all, each, steps.filter((step) => step.transactionId === each.record.transactionId).length, report),
          {
            discard: true
          }
        )
      })

    const release = ({ record, workspace }: Found) =>
      Effect.gen(function*() {
        const steps = yield* records.steps([record.transactionId])
        const { agent, transactionId } = record
        const each = steps.map((step) => ({ step, context: { agent, workspace, source: step.source } }))
        if (yield* undoSteps.release(each)) yield* records.forgetSteps(transactionId)
      })

    return Effect.gen(function*() {
      const left = yield* foundOf(yield* records.takeOver(openHere()))
      if (left.length > 0) {
        yield* rollBack(left)
        yield* Effect.logInfo(`${left.length} transactions were rolled back whose gateway had stopped in them`)
      }
      yield* Effect.forEach(yield* foundOf(yield* records.committedWithSteps), release, { discard: true })
    }).pipe(Effect.scoped)
  })
