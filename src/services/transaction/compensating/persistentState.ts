import * as Effect from "effect/Effect"
import { remove, set } from "../../../catalogue/statePersistent.js"
import { isSameJson, jsonSize } from "./json.js"
import { asBefore, type Ask, conflict, know, type Outcome, type Undo, type UndoContext, undone } from "./Knowledge.js"

const none = Effect.succeed(undefined)

const missing: { readonly found: false; readonly value?: undefined } = { found: false }

const get = (ask: Ask, key: string) =>
  Effect.catchTag(ask("state.persistent.get", { key }), "KeyNotFound", () => Effect.succeed(missing))

type Entry = Effect.Effect.Success<ReturnType<typeof get>>

const versionOf = (entry: Entry): number | undefined => entry.found ? entry.version : undefined

/** Puts a key back to what it was, where `isLeft` says that it is as the step has left it. */
const undoKey = (
  { ask, versions }: UndoContext,
  key: string,
  before: Entry,
  isLeft: (now: Entry) => boolean,
  outcome: Outcome<unknown>
): Undo =>
  Effect.flatMap(get(ask, key), (now): Undo => {
    const known = `persistent ${key}`
    const version = versionOf(before)
    const current = versionOf(now)
    if (
      version === undefined || current === undefined
        ? now.found === before.found
        : current === versions.now(known, version)
    ) {
      return Effect.succeed(asBefore(outcome))
    }
    // Somebody has put it back: perhaps an undo whose answer was lost.
    if (version !== undefined && current !== undefined && before.found && isSameJson(now.value, before.value)) {
      versions.renewed(known, version, current)
      return Effect.succeed(asBefore(outcome))
    }
    if (!isLeft(now)) return Effect.succeed(conflict({ resource: key }))
    if (!before.found || before.value === undefined) {
      return Effect.as(ask("state.persistent.delete", { key }), undone)
    }
    return Effect.map(ask("state.persistent.set", { key, value: before.value }), (written) => {
      if (version !== undefined) versions.renewed(known, version, written.version)
      return undone
    })
  })

const setting = know(set, {
  plan: ({ key, value }, context) =>
    Effect.map(get(context.ask, key), (before) => ({
      size: before.found ? jsonSize(before.value) : 0,
      ended: (outcome) => {
        if (outcome._tag === "Failed") return none
        const isLeft = (now: Entry) =>
          outcome._tag === "Done"
            ? versionOf(now) === context.versions.now(`persistent ${key}`, outcome.output.version)
            : now.found && isSameJson(now.value, value)
        return Effect.succeed(undoKey(context, key, before, isLeft, outcome))
      }
    }))
})

const deleting = know(remove, {
  plan: ({ key }, context) =>
    Effect.map(get(context.ask, key), (before) => ({
      size: before.found ? jsonSize(before.value) : 0,
      ended: (outcome) =>
        outcome._tag === "Failed" ? none : Effect.succeed(undoKey(context, key, before, (now) => !now.found, outcome))
    }))
})

/** How the persistent state is undone: the value before is written as a new version. */
export const persistentState = [setting, deleting]
