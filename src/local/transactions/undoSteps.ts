import { SqlError } from "@effect/sql/SqlError"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { RollbackConflict, RollbackReport } from "../../schema/Rollback.js"
import type { CheckContext } from "../recovery/EffectCheck.js"
import { type StepRecord, Transactions as Records } from "../store/Transactions.js"
import { longestWait } from "./Open.js"
import type { Conflict, Undo, Undone } from "./Undo.js"
import { Undos } from "./Undos.js"

/** A rollback was stopped between two steps; what is left is in the journal. */
export class CutOff extends Data.TaggedError("CutOff")<{ readonly reason: string }> {}

/** What became of a step. */
export interface Outcome {
  readonly transactionId: string
  readonly capability: string
  readonly came: "undone" | "not reversible" | ReadonlyArray<RollbackConflict>
}

/** The report on some transactions, of all outcomes. */
export const reportOf = (
  outcomes: ReadonlyArray<Outcome>,
  transactions: ReadonlySet<string>,
  inView: ReadonlyArray<string>
): RollbackReport => {
  const own = outcomes.filter(({ transactionId }) => transactions.has(transactionId))
  return {
    rolledBack: [...own.flatMap(({ came, capability }) => came === "undone" ? [capability] : []), ...inView],
    notReversible: own.flatMap(({ came, capability }) => came === "not reversible" ? [capability] : []),
    conflicts: own.flatMap(({ came }) => typeof came === "string" ? [] : came)
  }
}

// Where a bug is in the way, what there was to undo is all that can be named.
const unknownConflict = ({ arguments: { key, path }, capability }: StepRecord): Conflict => ({
  _tag: "Conflict",
  resource: typeof path === "string" ? path : typeof key === "string" ? key : capability
})

/** What a conflict comes to in a report: of one file, or of several. */
export const conflictsOf = (capability: string, { others = [], ...first }: Conflict): ReadonlyArray<RollbackConflict> =>
  [first, ...others].map(({ resource, savedAs }) => ({
    capability,
    resource,
    ...(savedAs === undefined ? {} : { savedAs })
  }))

/** A step, and where it has to be undone. */
export interface Placed {
  readonly step: StepRecord
  readonly context: CheckContext
}

/** Makes what undoes the steps in the journal. */
export const make = Effect.gen(function*() {
  const records = yield* Records
  const undos = yield* Undos

  const undone = (undo: Undo, step: StepRecord, context: CheckContext): Effect.Effect<Undone | undefined, CutOff> => {
    const before = Option.getOrUndefined(step.before)
    const given = step.arguments
    const undoing: Effect.Effect<Undone | undefined> = step.status === "done"
      ? undo.undo(given, before, Option.getOrUndefined(step.after), context)
      : Effect.flatMap(undo.found(given, before, context), (found): Effect.Effect<Undone | undefined> => {
        switch (found._tag) {
          case "NotDone":
            return Effect.succeed(undefined)
          case "Done":
            return undo.undo(given, before, found.after, context)
          case "Conflict":
            return Effect.succeed(found)
        }
      })
    return undo.alone(given, context, undoing).pipe(
      Effect.catchAllDefect((defect): Effect.Effect<Undone, CutOff> =>
        // What was before is still kept, and another time it can be given back.
        defect instanceof SqlError
          ? Effect.fail(new CutOff({ reason: `the gateway's store does not answer: ${defect.message}` }))
          : Effect.as(
            Effect.logError(`A step of ${step.capability} could not be undone`, defect),
            unknownConflict(step)
          )
      ),
      Effect.timeoutFail({
        duration: longestWait,
        onTimeout: () => new CutOff({ reason: `${step.capability} takes more than ${longestWait} to be undone` })
      })
    )
  }

  const journalled = (step: StepRecord, came: Undone | undefined): Effect.Effect<void, SqlError> => {
    if (came === undefined) return records.endStep(step.stepNumber, { status: "failed" })
    return came._tag === "Undone"
      ? records.endStep(step.stepNumber, { status: "undone" })
      : records.endStep(step.stepNumber, { status: "conflict", conflicts: conflictsOf(step.capability, came) })
  }

  const outcomeOf = ({ capability, transactionId }: StepRecord, came: Outcome["came"]): Outcome => ({
    transactionId,
    capability,
    came
  })

  const undoOne = (
    step: StepRecord,
    context: CheckContext,
    note: (came: Undone | undefined) => Effect.Effect<void>
  ): Effect.Effect<Outcome | undefined, CutOff> =>
    Effect.gen(function*() {
      switch (step.status) {
        case "failed":
          return undefined
        // As far as an earlier rollback came.
        case "undone":
          return outcomeOf(step, "undone")
        case "conflict":
          return outcomeOf(
            step,
            Option.getOrElse(step.conflicts, () => conflictsOf(step.capability, unknownConflict(step)))
          )
        default: {
          if (step.kind === "compensated") return outcomeOf(step, "not reversible")
          const undo = undos.get(step.capability)
          const came = undo === undefined ? unknownConflict(step) : yield* undone(undo, step, context)
          yield* note(came)
          if (came === undefined) return undefined
          return outcomeOf(step, came._tag === "Undone" ? "undone" : conflictsOf(step.capability, came))
        }
      }
    })

  /** Undoes steps, the last first, as they come; goes on where one cannot be undone. `mayGoOn` is asked before each. */
  const undoAll = (
    steps: ReadonlyArray<Placed>,
    mayGoOn: () => boolean
  ): Effect.Effect<ReadonlyArray<Outcome>, CutOff | SqlError> =>
    Effect.gen(function*() {
      const notNoted: Array<Effect.Effect<void, SqlError>> = []
      const outcomes = yield* Effect.forEach(steps, ({ context, step }) =>
        Effect.suspend(() =>
          mayGoOn()
            ? undoOne(step, context, (came) =>
              Effect.catchAll(journalled(step, came), () => Effect.sync(() => notNoted.push(journalled(step, came)))))
            : Effect.fail(new CutOff({ reason: "the gateway is stopped" }))
        ))
      // On a full disk there may be room for it only now that all is undone.
      yield* Effect.all(notNoted, { discard: true })
      return outcomes.filter((outcome) => outcome !== undefined)
    })

  /**
   * Forgets what was kept to undo steps, which come the last first; what was held back is let go in the order in which it was done.
   * False where some of it could not be, and the journal has to know of it still.
   */
  const release = (steps: ReadonlyArray<Placed>): Effect.Effect<boolean> =>
    Effect.map(
      Effect.forEach([...steps].reverse(), ({ context, step }) => {
        const undo = step.kind === "undoable" ? undos.get(step.capability) : undefined
        return undo === undefined ?
          Effect.succeed(true) :
          undo.release(Option.getOrUndefined(step.before), context).pipe(
            Effect.timeoutOption(longestWait),
            Effect.map(Option.isSome),
            Effect.catchAllCause((cause) =>
              Effect.as(Effect.logWarning(`What ${step.capability} had kept was not removed`, cause), false)
            )
          )
      }),
      (released) => released.every((isReleased) => isReleased)
    )

  return { undoAll, release }
})

/** Undoes the steps in the journal. */
export type UndoSteps = Effect.Effect.Success<typeof make>
