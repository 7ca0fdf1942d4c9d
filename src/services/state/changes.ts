import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schedule from "effect/Schedule"
import type * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { StateChange } from "../../schema/StateEntry.js"
import { isTransient, longestRest, longestSilence } from "../waitingOut.js"
import * as Follower from "./follower.js"
import { type AnySchema, schemaAndOptions, withPrefix } from "./values.js"

/** How changes of the shared state are followed. */
export interface ChangesOptions {
  /** Begins with `Resynced`, which has the entries that there are. Default: only what changes from now on. */
  readonly current?: boolean | undefined
  /** How often the gateway is asked where it cannot push changes. Default: 1 second. */
  readonly pollInterval?: Duration.DurationInput | undefined
}

/** Follows the keys of the shared state that begin with a prefix; without one, all of them. */
export interface Changes {
  (prefix?: string, options?: ChangesOptions): Stream.Stream<StateChange, Follower.ChangesError>
  <A = unknown, I = unknown, R = never>(
    prefix: string,
    schema: Schema.Schema<A, I, R> | undefined,
    options?: ChangesOptions
  ): Stream.Stream<StateChange<A>, Follower.ChangesError, R>
}

const waits = Schedule.exponential("250 millis").pipe(
  Schedule.union(Schedule.spaced("15 seconds")),
  Schedule.jittered
)

/** Steps until there is something to tell, over whatever passes by itself. */
const pulled = <A, R>({ doubt, isOver, rest, step }: Follower.Follower<A, R>) =>
  Effect.gen(function*() {
    const wait = yield* Schedule.driver(waits)
    let failingSince: number | undefined
    while (true) {
      const changes = yield* Effect.either(step)
      if (Either.isRight(changes)) {
        if (changes.right.length > 0) return Chunk.unsafeFromArray(changes.right)
        if (failingSince !== undefined) yield* wait.reset
        failingSince = undefined
        yield* rest
      } else {
        const error = changes.left
        const now = yield* Clock.currentTimeMillis
        failingSince ??= now
        const mayPass = isTransient(error) && !isOver() && now - failingSince <= Duration.toMillis(longestSilence)
        if (!mayPass) return yield* error
        doubt()
        yield* Effect.sleep(Duration.min(error.retryAfter ?? Duration.zero, longestRest))
        yield* Effect.orDie(wait.next(undefined))
      }
    }
  })

/** Makes the streams over what they follow. */
export const make = (sources: Follower.Sources): Changes => {
  function changes(prefix?: string, options?: ChangesOptions): Stream.Stream<StateChange, Follower.ChangesError>
  function changes<A = unknown, I = unknown, R = never>(
    prefix: string,
    schema: Schema.Schema<A, I, R> | undefined,
    options?: ChangesOptions
  ): Stream.Stream<StateChange<A>, Follower.ChangesError, R>
  function changes(
    prefix = "",
    second?: AnySchema | ChangesOptions,
    third?: ChangesOptions
  ): Stream.Stream<StateChange, Follower.ChangesError, unknown> {
    const { options: { current = false, pollInterval = "1 second" } = {}, schema } = schemaAndOptions(second, third)
    return Stream.unwrapScoped(withPrefix(prefix, "state.shared.list", () =>
      Effect.map(
        Follower.make(sources, prefix, schema, current, Duration.decode(pollInterval)),
        (follower) => Stream.repeatEffectChunk(pulled(follower))
      )))
  }
  return changes
}
