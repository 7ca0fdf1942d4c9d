import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Chance } from "./Chance.js"

/** What a target is given at a time: frames, bodies, texts. */
export type Input = ReadonlyArray<string>

/** A property of a target does not hold. */
export class Wrong extends Data.TaggedError("Wrong")<{ readonly message: string }> {}

/** Something that takes whatever comes. */
export interface Target {
  readonly generate: (chance: Chance) => Input
  /** What has to be done before the next input, and takes its time. */
  readonly prepare: Effect.Effect<void>
  /** Handles an input, and sees whether it is handled well. To die is wrong, too. */
  readonly check: (input: Input) => Effect.Effect<void, Wrong>
}

/** How a target is made; what belongs to it ends with the scope. */
export interface Making {
  readonly name: string
  readonly make: Effect.Effect<Target, never, Scope.Scope>
}
