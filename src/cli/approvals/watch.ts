import * as Effect from "effect/Effect"
import * as MutableRef from "effect/MutableRef"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import type { ApprovalView } from "../../local/supervisor/ApprovalView.js"
import { SignalExitCode } from "../exit.js"
import { outputClosed, print, printError } from "../print.js"
import { find, type Target, type WhichGateway } from "../supervisor/client.js"
import * as Client from "./client.js"

const isOver = ({ status }: ApprovalView) => status !== "pending" && status !== "running"

/** What is known of requests so far, by their ids. */
type Known = ReadonlyMap<string, ApprovalView>

const look = (target: Target, known: Known) =>
  Effect.gen(function*() {
    const { approvals: pending } = yield* Client.list(target, { status: "pending", limit: 1000 })
    // Those that were asked and decided since the last look, too.
    const { approvals: newest } = yield* Client.list(target, { limit: 100 })
    const seen = new Map([...pending, ...newest].map((view) => [view.id, view]))
    const gone = [...known.values()].filter((view) => !isOver(view) && !seen.has(view.id))
    const ended = yield* Effect.forEach(gone, ({ id }) => Client.get(target, id))
    return [...seen.values(), ...ended]
  })

/** Prints what waits for a decision, and then what is asked and decided, until it is interrupted. */
export const watch = (which: WhichGateway, format: (view: ApprovalView) => string) =>
  Effect.gen(function*() {
    // A signal is how it is meant to end.
    MutableRef.set(yield* SignalExitCode, 0)
    const known = yield* Ref.make<Known | undefined>(undefined)

    const once = Effect.gen(function*() {
      const before = yield* Ref.get(known)
      const views = yield* look(yield* find(which), before ?? new Map())
      const isNews = (view: ApprovalView) =>
        before === undefined ? !isOver(view) : before.get(view.id)?.status !== view.status
      const oldestFirst = [...views].sort((one, other) => Number(one.created_at) - Number(other.created_at))
      yield* Effect.forEach(oldestFirst.filter(isNews), (view) => print(format(view)), { discard: true })
      yield* Ref.set(known, new Map(views.map((view) => [view.id, view])))
    })

    yield* once
    let isLost = false
    const again = once.pipe(
      Effect.matchEffect({
        // It may be starting again: on the same data it is found again, wherever it listens then.
        onFailure: ({ message }) => {
          const isNew = !isLost
          isLost = true
          return isNew ? printError(message) : Effect.void
        },
        onSuccess: () => {
          const wasLost = isLost
          isLost = false
          return wasLost ? printError("The gateway answers again") : Effect.void
        }
      })
    )
    yield* Effect.raceFirst(Effect.repeat(Effect.delay(again, "1 second"), Schedule.forever), outputClosed)
  })
