import * as Effect from "effect/Effect"

/**
 * Lets so many effects run at a time. The others wait, and begin in the order in which they came: nobody who comes back at
 * once overtakes them.
 */
export interface Turns {
  /** Whether one more would begin without waiting. */
  readonly isFree: () => boolean
  readonly run: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Takes a turn that is free, which is to be given back by `release`; false where none is. */
  readonly tryTake: () => boolean
  readonly release: () => void
  /** Done when none runs or waits. */
  readonly idle: Effect.Effect<void>
}

export const make = (atATime: number): Turns => {
  let free = atATime
  const waiting = new Set<() => void>()
  const onIdle = new Set<() => void>()

  const release = () => {
    const [first] = waiting
    if (first === undefined) {
      free++
      if (free === atATime) { for (const tell of onIdle) tell() }
      return
    }
    waiting.delete(first)
    first()
  }

  /** To be run where nothing interrupts but what is restored. */
  const wait = (restore: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>) =>
    Effect.suspend(() => {
      let isMine = false
      let resume = () => {}
      const begin = () => {
        isMine = true
        resume()
      }
      waiting.add(begin)
      const begun = Effect.async<void>((done) => {
        resume = () => done(Effect.void)
        if (isMine) resume()
      })
      // A turn that is given in the same moment as its effect is interrupted goes on to the next.
      return Effect.onError(restore(begun), () =>
        Effect.sync(() => {
          if (isMine) release()
          else waiting.delete(begin)
        }))
    })

  const tryTake = () => {
    if (free === 0) return false
    free--
    return true
  }

  // What `Effect.ensuring` does, in fewer steps: every invocation of the gateway goes through here.
  const thenRelease = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.matchCauseEffect(effect, {
      onFailure: (cause) => {
        release()
        return Effect.failCause(cause)
      },
      onSuccess: (value) => {
        release()
        return Effect.succeed(value)
      }
    })

  const idle = Effect.async<void>((resume) => {
    if (free === atATime) return resume(Effect.void)
    const tell = () => {
      onIdle.delete(tell)
      resume(Effect.void)
    }
    onIdle.add(tell)
    return Effect.sync(() => onIdle.delete(tell))
  })

  return {
    idle,
    isFree: () => free > 0,
    tryTake,
    release,
    run: (effect) =>
      Effect.uninterruptibleMask((restore) => {
        const running = thenRelease(restore(effect))
        return tryTake() ? running : Effect.zipRight(wait(restore), running)
      })
  }
}
