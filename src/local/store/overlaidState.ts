import { compareBytes } from "./prefixes.js"
import type { Inside, Own, StateOverlay } from "./StateOverlay.js"
import { committed, type Reader, type Summary, tooLarge, type Version, type VersionSummary } from "./stateReading.js"
import * as rows from "./stateRows.js"
import * as statements from "./stateStatements.js"
import {
  type Author,
  bytesOf,
  type Change,
  decideRemoved,
  decideStored,
  type Limits,
  type NotWritten,
  type Place,
  readStanding,
  type Removed,
  type Standing,
  type Stored,
  totalOfVersions,
  versionsKept
} from "./stateWrites.js"
import type { RowsOf } from "./TransactionLevel.js"

const noSpace: Standing = {
  used: 0,
  keys: 0,
  removed: 0,
  floor: 0,
  changes: 0,
  version: null,
  isRemoved: null,
  owner: null,
  createdAt: null,
  oldestSize: null
}

const isBelow = ({ below, hidesBelow, pushedOut }: Own, version: number) =>
  !hidesBelow && version <= below.version && !pushedOut.includes(version)

const sizeOf = (rowsOf: RowsOf, { key, space }: Place, own: Own, version: number): number | null => {
  const found = own.versions.find((one) => one.version === version)
  if (found !== undefined) return found.size
  if (!isBelow(own, version)) return null
  return rows.sizes(rowsOf(statements.sizeOfVersion, [space, key, version]))[0]?.size ?? null
}

/** How things stand over an overlay; without one, how they stand in the store. */
export const standingOver = (rowsOf: RowsOf, overlay: StateOverlay | undefined, place: Place): Standing => {
  const now = readStanding(rowsOf, place) ?? noSpace
  if (overlay === undefined) return now
  const { bytes, changes, keys, removed } = overlay.allDifferences(place.space)
  const space = {
    used: now.used + bytes,
    keys: now.keys + keys,
    removed: now.removed + removed,
    floor: now.floor,
    changes: now.changes + changes
  }
  const own = overlay.of(place)
  if (own === undefined) return { ...now, ...space }
  const { createdAt, owner, version } = own.last
  return {
    ...space,
    version,
    isRemoved: own.last._tag === "Removed" ? 1 : 0,
    owner,
    createdAt,
    oldestSize: sizeOf(rowsOf, place, own, version - versionsKept + 1)
  }
}

const shown = (own: Own, { author, size, text, version }: Stored): Version => ({
  value: JSON.parse(text),
  version,
  size,
  owner: own.last.owner,
  createdAt: own.last.createdAt ?? author.at,
  updatedAt: author.at
})

// The newest first.
const versionsOf = (rowsOf: RowsOf, { key, space }: Place, own: Own): ReadonlyArray<VersionSummary> => {
  const above = own.versions.map(({ author, size, version }) => ({ version, size, updatedAt: author.at })).reverse()
  if (own.hidesBelow || own.below.version === 0) return above
  const below = rows.sizes(rowsOf(statements.sizes, [space, key, Number.MAX_SAFE_INTEGER]))
  return [...above, ...below.filter(({ version }) => isBelow(own, version))]
}

const oneVersion = (rowsOf: RowsOf, place: Place, own: Own, number: number): Version | undefined => {
  if (own.last._tag === "Removed") return undefined
  const found = own.versions.find(({ version }) => version === number)
  if (found !== undefined) return shown(own, found)
  const below = isBelow(own, number) ? committed.get(rowsOf, place, number) : undefined
  return below === undefined ? undefined : { ...below, owner: own.last.owner }
}

const summariesOf = (own: ReadonlyMap<string, Own>): ReadonlyArray<Summary> =>
  [...own].flatMap(([key, { last }]) =>
    last._tag === "Removed"
      ? []
      : [{ key, version: last.version, size: last.size, owner: last.owner, updatedAt: last.author.at }]
  )

const byKey = (one: { readonly key: string }, other: { readonly key: string }) => compareBytes(one.key, other.key)

