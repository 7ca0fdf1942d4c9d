import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import type * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { Buffer } from "node:buffer"
import { ResourceExhausted } from "../../errors/general.js"
import { QuotaExceeded } from "../../errors/state.js"
import { service } from "../inOrder.js"
import { compareBytes } from "../store/prefixes.js"

/** How long the state of a session that does not touch it is kept, in milliseconds: a day. */
export const idleMillis = 24 * 60 * 60 * 1000

export interface Options {
  /** How many bytes of keys and values a session may have; 50 MiB unless given. */
  readonly quotaBytes?: number | undefined
  /** How many keys a session may have; 100,000 unless given. */
  readonly maximumKeys?: number | undefined
  /** How many bytes all sessions together may have; 1 GiB unless given. */
  readonly totalBytes?: number | undefined
}

/** A session, by its id and the scope that ends with it. */
export interface Owner {
  readonly sessionId: string
  readonly sessionScope: Scope.Scope
}

/** A value; no two that were ever set have the same number. */
interface Kept {
  readonly text: string
  readonly number: number
}

/** That a key was changed: what it had before, and the number of what it has since; undefined for nothing. */
export interface Change {
  readonly key: string
  readonly before: Kept | undefined
  readonly after: number | undefined
}

/** What is changed by the fiber, if that is noted. */
const noting: FiberRef.FiberRef<Array<Change> | undefined> = FiberRef.unsafeMake<Array<Change> | undefined>(undefined)

