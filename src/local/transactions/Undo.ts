import type * as Effect from "effect/Effect"
import type { KruxosError } from "../../errors/KruxosError.js"
import type { Arguments, CheckContext } from "../recovery/EffectCheck.js"

/** Whether a step took effect whose handler failed, or was cut off. */
export type Found =
  | { readonly _tag: "NotDone" }
  /** It did; `after` is what {@link Undo.after} would have said. */
  | { readonly _tag: "Done"; readonly after: unknown }
  /** It cannot be told, so that nothing may be undone. */
  | Conflict

/** What came of undoing a step. */
export type Undone = { readonly _tag: "Undone" } | Conflict

/** Somebody else changed what the step had changed. It is left alone; `savedAs` says where the earlier content is kept. */
export interface Conflict {
  readonly _tag: "Conflict"
  readonly resource: string
  readonly savedAs?: string | undefined
  /** What else of the same step was left alone. */
  readonly others?: ReadonlyArray<{ readonly resource: string; readonly savedAs?: string | undefined }> | undefined
}

/** How a capability is undone inside a transaction. All that it keeps is JSON, which a later gateway process can go on with. */
export interface Undo {
  /**
   * What undoing will need, which is in the journal and on the disk before the handler begins. Contents that have to be kept are kept
   * by it, outside of the journal.
   */
  readonly before: (input: Arguments, context: CheckContext) => Effect.Effect<unknown, KruxosError>
  /** How things are after the handler has succeeded, to tell later whether somebody else changed them. */
  readonly after: (
    input: Arguments,
    before: unknown,
    output: unknown,
    context: CheckContext
  ) => Effect.Effect<unknown>
  /** The same where the handler has not succeeded, or nobody knows whether it has. */
  readonly found: (input: Arguments, before: unknown, context: CheckContext) => Effect.Effect<Found>
  /** Undoes it, if nobody has changed anything since. It can be called again where it was cut off. */
  readonly undo: (
    input: Arguments,
    before: unknown,
    after: unknown,
    context: CheckContext
  ) => Effect.Effect<Undone>
  /** Forgets what `before` has kept: nothing has to be undone any more. */
  readonly release: (before: unknown, context: CheckContext) => Effect.Effect<void>
  /** Runs an effect while no other invocation changes the same things: from `before` until `after` is recorded. */
  readonly alone: <A, E, R>(
    input: Arguments,
    context: CheckContext,
    effect: Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E, R>
}
