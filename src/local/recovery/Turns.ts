import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { service } from "../inOrder.js"

/** Lets what has a place in common come one after the other. */
export interface Turns {
  /** Runs an effect while no other one holds any of the places; in the order of arrival. */
  readonly take: <A, E, R>(places: ReadonlyArray<string>, effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

interface Place {
  readonly semaphore: Effect.Semaphore
  users: number
}

/** The turns of all that a gateway may have to undo, or to look at after a crash. */
export class FileTurns extends Context.Tag("kruxos/local/recovery/FileTurns")<FileTurns, Turns>() {}

/** Makes {@link Turns}. A place that nobody holds takes up no room. */
export const make = (): Turns => {
  const held = new Map<string, Place>()

  const enter = (name: string) =>
    Effect.sync(() => {
      const place = held.get(name) ?? { semaphore: Effect.unsafeMakeSemaphore(1), users: 0 }
      place.users++
      held.set(name, place)
      return place
    })

  const leave = (name: string) => (place: Place) =>
    Effect.sync(() => {
      place.users--
      if (place.users === 0) held.delete(name)
    })

  const takeOne = <A, E, R>(name: string, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.acquireUseRelease(enter(name), ({ semaphore }) => semaphore.withPermits(1)(effect), leave(name))

  return {
    // In one order everywhere, so that no two wait for each other.
    take: (places, effect) => [...new Set(places)].sort().reduceRight((inner, name) => takeOne(name, inner), effect)
  }
}

/** One and the same for whatever is built in order. */
export const layer: Layer.Layer<FileTurns> = service(FileTurns, Effect.sync(make))
