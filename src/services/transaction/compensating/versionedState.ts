import * as Effect from "effect/Effect"
import * as Persistent from "../../../catalogue/statePersistent.js"
import * as Shared from "../../../catalogue/stateShared.js"
import type { KruxosError } from "../../../errors/KruxosError.js"
import { isSameJson, jsonSize } from "./json.js"
import {
  asBefore,
  type Ask,
  conflict,
  know,
  type Outcome,
  type Plan,
  type Undo,
  type UndoContext,
  undone
} from "./Knowledge.js"

const missing: { readonly found: false; readonly value?: undefined } = { found: false }

const getPersistent = (ask: Ask, key: string) =>
  Effect.catchTag(ask("state.persistent.get", { key }), "KeyNotFound", () => Effect.succeed(missing))

const getShared = (ask: Ask, key: string) =>
  Effect.catchTag(ask("state.shared.get", { key }), "KeyNotFound", () => Effect.succeed(missing))

type Entry = Effect.Effect.Success<ReturnType<typeof getPersistent | typeof getShared>>

type Value = Exclude<Entry["value"], undefined>

/** The two tiers of the state whose keys have versions. */
interface Tier {
  readonly name: string
  readonly get: (ask: Ask, key: string) => Effect.Effect<Entry, KruxosError>
  /** Writes a value where the version is as given, if the tier can tell; undefined where somebody else has written. */
  readonly set: (
    ask: Ask,
    key: string,
    value: Value,
    version: number
  ) => Effect.Effect<{ readonly version: number } | undefined, KruxosError>
  readonly remove: (ask: Ask, key: string) => Effect.Effect<unknown, KruxosError>
}

const persistent: Tier = {
  name: "persistent",
  get: getPersistent,
  set: (ask, key, value) => ask("state.persistent.set", { key, value }),
  remove: (ask, key) => ask("state.persistent.delete", { key })
}

const shared: Tier = {
  name: "shared",
  get: getShared,
  set: (ask, key, value, version) =>
    Effect.catchTag(
      ask("state.shared.set", { key, value, expected_version: version }),
      "VersionConflict",
      () => Effect.succeed(undefined)
    ),
  remove: (ask, key) => ask("state.shared.delete", { key })
}

const versionOf = (entry: Entry): number | undefined => entry.found ? entry.version : undefined

const knownAs = (tier: Tier, key: string) => `${tier.name} ${key}`

/** Puts a key back to what it was, where `isLeft` says that it is as the step has left it. */
const undoKey = (
  tier: Tier,
  { ask, versions }: UndoContext,
  key: string,
  before: Entry,
  isLeft: (now: Entry) => boolean,
  outcome: Outcome<unknown>
): Undo =>
  Effect.flatMap(tier.get(ask, key), (now): Undo => {
    const known = knownAs(tier, key)
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
    if (!before.found || before.value === undefined) return Effect.as(tier.remove(ask, key), undone)
    return Effect.map(tier.set(ask, key, before.value, current ?? 0), (written) => {
      if (written === undefined) return conflict({ resource: key })
      if (version !== undefined) versions.renewed(known, version, written.version)
      return undone
    })
  })

/** Plans a step that writes a key; `isLeft` says how the step leaves it, given how it ended. */
const plan = <Output>(
  tier: Tier,
  context: UndoContext,
  key: string,
  isLeft: (now: Entry, outcome: Outcome<Output>) => boolean
): Effect.Effect<Plan<Output>, KruxosError> =>
  Effect.map(tier.get(context.ask, key), (before) => ({
    size: before.found ? jsonSize(before.value) : 0,
    ended: (outcome) =>
      Effect.succeed(
        outcome._tag === "Failed"
          ? undefined
          : undoKey(tier, context, key, before, (now) => isLeft(now, outcome), outcome)
      )
  }))

const planSet = (
  tier: Tier,
  context: UndoContext,
  { key, value }: { readonly key: string; readonly value: unknown },
  isNext: (version: number | undefined) => boolean = () => true
) =>
  plan<{ readonly version: number }>(tier, context, key, (now, outcome) =>
    outcome._tag === "Done"
      ? versionOf(now) === context.versions.now(knownAs(tier, key), outcome.output.version)
      : now.found && isSameJson(now.value, value) && isNext(now.version))

const planDelete = (tier: Tier, context: UndoContext, key: string) =>
  plan<unknown>(tier, context, key, (now) => !now.found)

/** How persistent and shared state is undone: the value before is written as a new version, if nobody has written since. */
export const versionedState = [
  know(Persistent.set, { plan: (input, context) => planSet(persistent, context, input) }),
  know(Persistent.remove, { plan: ({ key }, context) => planDelete(persistent, context, key) }),
  know(Shared.set, {
    plan: (input, context) =>
      planSet(
        shared,
        context,
        input,
        (version) => input.expected_version === 0 || version === input.expected_version + 1
      )
  }),
  know(Shared.remove, { plan: ({ key }, context) => planDelete(shared, context, key) })
]
