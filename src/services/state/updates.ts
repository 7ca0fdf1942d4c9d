import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type * as Schema from "effect/Schema"
import { UpdateExhausted, type VersionConflict } from "../../errors/general.js"
import { KeyNotFound } from "../../errors/state.js"
import type { VersionedEntry } from "../../schema/StateEntry.js"
import type { InvokeOptions } from "../Capabilities.js"
import type { SharedState } from "./SharedState.js"
import type { StateError } from "./values.js"

/** How an update of the shared state is made. */
export interface UpdateOptions {
  /** How often it is tried again, at most, when somebody else has written in between. Default: 50. */
  readonly times?: number | undefined
  /** How long to wait for each answer of the gateway. Default: its `requestTimeout`. */
  readonly timeout?: InvokeOptions["timeout"]
}

/** As `UpdateOptions`, with the value that a key which is not there is taken to have. */
export interface InitialOptions<A> extends UpdateOptions {
  readonly initial: A
}

/** What an update of the shared state fails with, besides KeyNotFound where there is no initial value. */
export type UpdateError =
  | StateError<"state.shared.get">
  | Exclude<StateError<"state.shared.set">, VersionConflict>
  | UpdateExhausted

/** Succeeds with what was written. */
export type Update<A, E, R> = Effect.Effect<VersionedEntry<A>, E, R>

const defaultTimes = 50

const longestWaitMillis = 5000

// Whoever has just lost has no better chance at once. As an attempt takes so long is what it can be overtaken in: the more agents
// fight over a key, the further apart their attempts have to be.
const waitAfter = (attempts: number, millis: number) =>
  Effect.flatMap(
    Random.next,
    (chance) => Effect.sleep(chance * Math.min(longestWaitMillis, Math.max(1, millis) * 2 ** Math.min(attempts, 5)))
  )

const exhausted = (key: string, attempts: number, cause: VersionConflict) =>
  new UpdateExhausted({
    message: `Somebody else wrote ${key} each time in between, ${attempts} times`,
    capability: "state.shared.set",
    key,
    attempts,
    expectedVersion: cause.expectedVersion,
    actualVersion: cause.actualVersion,
    cause
  })

const missing = (key: string) =>
  new KeyNotFound({
    message: `${key} is not there to be updated, and no initial value was given`,
    capability: "state.shared.get",
    key
  })

/** Makes the updates over what reads and writes. */
export const make = ({ get, set }: Pick<SharedState, "get" | "set">): Pick<SharedState, "update" | "updateEffect"> => {
  function updateEffect<A, I, R, E2, R2>(
    key: string,
    schema: Schema.Schema<A, I, R>,
    f: (value: A) => Effect.Effect<NoInfer<A>, E2, R2>,
    options: InitialOptions<NoInfer<A>>
  ): Update<A, UpdateError | E2, R | R2>
  function updateEffect<A, I, R, E2, R2>(
    key: string,
    schema: Schema.Schema<A, I, R>,
    f: (value: A) => Effect.Effect<NoInfer<A>, E2, R2>,
    options?: UpdateOptions
  ): Update<A, UpdateError | KeyNotFound | E2, R | R2>
  function updateEffect<A, I, R, E2, R2>(
    key: string,
    schema: Schema.Schema<A, I, R>,
    f: (value: A) => Effect.Effect<NoInfer<A>, E2, R2>,
    { initial, timeout, times = defaultTimes }: UpdateOptions & { readonly initial?: A } = {}
  ): Update<A, UpdateError | KeyNotFound | E2, R | R2> {
    const start = initial === undefined ? Option.none() : Option.some(initial)
    return Effect.gen(function*() {
      for (let attempts = 1;; attempts++) {
        const since = yield* Clock.currentTimeMillis
        const entry = Option.getOrUndefined(yield* get(key, schema, { timeout }))
        const before = entry === undefined ? start : Option.some(entry.value)
        if (Option.isNone(before)) return yield* missing(key)
        const value = yield* f(before.value)
        const written = yield* Effect.either(
          set(key, schema, value, { timeout, expectedVersion: entry?.version ?? 0 })
        )
        if (Either.isRight(written)) return { key, value, version: written.right.version }
        const error = written.left
        if (error._tag !== "VersionConflict") return yield* Effect.fail(error)
        if (attempts > times) return yield* exhausted(key, attempts, error)
        yield* waitAfter(attempts, (yield* Clock.currentTimeMillis) - since)
      }
    })
  }

  function update<A, I, R>(
    key: string,
    schema: Schema.Schema<A, I, R>,
    f: (value: A) => NoInfer<A>,
    options: InitialOptions<NoInfer<A>>
  ): Update<A, UpdateError, R>
  function update<A, I, R>(
    key: string,
    schema: Schema.Schema<A, I, R>,
    f: (value: A) => NoInfer<A>,
    options?: UpdateOptions
  ): Update<A, UpdateError | KeyNotFound, R>
  function update<A, I, R>(
    key: string,
    schema: Schema.Schema<A, I, R>,
    f: (value: A) => NoInfer<A>,
    options?: UpdateOptions
  ): Update<A, UpdateError | KeyNotFound, R> {
    return updateEffect(key, schema, (value) => Effect.sync(() => f(value)), options)
  }

  return { update, updateEffect }
}
