import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { Identifiers, seeded } from "./Identifiers.js"

/** Names and jitter are the same whenever the seed is. */
export const withSeed = (seed: number) => <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  // Each run begins anew, also where a layer is built again.
  Effect.suspend(() =>
    effect.pipe(Effect.provideService(Identifiers, seeded(seed)), Effect.withRandom(Random.make(seed)))
  )
