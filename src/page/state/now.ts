import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { makeCell } from "./Cell.js"

/** The time in milliseconds since 1970, to the second, for what is shown relative to it. */
export const now = makeCell(Effect.runSync(Clock.currentTimeMillis))

/** Keeps the time up to date for ever. */
export const keepTime: Effect.Effect<never> = Clock.currentTimeMillis.pipe(
  Effect.map((milliseconds) => now.set(milliseconds)),
  Effect.zipRight(Effect.sleep("1 second")),
  Effect.forever
)
