import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as statePersistent from "../../catalogue/statePersistent.js"
import * as stateShared from "../../catalogue/stateShared.js"
import type { PersistentStateService } from "../store/PersistentState.js"
import type { SharedStateService } from "../store/SharedState.js"
import type { Trace } from "../store/VersionedState.js"
import * as EffectCheck from "./EffectCheck.js"

const State = Schema.Struct({ version: Schema.Number, isLive: Schema.Boolean })

const isAsBefore = (now: Trace, before: typeof State.Type) =>
  now.version === before.version && now.isLive === before.isLive

const forgotten = (key: string) =>
  EffectCheck.unknown(`${key} was changed again since, and who wrote what is no longer known`)

// A write is one step, and what it writes says by whom. Nobody else's is between, as long as all is still there that was written since.
const wasWritten = <Output>(
  key: string,
  before: typeof State.Type,
  now: Trace,
  outputOf: (own: NonNullable<Trace["own"]>) => Output
): EffectCheck.Conclusion<Output> => {
  if (now.own !== undefined) return EffectCheck.done(outputOf(now.own))
  if (isAsBefore(now, before)) return EffectCheck.notDone
  return now.isLive && now.keptBehind === now.version - before.version ? EffectCheck.notDone : forgotten(key)
}

// Where a version is still kept that was there before, nobody has removed the key.
const wasRemoved = (
  key: string,
  before: typeof State.Type,
  now: Trace,
  source: string
): EffectCheck.Conclusion<{ readonly deleted: boolean }> => {
  if (!now.isLive && now.source === source) return EffectCheck.done({ deleted: true })
  return !before.isLive || isAsBefore(now, before) || now.isKept ? EffectCheck.notDone : forgotten(key)
}

const noPlaces = () => []

/** The checks of `state.persistent.*`. */
export const persistentChecks = (state: PersistentStateService) => [
  EffectCheck.make(statePersistent.set, State, {
    paths: noPlaces,
    before: ({ key }, { agent }) => state.newest(agent, key),
    after: ({ key }, before, { agent, source }) =>
      Effect.map(
        state.trace(agent, key, before.version, source),
        (now) =>
          wasWritten(key, before, now, ({ previousVersion, version }) => ({
            version,
            previous_version: previousVersion
          }))
      )
  }),
  EffectCheck.make(statePersistent.remove, State, {
    paths: noPlaces,
    before: ({ key }, { agent }) => state.newest(agent, key),
    after: ({ key }, before, { agent, source }) =>
      Effect.map(
        state.trace(agent, key, before.version, source),
        (now) => wasRemoved(key, before, now, source)
      )
  })
]

/** The checks of `state.shared.*`. */
export const sharedChecks = (state: SharedStateService) => [
  EffectCheck.make(stateShared.set, State, {
    paths: noPlaces,
    before: ({ key }) => state.newest(key),
    after: ({ key }, before, { source }) =>
      Effect.map(
        state.trace(key, before.version, source),
        (now) => wasWritten(key, before, now, ({ version }) => ({ version }))
      )
  }),
  EffectCheck.make(stateShared.remove, State, {
    paths: noPlaces,
    before: ({ key }) => state.newest(key),
    after: ({ key }, before, { source }) =>
      Effect.map(state.trace(key, before.version, source), (now) => wasRemoved(key, before, now, source))
  })
]
