import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Channel, Link } from "../../connection/Link.js"
import { gather, type Told } from "../../connection/stateChanges.js"
import { type SharedEntry, type SharedKey, StateChange } from "../../schema/StateEntry.js"
import type { SharedState } from "./SharedState.js"
import type { StateError } from "./values.js"
import type { Watches } from "./watches.js"

/** What following the changes of the shared state fails with. */
export type ChangesError =
  | StateError<"state.shared.get">
  | StateError<"state.shared.list">
  | StateError<"state.shared.watch">

/** What changes are followed with. */
export interface Sources extends Pick<SharedState, "get" | "list"> {
  readonly link: Link
  readonly watches: Watches
  readonly longestTrust: Duration.Duration
}

/** Follows the keys with a prefix, one step at a time. */
export interface Follower<A, R> {
  /** What has changed, as far as one step tells: nothing, where all is told. */
  readonly step: Effect.Effect<ReadonlyArray<StateChange<A>>, ChangesError, R>
  /** To be called where a step failed: the next one looks at everything. */
  readonly doubt: () => void
  /** Whether the connection is over, so that every further step would fail. */
  readonly isOver: () => boolean
  /** Ends when there may be something to tell. */
  readonly rest: Effect.Effect<void>
}

/** The state of a key that has been told, or that there was from the beginning. */
interface Known {
  readonly version: number
  readonly ownerAgent: string | undefined
  /** When a list said that this version was written. */
  readonly listedAt: number | undefined
}

// A key that the gateway tells of beyond these is found by a list.
const mostChangedKeys = 10_000

/** After which time everything is looked at although changes are pushed: nobody promises that all of them arrive. 5 minutes. */
export class LongestTrust extends Context.Reference<LongestTrust>()("kruxos/services/state/LongestTrust", {
  defaultValue: () => Duration.minutes(5)
}) {}

const keysInStep = 64

const concurrency = 16

const knownOf = ({ ownerAgent, updatedAt, version }: SharedKey): Known => ({
  version,
  ownerAgent,
  listedAt: DateTime.toEpochMillis(updatedAt)
})

const isOfAnotherHistory = (listed: SharedKey, before: Known | undefined) =>
  before !== undefined && (listed.version < before.version ||
    (listed.version === before.version && before.listedAt !== undefined &&
      before.listedAt !== DateTime.toEpochMillis(listed.updatedAt)))

const byTime = (one: SharedKey, other: SharedKey) =>
  DateTime.toEpochMillis(one.updatedAt) - DateTime.toEpochMillis(other.updatedAt) || (one.key < other.key ? -1 : 1)

/**
 * Makes one that lives in the current scope. It compares what the gateway has with what it has told so far, so that what is missed
 * (over a lost connection, or between two polls) is found by the next list.
 */
