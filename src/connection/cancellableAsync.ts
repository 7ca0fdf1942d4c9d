import * as Effect from "effect/Effect"

/**
 * `Effect.async` for what must not go on unheard: whoever is interrupted once it has begun cancels it. Effect's own begins it before it
 * minds interruption, and so one that comes in between, when the fiber lets others run, would not be noticed.
 */
export const cancellableAsync = <A, E = never>(
  begin: (resume: (end: Effect.Effect<A, E>) => void) => (() => void) | undefined
): Effect.Effect<A, E> =>
  Effect.suspend(() => {
    let cancel: (() => void) | undefined
    return Effect.onInterrupt(
      Effect.async<A, E>((resume) => {
        cancel = begin(resume)
      }),
      () => Effect.sync(() => cancel?.())
    )
  })
