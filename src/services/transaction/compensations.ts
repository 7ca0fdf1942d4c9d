import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { RollbackReport } from "../../schema/Rollback.js"
import { apartWithin, undoWithin } from "./apart.js"

// Savepoints in parallel hand theirs over in the order of their commits, which is not that of the steps.
let lastOrder = 0

/** How a step is undone that the gateway cannot undo. */
export class Compensation {
  readonly capability: string
  readonly undo: Effect.Effect<unknown, unknown>
  readonly order = ++lastOrder

  constructor(capability: string, undo: Effect.Effect<unknown, unknown>) {
    this.capability = capability
    this.undo = undo
  }
}

/** What came of compensations, by the capabilities of the steps. */
export interface Compensated {
  readonly undone: ReadonlyArray<string>
  readonly failed: ReadonlyArray<string>
}

/** The compensations of a transaction, for the case that it is rolled back. */
export interface Compensations {
  /** Notes one. Where the transaction has been rolled back meanwhile, it is carried out at once. */
  readonly add: (compensation: Compensation) => Effect.Effect<void>
  /** Forgets them: the transaction is committed. Those of a savepoint become those of the transaction around it. */
  readonly handOver: (to: Compensations | undefined) => Effect.Effect<void>
  /** Carries them out, the last first, whatever becomes of each, until they are done or the time for it is over. */
  readonly run: Effect.Effect<Compensated>
}

const carryOut = (
  { capability, undo }: Compensation,
  milliseconds = Duration.toMillis(undoWithin)
): Effect.Effect<boolean> =>
  Effect.matchCauseEffect(milliseconds > 0 ? apartWithin(undo, milliseconds) : Effect.fail("it has no time left"), {
    onFailure: (cause) =>
      Effect.as(Effect.logWarning(`The compensation of ${capability} failed, and so it is not undone`, cause), false),
    onSuccess: () => Effect.succeed(true)
  })

export const make = (): Compensations => {
  let noted: Array<Compensation> = []
  let state: "open" | "rolled back" | "committed" = "open"
  let heir: Compensations | undefined

  return {
    add: (compensation) =>
      Effect.suspend(() => {
        if (state === "open") noted.push(compensation)
        if (state === "rolled back") return carryOut(compensation)
        return state === "committed" && heir !== undefined ? heir.add(compensation) : Effect.void
      }),
    handOver: (to) =>
      Effect.suspend(() => {
        state = "committed"
        heir = to
        const all = noted
        noted = []
        return to === undefined ? Effect.void : Effect.forEach(all, to.add, { discard: true })
      }),
    run: Effect.gen(function*() {
      state = "rolled back"
      const all = noted.toSorted((one, other) => other.order - one.order)
      noted = []
      const deadline = (yield* Clock.currentTimeMillis) + Duration.toMillis(undoWithin)
      const undone: Array<string> = []
      const failed: Array<string> = []
      for (const compensation of all) {
        const isUndone = yield* carryOut(compensation, deadline - (yield* Clock.currentTimeMillis))
        ;(isUndone ? undone : failed).push(compensation.capability)
      }
      return { undone, failed }
    })
  }
}

const without = (names: ReadonlyArray<string>, others: ReadonlyArray<string>): ReadonlyArray<string> => {
  const left = [...others]
  return names.filter((name) => {
    const index = left.indexOf(name)
    if (index >= 0) left.splice(index, 1)
    return index < 0
  })
}

/** The report of the gateway, which knows nothing of what its caller has undone. */
export const withCompensated = (
  { conflicts, notReversible, rolledBack }: RollbackReport,
  { failed, undone }: Compensated
): RollbackReport => {
  const left = without(notReversible, undone)
  return {
    rolledBack: [...undone, ...rolledBack],
    notReversible: [...left, ...without(failed, left)],
    conflicts
  }
}
