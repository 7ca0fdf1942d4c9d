import { PCGRandom } from "effect/Utils"

/** Choices that come out the same for the same seed. */
export interface Chance {
  /** An integer from 0 to just below the bound. */
  readonly below: (bound: number) => number
  readonly oneOf: <A>(items: ReadonlyArray<A>) => A
  readonly happens: (probability: number) => boolean
}

export const make = (seed: number, stream: number): Chance => {
  const random = new PCGRandom(seed, stream)
  // The first numbers of neighbouring seeds are alike.
  for (let count = 0; count < 8; count++) random.number()
  const below: Chance["below"] = (bound) => Math.floor(random.number() * bound)
  return {
    below,
    oneOf: (items) => {
      for (const item of items.slice(below(items.length))) return item
      throw new Error("there is nothing to choose from")
    },
    happens: (probability) => random.number() < probability
  }
}
