import * as Data from "effect/Data"

/**
 * A cassette that cannot be replayed: it is not there (`missing`), cannot be read (`unreadable`), was made by another version of the
 * recorder (`other-version`), or is not one (`malformed`).
 */
export class CassetteUnreadable extends Data.TaggedError("CassetteUnreadable")<{
  readonly file: string
  readonly reason: "missing" | "unreadable" | "other-version" | "malformed"
  readonly message: string
  readonly cause?: unknown
}> {}

/** There is no place to write the cassette to. */
export class CassetteUnwritable extends Data.TaggedError("CassetteUnwritable")<{
  readonly file: string
  readonly message: string
  readonly cause?: unknown
}> {}

/** One thing that did not go as it was recorded. */
export type Drift =
  /** Asked, and not in the cassette, or not as often. `nearest` says what is different from what was recorded. */
  | {
    readonly _tag: "NotRecorded"
    readonly method: string
    readonly params: unknown
    readonly nearest: string | undefined
  }
  /** In the cassette, and not asked. */
  | { readonly _tag: "NotAsked"; readonly method: string; readonly params: unknown; readonly step: number }

/** The program did not ask what it had asked when the cassette was recorded. `message` is the difference, for a human. */
export class CassetteMismatch extends Data.TaggedError("CassetteMismatch")<{
  readonly file: string
  readonly drifts: ReadonlyArray<Drift>
  readonly message: string
}> {}
