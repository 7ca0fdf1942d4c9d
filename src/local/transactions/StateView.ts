import type { SqlError } from "@effect/sql/SqlError"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { ResourceExhausted, VersionConflict } from "../../errors/general.js"

/**
 * The persistent and the shared state as a transaction sees them: what it has written, and nobody else sees yet, over what is
 * committed.
 */
export interface StateView {
  /** Whether a capability is to run inside the view. */
  readonly holds: (capability: string) => boolean
  /**
   * Runs the handler of such a capability: it reads what the transaction has written, and what it writes is kept for the commit, also
   * where it fails later. Nothing is in the store when it ends. At most 1,000 writes, of 16 MiB, with those of all views over one:
   * ResourceExhausted.
   */
  readonly inside: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | ResourceExhausted | SqlError, R>
  /** A view over this one, for a savepoint. It reads what this one has when it reads. */
  readonly nested: () => StateView
  /**
   * Makes what was written part of the view below. Fails with VersionConflict, and changes nothing, where a key that was written has
   * changed there since it was written first, or the room for it was used up: then it can be tried again, or dropped.
   */
  readonly merge: Effect.Effect<void, VersionConflict | SqlError>
  /**
   * Makes what was written part of the store, together with what `alongside` does, in one transaction of SQLite. Fails with
   * VersionConflict, and changes nothing, where a key that was written has another version than when it was written first, or others
   * have used up the room for it. Watches are told when it is committed, in the order of the writes. It cannot be interrupted. Only of
   * a view that is not nested.
   */
  readonly commit: <A, E, R>(
    alongside: Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E | VersionConflict | SqlError, R>
  /** Forgets what was written: it is rolled back. What still runs inside fails, and nothing can be merged or committed. */
  readonly drop: Effect.Effect<void>
  /** How many writes wait for the commit. */
  readonly writes: () => number
}

/** Makes views of the state. */
export class StateViews extends Context.Tag("kruxos/local/transactions/StateViews")<StateViews, {
  readonly make: Effect.Effect<StateView>
}>() {}