/** What is committed, and what an overlay makes of it. */
export const readerOver = (overlay: StateOverlay): Reader => ({
  get: (rowsOf, place, version) => {
    const own = overlay.of(place)
    return own === undefined
      ? committed.get(rowsOf, place, version)
      : oneVersion(rowsOf, place, own, version ?? own.last.version)
  },

  history: (rowsOf, place, limit) => {
    const own = overlay.of(place)
    if (own === undefined) return committed.history(rowsOf, place, limit)
    const versions = versionsOf(rowsOf, place, own).slice(0, limit)
    return tooLarge(versions) ?? versions.flatMap(({ version }) => oneVersion(rowsOf, place, own, version) ?? [])
  },

  versions: (rowsOf, place) => {
    const own = overlay.of(place)
    return own === undefined
      ? committed.versions(rowsOf, place)
      : versionsOf(rowsOf, place, own).slice(0, versionsKept)
  },

  list: (rowsOf, space, prefix, limit) => {
    const own = overlay.inRange(space, prefix)
    if (own.size === 0) return committed.list(rowsOf, space, prefix, limit)
    const below = committed.list(rowsOf, space, prefix, Number.MAX_SAFE_INTEGER).entries
    const entries = [...below.filter(({ key }) => !own.has(key)), ...summariesOf(own)].sort(byKey)
    return {
      entries: entries.slice(0, limit),
      count: entries.length,
      totalBytes: entries.reduce((bytes, { size }) => bytes + size, 0)
    }
  },

  query: (rowsOf, space, prefix) => {
    const own = overlay.inRange(space, prefix)
    if (own.size === 0) return committed.query(rowsOf, space, prefix)
    const below = committed.list(rowsOf, space, prefix, Number.MAX_SAFE_INTEGER).entries
    const others = below.filter(({ key }) => !own.has(key))
    const all = [...others, ...summariesOf(own)].sort(byKey)
    return tooLarge(all) ?? all.flatMap(({ key }) => {
      const ofKey = own.get(key)
      const place = { space, key }
      const found = ofKey === undefined
        ? committed.get(rowsOf, place, undefined)
        : oneVersion(rowsOf, place, ofKey, ofKey.last.version)
      return found === undefined ? [] : [{ key, ...found }]
    })
  },

  used: (rowsOf, space) => committed.used(rowsOf, space) + overlay.allDifferences(space).bytes
})

// What is thrown is a failure of the statements; whoever runs the handler knows better what it means.
const admit = (inside: Inside, bytes: number) => {
  const refusal = inside.overlay.refusal(bytes)
  if (refusal === undefined) return
  inside.refusal = refusal
  throw refusal
}

type Committed = (change: Change) => void

/** Writes a value into an overlay. Throws where the transaction may write nothing more. */
export const store = (
  rowsOf: RowsOf,
  inside: Inside,
  place: Place,
  text: string,
  author: Author,
  expected: number | undefined,
  limits: Limits,
  committed: Committed | undefined
): Stored | NotWritten => {
  const now = standingOver(rowsOf, inside.overlay, place)
  const decided = decideStored(now, place, text, author, expected, limits)
  if (decided._tag === "Stored") {
    admit(inside, bytesOf(text))
    inside.overlay.add({ write: decided, limits, committed }, now)
  }
  return decided
}

/** Removes a key in an overlay. Throws where the transaction may write nothing more. */
export const remove = (
  rowsOf: RowsOf,
  inside: Inside,
  place: Place,
  author: Pick<Author, "at" | "source">,
  limits: Limits,
  committed: Committed | undefined
): Removed | undefined => {
  const { overlay } = inside
  const now = standingOver(rowsOf, overlay, place)
  const kept = () => {
    const own = overlay.of(place)
    if (own === undefined) return totalOfVersions(rowsOf, place)
    const versions = versionsOf(rowsOf, place, own)
    return { count: versions.length, size: versions.reduce((bytes, { size }) => bytes + size, 0) }
  }
  const decided = decideRemoved(now, place, author, kept)
  if (decided !== undefined) {
    admit(inside, 0)
    overlay.add({ write: decided, limits, committed }, now)
  }
  return decided
}
