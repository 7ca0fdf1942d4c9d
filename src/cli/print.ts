import * as Effect from "effect/Effect"

/** Writes a result to standard output. */
export const print = (text: string): Effect.Effect<void> =>
  Effect.consoleWith(({ unsafe }) => Effect.sync(() => unsafe.log(text)))

/** Writes what is no result to standard error. */
export const printError = (text: string): Effect.Effect<void> =>
  Effect.consoleWith(({ unsafe }) => Effect.sync(() => unsafe.error(text)))
