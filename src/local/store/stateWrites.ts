import { Buffer } from "node:buffer"
import { ResourceExhausted } from "../../errors/general.js"
import { QuotaExceeded } from "../../errors/state.js"
import * as rows from "./stateRows.js"
import * as statements from "./stateStatements.js"
import type { RowsOf } from "./TransactionLevel.js"

/** How many versions of a key are kept. */
export const versionsKept = 100

/** How many removed keys of a space are remembered, so that their versions go on; older ones raise the first version of all new keys. */
export const removedKept = 10_000

/** What a space may hold. */
export interface Limits {
  /** Bytes of the keys and values of all versions that are kept. */
  readonly quotaBytes: number
  readonly maximumKeys: number
}

/** Whose state it is, and what in it. */
export interface Place {
  readonly space: string
  readonly key: string
}

/** Who changes something, in which session or for which approval, and when. */
export interface Author {
  readonly agent: string
  readonly source: string
  readonly at: number
}

/** A change as those are told it who watch; `number` grows with every change of a space. */
export interface Change {
  readonly key: string
  readonly version: number
  /** The agent that created the key. */
  readonly owner: string
  readonly deleted: boolean
  readonly number: number
}

/** A write that is not made: `actual` is the version that is there in place of the expected one, 0 for none. */
export type NotWritten =
  | { readonly _tag: "Conflict"; readonly actual: number }
  | { readonly _tag: "Refused"; readonly error: QuotaExceeded | ResourceExhausted }

/** A space, and a key in it. `oldestSize` is that of the version that one more would push out. */
export interface Standing {
  readonly used: number
  readonly keys: number
  readonly removed: number
  readonly floor: number
  readonly changes: number
  readonly version: number | null
  readonly isRemoved: number | null
  readonly owner: string | null
  readonly createdAt: number | null
  readonly oldestSize: number | null
}

/** What changes make of a space. */
export interface Difference {
  readonly bytes: number
  readonly keys: number
  readonly removed: number
  readonly changes: number
}

/** A version as it is to be in the store. */
export interface Stored {
  readonly _tag: "Stored"
  readonly place: Place
  readonly text: string
  readonly size: number
  readonly version: number
  readonly previousVersion: number
  readonly owner: string
  readonly createdAt: number
  readonly author: Author
  readonly pushesOut: boolean
  readonly difference: Difference
}

/** A key as it is to be removed from the store. */
export interface Removed {
  readonly _tag: "Removed"
  readonly place: Place
  readonly version: number
  readonly owner: string
  readonly createdAt: number | null
  readonly author: Pick<Author, "at" | "source">
  readonly difference: Difference
}

export type Write = Stored | Removed

export const bytesOf = (text: string) => Buffer.byteLength(text)

/** The number of the live version, 0 for none. */
export const liveVersion = ({ isRemoved, version }: Standing): number => isRemoved === 0 ? version ?? 0 : 0

/** The number that the next version has. */
export const nextVersion = ({ floor, version }: Standing): number => (version ?? floor) + 1

export const readStanding = (rowsOf: RowsOf, { key, space }: Place): Standing | undefined =>
  rows.standing(rowsOf(statements.standing, [versionsKept - 1, key, space]))[0]

const nothing: Difference = { bytes: 0, keys: 0, removed: 0, changes: 0 }

/** Two differences in one. */
export const plus = (one: Difference = nothing, other: Difference = nothing): Difference => ({
  bytes: one.bytes + other.bytes,
  keys: one.keys + other.keys,
  removed: one.removed + other.removed,
  changes: one.changes + other.changes
})

/** How many versions of a key are kept in the store, and the bytes of their values. */
export const totalOfVersions = (rowsOf: RowsOf, { key, space }: Place) =>
  rows.total(rowsOf(statements.totalOfVersions, [space, key]))[0] ?? { count: 0, size: 0 }

/** Makes a space, if there is none of the name. */
export const makeSpace = (rowsOf: RowsOf, place: Place): Standing => {
  const found = readStanding(rowsOf, place)
  if (found !== undefined) return found
  rowsOf(statements.makeSpace, [place.space])
  const made = readStanding(rowsOf, place)
  if (made === undefined) throw new Error("a space of the state cannot be made")
  return made
}

