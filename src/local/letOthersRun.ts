import * as Effect from "effect/Effect"

/**
 * Lets the process do everything else that is due, sockets included. `Effect.yieldNow` alone would let only other fibers
 * run, so that the message that cancels a long computation would not be read before its end.
 */
export const letOthersRun: Effect.Effect<void> = Effect.async<void>((resume) => {
  const immediate = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(immediate))
})

/** Counts work, in characters looked at, and says when it is time to let others run. */
export interface Pacer {
  readonly isDue: (work: number) => boolean
}

const workBetweenPauses = 256 * 1024

export const makePacer = (): Pacer => {
  let done = 0
  return {
    isDue: (work) => {
      done += work
      if (done < workBetweenPauses) return false
      done = 0
      return true
    }
  }
}
