import * as Data from "effect/Data"
import type * as DateTime from "effect/DateTime"
import type * as Option from "effect/Option"

/** What is stored under a key. Source: the guide's `StateEntry`; a key that is missing has none. */
export interface StateEntry<A = unknown> {
  readonly key: string
  readonly value: A
}

/** An entry that knows how often its key has been written; a version that was given once is never given again. */
export interface VersionedEntry<A = unknown> extends StateEntry<A> {
  readonly version: number
}

/** One version of a key of the persistent state. A gateway may leave its times out. */
export interface PersistentEntry<A = unknown> extends VersionedEntry<A> {
  /** When the key was created. */
  readonly createdAt: DateTime.Utc | undefined
  /** When this version was written. */
  readonly updatedAt: DateTime.Utc | undefined
}

/** A key of the shared state, as it is now. A gateway may leave the owner and the time out. */
export interface SharedEntry<A = unknown> extends VersionedEntry<A> {
  /** The agent that the entry belongs to, as the gateway says. */
  readonly ownerAgent: string | undefined
  /** When this version was written. */
  readonly updatedAt: DateTime.Utc | undefined
}

/** A key of the persistent state in a list, without its value. */
export interface PersistentKey {
  readonly key: string
  readonly version: number
  readonly sizeBytes: number
  readonly updatedAt: DateTime.Utc
}

/** A key of the shared state in a list, without its value. */
export interface SharedKey extends PersistentKey {
  readonly ownerAgent: string
}

/**
 * What has become of the shared state:
 *
 * - `Changed`: the key has this value now, or none any more (`deleted`; then `version` is the last one that is known of). What was
 *   written in between may be left out, the last value never is; the versions of one key only grow.
 * - `Resynced`: these are all entries that there are now, and what was known before no longer holds: versions have gone back, as they
 *   do when a backup is restored or another gateway answers. Also how a stream begins that was asked for the current values.
 */
export type StateChange<A = unknown> = Data.TaggedEnum<{
  Changed: {
    readonly key: string
    readonly version: number
    readonly ownerAgent: string | undefined
    readonly deleted: boolean
    readonly value: Option.Option<A>
  }
  Resynced: { readonly entries: ReadonlyArray<SharedEntry<A>> }
}>

interface StateChangeDefinition extends Data.TaggedEnum.WithGenerics<1> {
  readonly taggedEnum: StateChange<this["A"]>
}

export const StateChange = Data.taggedEnum<StateChangeDefinition>()
