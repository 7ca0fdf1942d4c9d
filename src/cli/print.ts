import * as Effect from "effect/Effect"
import { table } from "./text.js"

/** Writes a result to standard output. */
export const print = (text: string): Effect.Effect<void> =>
  Effect.consoleWith(({ unsafe }) => Effect.sync(() => unsafe.log(text)))

/** Writes what is no result to standard error. */
export const printError = (text: string): Effect.Effect<void> =>
  Effect.consoleWith(({ unsafe }) => Effect.sync(() => unsafe.error(text)))

/** Writes rows whose columns line up to standard output. */
export const printTable = (rows: ReadonlyArray<ReadonlyArray<string>>): Effect.Effect<void> =>
  Effect.forEach(table(rows), (line) => print(line), { discard: true })

/** Succeeds when whatever reads standard output no longer does, as in `kruxos watch | head`. */
export const outputClosed: Effect.Effect<void> = Effect.async((resume) => {
  const closed = () => resume(Effect.void)
  process.stdout.once("error", closed)
  return Effect.sync(() => void process.stdout.off("error", closed))
})
