import { VersionConflict } from "../../errors/general.js"
import { standingOver } from "./overlaidState.js"
import type { StateOverlay } from "./StateOverlay.js"
import { changeOf, count, forgetOldest, liveVersion, makeSpace, nextVersion, put, refusalOf } from "./stateWrites.js"
import type { RowsOf } from "./TransactionLevel.js"

const changed = (key: string, expectedVersion: number, actualVersion: number) =>
  new VersionConflict({
    message: expectedVersion === actualVersion
      ? `${key} was written and removed since the transaction wrote it first`
      : `${key} had ${said(expectedVersion)} when the transaction wrote it first, and has ${said(actualVersion)} now`,
    resource: key,
    expectedVersion,
    actualVersion
  })

const said = (version: number) => version === 0 ? "no version" : `version ${version}`

/**
 * Why what an overlay has written cannot become part of what is below it, if it cannot: a key is not as it was when it was written
 * first, or others have used up the room since.
 */
export const conflictOf = (rowsOf: RowsOf, overlay: StateOverlay): VersionConflict | undefined => {
  for (const [place, { below }] of overlay.written()) {
    const now = standingOver(rowsOf, overlay.below, place)
    const version = liveVersion(now)
    if (version !== below.version || nextVersion(now) !== below.next) return changed(place.key, below.version, version)
  }
  for (const { limits, write: { place } } of lastOfSpaces(overlay)) {
    const difference = overlay.differences().get(place.space)
    const now = standingOver(rowsOf, overlay.below, place)
    const refusal = difference === undefined ? undefined : refusalOf(now, difference, limits)
    if (refusal === undefined) continue
    return new VersionConflict({
      message: `Others have used up the room that there was for ${place.key}: ${refusal.message}`,
      resource: place.key,
      expectedVersion: liveVersion(now),
      actualVersion: liveVersion(now),
      cause: refusal
    })
  }
  return undefined
}

const lastOfSpaces = ({ log }: StateOverlay) =>
  new Map(log.map((logged) => [logged.write.place.space, logged])).values()

/** Puts what an overlay has written into the store, and gives what tells those who watch. */
export const putAll = (rowsOf: RowsOf, overlay: StateOverlay): () => void => {
  const spaces = new Map(
    Array.from(lastOfSpaces(overlay), ({ write: { place } }) => [place.space, makeSpace(rowsOf, place)])
  )
  const numbers = new Map<string, number>()
  const told = overlay.log.map(({ committed, write }) => {
    const { space } = write.place
    const number = (numbers.get(space) ?? spaces.get(space)?.changes ?? 0) + 1
    numbers.set(space, number)
    put(rowsOf, write, number)
    return () => committed?.(changeOf(write, number))
  })
  for (const [space, difference] of overlay.differences()) {
    count(rowsOf, space, difference)
    forgetOldest(rowsOf, space, (spaces.get(space)?.removed ?? 0) + difference.removed)
  }
  return () => {
    for (const tell of told) tell()
  }
}
