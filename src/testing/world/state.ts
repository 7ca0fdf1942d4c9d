import type { SqlError } from "@effect/sql/SqlError"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { InvalidInput, ResourceExhausted, VersionConflict } from "../../errors/general.js"
import { KeyNotFound, type QuotaExceeded } from "../../errors/state.js"
import { Sessions } from "../../local/sessions/Sessions.js"
import { checkKey, textOfValue } from "../../local/state/checkKey.js"
import { SessionStates } from "../../local/state/SessionStates.js"
import { PersistentState } from "../../local/store/PersistentState.js"
import { SharedState } from "../../local/store/SharedState.js"
import type { InitialState } from "../MockGatewayOptions.js"
import type { MockState } from "./World.js"

/** Who has written what no agent of the test has. */
export const somebody = "another-agent"

const source = "test"

const valueOf = (text: string): unknown => JSON.parse(text)

const collect = <E, R>(
  keys: ReadonlyArray<string>,
  read: (key: string) => Effect.Effect<ReadonlyArray<unknown>, E, R>
) =>
  Effect.map(
    Effect.forEach(keys, (key) => Effect.map(read(key), (values) => values.map((value) => [key, value] as const))),
    (entries) => Object.fromEntries(entries.flat())
  )

/** What the gateway keeps of an agent. */
export const read = (
  agent: string
): Effect.Effect<MockState, SqlError, PersistentState | Sessions | SessionStates | SharedState> =>
  Effect.gen(function*() {
    const sessions = yield* Sessions
    const sessionStates = yield* SessionStates
    const persistentState = yield* PersistentState
    const sharedState = yield* SharedState
    const own = [...sessions.running.values()].filter((session) => session.agent.name === agent)
    const ofSessions = yield* Effect.forEach(
      own,
      ({ id }) =>
        Effect.flatMap(
          sessionStates.list(id, ""),
          (keys) =>
            collect(keys, (key) =>
              Effect.map(sessionStates.get(id, key), (text) => text === undefined ? [] : [valueOf(text)]))
        )
    )
    const { entries: persistent } = yield* persistentState.list(agent, "")
    const { entries: shared } = yield* sharedState.list("")
    const found = (version: { readonly value: unknown } | undefined) => version === undefined ? [] : [version.value]
    return {
      session: Object.assign({}, ...ofSessions),
      persistent: yield* collect(
        persistent.map(({ key }) => key),
        (key) => Effect.map(persistentState.get(agent, key), found)
      ),
      shared: yield* collect(shared.map(({ key }) => key), (key) => Effect.map(sharedState.get(key), found))
    }
  })

type WriteFailure = InvalidInput | QuotaExceeded | ResourceExhausted | SqlError

/** Writes shared state as another agent does that knows the version which is there. */
export const setShared = (
  key: string,
  value: unknown,
  agent: string
): Effect.Effect<void, WriteFailure, SharedState> =>
  Effect.gen(function*() {
    const sharedState = yield* SharedState
    yield* checkKey(key)
    const text = yield* textOfValue(value)
    const at = yield* Clock.currentTimeMillis
    const set: Effect.Effect<number, QuotaExceeded | ResourceExhausted | VersionConflict | SqlError> = Effect.flatMap(
      sharedState.newest(key),
      ({ isLive, version }) => sharedState.set(key, text, isLive ? version : 0, { agent, source, at })
    )
    yield* set.pipe(
      // Somebody was faster. Who writes in between has ended by the next time.
      Effect.retry({ while: ({ _tag }) => _tag === "VersionConflict", times: 100 }),
      Effect.catchTag("VersionConflict", (conflict) => Effect.die(conflict))
    )
  })

export const removeShared = (key: string): Effect.Effect<void, KeyNotFound | SqlError, SharedState> =>
  Effect.gen(function*() {
    const sharedState = yield* SharedState
    const at = yield* Clock.currentTimeMillis
    if (yield* sharedState.remove(key, { source, at })) return
    return yield* new KeyNotFound({ message: `There is no ${key} in the shared state`, key })
  })

/** Fills the stores of a gateway that has just begun, before any agent is there. */
export const fill = (
  agent: string,
  { persistent = {}, shared = {} }: InitialState
): Effect.Effect<void, WriteFailure, PersistentState | SharedState> =>
  Effect.gen(function*() {
    const persistentState = yield* PersistentState
    const at = yield* Clock.currentTimeMillis
    yield* Effect.forEach(Object.entries(persistent), ([key, value]) =>
      Effect.gen(function*() {
        yield* checkKey(key)
        yield* persistentState.set(key, yield* textOfValue(value), { agent, source, at })
      }), { discard: true })
    yield* Effect.forEach(Object.entries(shared), ([key, value]) => setShared(key, value, somebody), { discard: true })
  })