export const make = <A, I, R>(
  { get, link, list, longestTrust, watches }: Sources,
  prefix: string,
  schema: Schema.Schema<A, I, R> | undefined,
  beginsWithCurrent: boolean,
  pollInterval: Duration.Duration
): Effect.Effect<Follower<A, R>, never, Scope.Scope> =>
  Effect.gen(function*() {
    const wake = Effect.unsafeMakeLatch(false)
    const changed = yield* gather(link, prefix, mostChangedKeys, () => wake.unsafeOpen())
    const known = new Map<string, Known>()
    let hasBegun = false
    let isInDoubt = true
    let mustResync = beginsWithCurrent
    let isPushed = false
    let watched: Channel | undefined
    let isOver = false

    const doubt = () => {
      isInDoubt = true
    }

    const remember = ({ key, ownerAgent, version }: SharedEntry) =>
      known.set(key, { version, ownerAgent, listedAt: undefined })

    // A new session has no subscriptions, and nobody tells it what it missed.
    yield* link.status.pipe(
      Stream.runForEach((status) =>
        Effect.sync(() => {
          if (status._tag === "Connected" ? status.session === watched?.session : status._tag !== "Closed") return
          isOver = status._tag === "Closed"
          doubt()
          wake.unsafeOpen()
        })
      ),
      Effect.forkScoped
    )

    const resync = (listed: ReadonlyArray<SharedKey>) =>
      Effect.map(Effect.forEach(listed, ({ key }) => get(key, schema), { concurrency }), (found) => {
        const entries = found.flatMap(Option.toArray)
        known.clear()
        for (const entry of entries) remember(entry)
        mustResync = false
        return [StateChange.Resynced({ entries })]
      })

    const nothing: ReadonlyArray<StateChange<A>> = []

    /** Finds out which keys have changed, by what the gateway lists. */
    const compare = (listed: ReadonlyArray<SharedKey>) =>
      Effect.suspend((): Effect.Effect<ReadonlyArray<StateChange<A>>, ChangesError, R> => {
        const isFirst = !hasBegun
        hasBegun = true
        if (mustResync || listed.some((entry) => isOfAnotherHistory(entry, known.get(entry.key)))) return resync(listed)
        const stillThere = new Set(listed.map(({ key }) => key))
        const gone = [...known.keys()].filter((key) => !stillThere.has(key))
        for (const entry of listed.toSorted(byTime)) {
          if (isFirst || known.get(entry.key)?.version === entry.version) known.set(entry.key, knownOf(entry))
          else changed.add(entry.key)
        }
        for (const key of gone) changed.add(key)
        return Effect.succeed(nothing)
      })

    const lookAtAll = Effect.gen(function*() {
      const channel = yield* link.channel
      watched = channel
      isPushed = link.pushes && channel.features.has("events")
      isInDoubt = false
      changed.complete()
      if (isPushed) yield* watches.ensure(channel, prefix)
      const listed = yield* list(prefix)
      if (isPushed && (yield* link.channel) !== channel) doubt()
      return yield* compare(listed)
    })

    const changeOf = (
      key: string,
      told: Told | undefined,
      entry: SharedEntry<A> | undefined
    ): StateChange<A> | undefined => {
      const before = known.get(key)
      if (entry === undefined) {
        if (before === undefined) return undefined
        known.delete(key)
        return StateChange.Changed({
          key,
          version: Math.max(before.version, told?.version ?? 0),
          ownerAgent: told?.ownerAgent ?? before.ownerAgent,
          deleted: true,
          value: Option.none()
        })
      }
      const { ownerAgent, value, version } = entry
      if (before !== undefined && version < before.version) {
        mustResync = true
        doubt()
        return undefined
      }
      if (version === before?.version) return undefined
      remember(entry)
      return StateChange.Changed({ key, version, ownerAgent, deleted: false, value: Option.some(value) })
    }

    const lookAt = (keys: ReadonlyArray<readonly [key: string, told: Told | undefined]>) =>
      Effect.map(
        Effect.forEach(keys, ([key]) => get(key, schema), { concurrency }),
        (entries) =>
          keys.flatMap(([key, told], index) => {
            const entry = entries[index]
            return entry === undefined ? [] : changeOf(key, told, Option.getOrUndefined(entry)) ?? []
          })
      )

    const step = Effect.suspend((): Effect.Effect<ReadonlyArray<StateChange<A>>, ChangesError, R> => {
      // Before looking, so that what comes meanwhile leads to the next step at once.
      wake.unsafeClose()
      if (isInDoubt) return Effect.zipLeft(lookAtAll, wake.open)
      const keys = changed.take(keysInStep)
      if (keys.length > 0) {
        wake.unsafeOpen()
        return lookAt(keys)
      }
      if (changed.mayLack()) {
        doubt()
        wake.unsafeOpen()
      }
      return Effect.succeed(nothing)
    })

    const rest = Effect.suspend(() =>
      Effect.raceFirst(
        wake.await,
        Effect.zipRight(Effect.sleep(isPushed ? longestTrust : pollInterval), Effect.sync(doubt))
      )
    )

    return { step, doubt, isOver: () => isOver, rest }
  })
