import * as Effect from "effect/Effect"
import { byCodePoint } from "../../workspace/names.js"
import type { WalkedFile } from "../../workspace/Workspace.js"

/** How files are compared. */
export interface Hashing<E> {
  /** Larger files, in bytes, are not compared. */
  readonly maximumHashBytes: number
  readonly maximumDuplicates: number
  /** Undefined for a file that cannot be read any more. */
  readonly checksumOf: (file: WalkedFile) => Effect.Effect<string | undefined, E>
}

/** Files of the same content. */
export interface DuplicateSet {
  readonly checksum: string
  readonly size: number
  readonly paths: ReadonlyArray<string>
}

const hashedAtOnce = 4

const groupBy = <Key, A>(values: ReadonlyArray<A>, keyOf: (value: A) => Key): ReadonlyMap<Key, ReadonlyArray<A>> => {
  const groups = new Map<Key, Array<A>>()
  for (const value of values) {
    const key = keyOf(value)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [value])
    else group.push(value)
  }
  return groups
}

/** The bytes that deleting all but one of them would free. */
const reclaim = ({ paths, size }: DuplicateSet): number => size * (paths.length - 1)

/**
 * The sets of files of the same content, those first that take the most room for nothing. A file is read only if another
 * one has its size.
 */
export const findDuplicates = <E>(
  files: ReadonlyArray<WalkedFile>,
  { checksumOf, maximumDuplicates }: Hashing<E>
): Effect.Effect<{ readonly duplicates: ReadonlyArray<DuplicateSet>; readonly truncated: boolean }, E> =>
  Effect.gen(function*() {
    const found: Array<DuplicateSet> = []
    for (const [size, sameSize] of groupBy(files, (file) => file.size)) {
      if (sameSize.length < 2) continue
      const hashed = yield* Effect.forEach(
        sameSize,
        (file) => Effect.map(checksumOf(file), (checksum) => ({ path: file.path.display, checksum })),
        { concurrency: hashedAtOnce }
      )
      for (const [checksum, same] of groupBy(hashed, (file) => file.checksum)) {
        if (checksum === undefined || same.length < 2) continue
        found.push({ checksum, size, paths: same.map(({ path }) => path).sort(byCodePoint) })
      }
    }
    found.sort((one, other) => reclaim(other) - reclaim(one) || byCodePoint(one.checksum, other.checksum))
    return { duplicates: found.slice(0, maximumDuplicates), truncated: found.length > maximumDuplicates }
  })