/** Notes in `changes` what an effect changes, of any session, in its order. */
export const note = <A, E, R>(changes: Array<Change>, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.locally(effect, noting, changes)

/** Where the fiber notes what it changes, if it does. */
export const noted: Effect.Effect<Array<Change> | undefined> = FiberRef.get(noting)

/**
 * Values are JSON texts; undefined stands for none. What a session does not touch for a day is gone, as if it had been cleared: that
 * is found out when it is touched again, or when its room is needed.
 */
export interface SessionStatesService {
  readonly quotaBytes: number
  readonly get: (sessionId: string, key: string) => Effect.Effect<string | undefined>
  /** Stores a value and gives the one before. */
  readonly set: (
    owner: Owner,
    key: string,
    text: string
  ) => Effect.Effect<string | undefined, QuotaExceeded | ResourceExhausted>
  /** Removes a value and gives it. */
  readonly remove: (sessionId: string, key: string) => Effect.Effect<string | undefined>
  /** The keys that begin with a prefix, in the order of their bytes. */
  readonly list: (sessionId: string, prefix: string) => Effect.Effect<ReadonlyArray<string>>
  /** Removes everything, and says how many keys there were. */
  readonly clear: (sessionId: string) => Effect.Effect<number>
  /**
   * Takes changes back, the last first, and gives the keys that were changed again since, which it leaves alone. What was there before
   * has room, whatever was set since. A session that has ended has nothing to take back.
   */
  readonly takeBack: (sessionId: string, changes: ReadonlyArray<Change>) => Effect.Effect<ReadonlyArray<string>>
  /** How many bytes a session uses. */
  readonly used: (sessionId: string) => Effect.Effect<number>
}

/** What agents keep while a session lasts, in memory. */
export class SessionStates
  extends Context.Tag("kruxos/local/state/SessionStates")<SessionStates, SessionStatesService>()
{}

interface State {
  readonly values: Map<string, Kept>
  bytes: number
  touchedAt: number
}

const sizeOf = (key: string, kept: Pick<Kept, "text"> | undefined) =>
  kept === undefined ? 0 : Buffer.byteLength(key) + Buffer.byteLength(kept.text)

const make = (options: Options): SessionStatesService => {
  const quotaBytes = options.quotaBytes ?? 50 * 1024 * 1024
  const maximumKeys = options.maximumKeys ?? 100_000
  const totalBytes = options.totalBytes ?? 1024 * 1024 * 1024
  const states = new Map<string, State>()
  let total = 0
  let lastNumber = 0

  const empty = (state: State) => {
    const count = state.values.size
    total -= state.bytes
    state.bytes = 0
    state.values.clear()
    return count
  }

  const emptyIdle = (state: State, now: number) => {
    if (now - state.touchedAt > idleMillis) empty(state)
  }

  const touch = <A>(
    sessionId: string,
    use: (state: State | undefined, now: number, noted: Array<Change> | undefined) => A
  ) =>
    Effect.zipWith(Clock.currentTimeMillis, FiberRef.get(noting), (now, noted) => {
      const state = states.get(sessionId)
      if (state !== undefined) {
        emptyIdle(state, now)
        state.touchedAt = now
      }
      return use(state, now, noted)
    })

  const put = (state: State, key: string, kept: Kept | undefined) => {
    const more = sizeOf(key, kept) - sizeOf(key, state.values.get(key))
    if (kept === undefined) state.values.delete(key)
    else state.values.set(key, kept)
    state.bytes += more
    total += more
  }

  const makeFor = ({ sessionId, sessionScope }: Owner) =>
    Effect.suspend(() => {
      if (states.has(sessionId)) return Effect.void
      states.set(sessionId, { values: new Map(), bytes: 0, touchedAt: 0 })
      const end = Effect.sync(() => {
        const state = states.get(sessionId)
        if (state !== undefined) empty(state)
        states.delete(sessionId)
      })
      return Scope.addFinalizer(sessionScope, end)
    })

  const refusal = (state: State, more: number, isNew: boolean) => {
    if (isNew && state.values.size >= maximumKeys) {
      return new ResourceExhausted({
        message: `The session has ${maximumKeys} keys, as many as it may have`,
        resource: "state_keys",
        limit: maximumKeys,
        current: state.values.size
      })
    }
    if (more > 0 && state.bytes + more > quotaBytes) {
      return new QuotaExceeded({
        message: `${more} bytes more do not fit: ${state.bytes} of ${quotaBytes} are used, and nothing was stored`,
        used: state.bytes,
        limit: quotaBytes
      })
    }
    return more > 0 && total + more > totalBytes
      ? new ResourceExhausted({
        message: `All sessions together use ${total} of ${totalBytes} bytes for their state`,
        resource: "session_state",
        limit: totalBytes,
        current: total,
        retryable: true
      })
      : undefined
  }

  const set: SessionStatesService["set"] = (owner, key, text) =>
    Effect.zipRight(
      makeFor(owner),
      Effect.flatten(touch(owner.sessionId, (state, now, noted): ReturnType<SessionStatesService["set"]> => {
        // The session ended a moment ago.
        if (state === undefined) return Effect.succeed(undefined)
        const before = state.values.get(key)
        const kept = { text, number: lastNumber + 1 }
        const more = sizeOf(key, kept) - sizeOf(key, before)
        if (total + more > totalBytes) { for (const other of states.values()) emptyIdle(other, now) }
        const refused = refusal(state, more, before === undefined)
        if (refused !== undefined) return refused
        lastNumber++
        put(state, key, kept)
        noted?.push({ key, before, after: kept.number })
        return Effect.succeed(before?.text)
      }))
    )

  const remove: SessionStatesService["remove"] = (sessionId, key) =>
    touch(sessionId, (state, _now, noted) => {
      const before = state?.values.get(key)
      if (state === undefined || before === undefined) return undefined
      put(state, key, undefined)
      noted?.push({ key, before, after: undefined })
      return before.text
    })

  const clear: SessionStatesService["clear"] = (sessionId) =>
    touch(sessionId, (state, _now, noted) => {
      if (state === undefined) return 0
      if (noted !== undefined) {
        for (const [key, before] of state.values) noted.push({ key, before, after: undefined })
      }
      return empty(state)
    })

  const takeBack: SessionStatesService["takeBack"] = (sessionId, changes) =>
    Effect.sync(() => {
      const state = states.get(sessionId)
      if (state === undefined) return []
      return changes.toReversed().flatMap(({ after, before, key }) => {
        const now = state.values.get(key)?.number
        // It may have been taken back already.
        if (now === before?.number) return []
        if (now !== after) return [key]
        put(state, key, before)
        return []
      })
    })

  return {
    quotaBytes,
    get: (sessionId, key) => touch(sessionId, (state) => state?.values.get(key)?.text),
    set,
    remove,
    list: (sessionId, prefix) =>
      touch(
        sessionId,
        (state) =>
          state === undefined ? [] : [...state.values.keys()].filter((key) => key.startsWith(prefix)).sort(compareBytes)
      ),
    clear,
    takeBack,
    used: (sessionId) => touch(sessionId, (state) => state?.bytes ?? 0)
  }
}

export const layer = (options: Options = {}): Layer.Layer<SessionStates> =>
  service(SessionStates, Effect.sync(() => make(options)))