/** Why a space has no room for so much more, if it has none. */
export const refusalOf = (
  { keys, used }: Pick<Standing, "keys" | "used">,
  more: Pick<Difference, "bytes" | "keys">,
  { maximumKeys, quotaBytes }: Limits
): QuotaExceeded | ResourceExhausted | undefined => {
  if (more.keys > 0 && keys + more.keys > maximumKeys) {
    return new ResourceExhausted({
      message: `There are ${maximumKeys} keys, as many as there may be`,
      resource: "state_keys",
      limit: maximumKeys,
      current: maximumKeys
    })
  }
  return more.bytes <= 0 || used + more.bytes <= quotaBytes ? undefined : new QuotaExceeded({
    message: `${more.bytes} bytes more do not fit: ${used} of ${quotaBytes} are used, and nothing was stored`,
    used,
    limit: quotaBytes
  })
}

/** What a write of a value comes to, as things stand. */
export const decideStored = (
  now: Standing,
  place: Place,
  text: string,
  author: Author,
  expected: number | undefined,
  limits: Limits
): Stored | NotWritten => {
  const previousVersion = liveVersion(now)
  if (expected !== undefined && expected !== previousVersion) return { _tag: "Conflict", actual: previousVersion }
  const isLive = previousVersion > 0
  const size = bytesOf(text)
  const keyBytes = bytesOf(place.key)
  const pushesOut = isLive && now.oldestSize !== null
  const wasRemoved = !isLive && now.version !== null
  const difference = {
    bytes: size + keyBytes - (isLive && now.oldestSize !== null ? now.oldestSize + keyBytes : 0),
    keys: isLive ? 0 : 1,
    removed: wasRemoved ? -1 : 0,
    changes: 1
  }
  const error = refusalOf(now, difference, limits)
  if (error !== undefined) return { _tag: "Refused", error }
  return {
    _tag: "Stored",
    place,
    text,
    size,
    version: nextVersion(now),
    previousVersion,
    owner: isLive && now.owner !== null ? now.owner : author.agent,
    createdAt: isLive && now.createdAt !== null ? now.createdAt : author.at,
    author,
    pushesOut,
    difference
  }
}

/** What a removal comes to, as things stand; undefined where nothing is there. `kept` are all versions of the key. */
export const decideRemoved = (
  now: Standing,
  place: Place,
  author: Pick<Author, "at" | "source">,
  kept: () => { readonly count: number; readonly size: number }
): Removed | undefined => {
  const version = liveVersion(now)
  if (version === 0) return undefined
  const { count, size } = kept()
  return {
    _tag: "Removed",
    place,
    version,
    owner: now.owner ?? "",
    createdAt: now.createdAt,
    author,
    difference: { bytes: -(size + count * bytesOf(place.key)), keys: -1, removed: 1, changes: 1 }
  }
}

/** A write as those are told it who watch. */
export const changeOf = (write: Write, number: number): Change => ({
  key: write.place.key,
  version: write.version,
  owner: write.owner,
  deleted: write._tag === "Removed",
  number
})

/** Puts a write into the tables of keys and versions, but not into those of spaces: see {@link count}. */
export const put = (rowsOf: RowsOf, write: Write, number: number): void => {
  const { author: { at, source }, createdAt, owner, place: { key, space }, version } = write
  if (write._tag === "Removed") {
    rowsOf(statements.dropVersions, [space, key])
    rowsOf(statements.putEntry, [space, key, version, 1, 0, owner, createdAt, at, number, source])
    return
  }
  const { author: { agent }, previousVersion, pushesOut, size, text } = write
  rowsOf(statements.putEntry, [space, key, version, 0, size, owner, createdAt, at, number, source])
  rowsOf(statements.addVersion, [space, key, version, previousVersion, size, agent, at, source, text])
  if (pushesOut) rowsOf(statements.dropVersion, [space, key, version - versionsKept])
}

/** Counts changes of a space; no new key may have the version `floor` any more, nor an earlier one. */
export const count = (rowsOf: RowsOf, space: string, { bytes, changes, keys, removed }: Difference, floor = 0): void =>
  void rowsOf(statements.count, [bytes, keys, removed, floor, floor, changes, space])

/** Room for what is remembered has a bound, and no version may ever come again. */
export const forgetOldest = (rowsOf: RowsOf, space: string, removed: number): void => {
  if (removed <= removedKept) return
  for (const { key, version } of rows.removed(rowsOf(statements.oldestRemoved, [space, removed - removedKept]))) {
    rowsOf(statements.dropEntry, [space, key])
    count(rowsOf, space, { ...nothing, removed: -1 }, version)
  }
}
