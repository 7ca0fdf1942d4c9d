import * as Effect from "effect/Effect"
import { clear, remove, set } from "../../../catalogue/stateSession.js"
import { isSameJson, jsonSize } from "./json.js"
import { asBefore, type Ask, conflict, know, type Outcome, together, type Undo, undone } from "./Knowledge.js"

interface Entry {
  readonly found: boolean
  readonly value?: unknown
}

const none = Effect.succeed(undefined)

const missing: Entry = { found: false }

const isSameEntry = (one: Entry, other: Entry): boolean =>
  one.found === other.found && (!one.found || isSameJson(one.value, other.value))

const get = (ask: Ask, key: string) => ask("state.session.get", { key })

/** Puts a key back to what it was, where it is as the step has left it. */
const undoKey = (
  ask: Ask,
  key: string,
  before: Effect.Effect.Success<ReturnType<typeof get>>,
  after: Entry,
  outcome: Outcome<unknown>
): Undo =>
  Effect.flatMap(get(ask, key), (now): Undo => {
    if (isSameEntry(now, before)) return Effect.succeed(asBefore(outcome))
    if (!isSameEntry(now, after)) return Effect.succeed(conflict({ resource: key }))
    return before.found && before.value !== undefined
      ? Effect.as(ask("state.session.set", { key, value: before.value }), undone)
      : Effect.as(ask("state.session.delete", { key }), undone)
  })

const setting = know(set, {
  plan: ({ key, value }, { ask }) =>
    Effect.map(get(ask, key), (before) => ({
      size: jsonSize(before.value),
      ended: (outcome) =>
        outcome._tag === "Failed" ? none : Effect.succeed(undoKey(ask, key, before, { found: true, value }, outcome))
    }))
})

const deleting = know(remove, {
  plan: ({ key }, { ask }) =>
    Effect.map(get(ask, key), (before) => ({
      size: jsonSize(before.value),
      ended: (outcome) => outcome._tag === "Failed" ? none : Effect.succeed(undoKey(ask, key, before, missing, outcome))
    }))
})

const clearing = know(clear, {
  plan: (_input, { ask }) =>
    Effect.gen(function*() {
      const { keys } = yield* ask("state.session.list")
      const entries = yield* Effect.forEach(
        keys,
        (key) => Effect.map(get(ask, key), (before) => ({ key, before })),
        { concurrency: 8 }
      )
      return {
        size: jsonSize(entries),
        ended: (outcome) =>
          outcome._tag === "Failed" ? none : Effect.succeed(
            Effect.map(
              Effect.forEach(entries, ({ before, key }) => undoKey(ask, key, before, missing, outcome), {
                concurrency: 8
              }),
              together
            )
          )
      }
    })
})

/** How the session's state is undone. */
export const sessionState = [setting, deleting, clearing]
