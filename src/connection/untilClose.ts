import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"

/**
 * Calls `begin` now, and `end` when the scope closes. As `Effect.acquireRelease` for what is no effect: that gives a release the services
 * back which the fiber had that acquired, and in a gateway, with its many, this takes far longer than to leave a set.
 */
export const untilClose = (begin: () => void, end: () => void): Effect.Effect<void, never, Scope.Scope> =>
  Effect.flatMap(Effect.scope, (scope) =>
    Effect.uninterruptible(Effect.suspend(() => {
      begin()
      return Scope.addFinalizer(scope, Effect.sync(end))
    })))

/** Calls a function when the scope closes. */
export const atClose = (end: () => void): Effect.Effect<void, never, Scope.Scope> => untilClose(() => {}, end)

/** Has a set hold something until the scope closes. */
export const holding = <A>(set: Set<A>, one: A): Effect.Effect<void, never, Scope.Scope> =>
  untilClose(() => void set.add(one), () => void set.delete(one))
