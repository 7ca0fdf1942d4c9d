import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Workspace } from "../workspace/Workspace.js"
import type { Operation } from "./operations.js"
import { pathEventsOf } from "./operations.js"
import type { ChangedFile } from "./scan.js"

/** The paths of files, as agents see them, in order. */
export interface FileChanges {
  readonly created: ReadonlyArray<string>
  readonly modified: ReadonlyArray<string>
  readonly deleted: ReadonlyArray<string>
}

/** What is known of a path: whether something was there at first, as far as the operations on it tell, and whether they changed it. */
interface Told {
  readonly existed: boolean | "unknown" | "unless made since"
  readonly isChanged: boolean
  readonly isRemoved: boolean
}

// How many paths are looked at that are known from operations alone.
const mostLooked = 1000

// An append leaves the file the one that it was.
const atFirst = {
  seen: true,
  removed: true,
  made: false,
  put: "unknown",
  appended: "unless made since"
} as const

const toldBy = (operations: ReadonlyArray<Operation>): ReadonlyMap<string, Told> => {
  const told = new Map<string, Told>()
  for (const operation of operations) {
    if (operation.succeeded !== true) continue
    for (const { event, path } of pathEventsOf(operation)) {
      const before = told.get(path)
      const known = before?.existed ?? atFirst[event]
      told.set(path, {
        existed: known === "unless made since" && event === "put" ? "unknown" : known,
        isChanged: before?.isChanged === true || event !== "seen",
        isRemoved: event === "removed" || (event === "seen" && before?.isRemoved === true)
      })
    }
  }
  return told
}

/**
 * What became of the files of a workspace since a time: from what agents did, and from the files that have a newer time now. A file that
 * was replaced as a whole has a new time of birth as well; it counts as modified where anything tells that it was there before.
 * `mentionedBefore` gives the paths that agents had to do with before; it is asked only where nothing else tells.
 */
export const fileChanges = <E, R>(
  workspace: Workspace,
  since: number,
  operations: ReadonlyArray<Operation>,
  scanned: ReadonlyMap<string, ChangedFile>,
  mentionedBefore: Effect.Effect<ReadonlySet<string>, E, R>
): Effect.Effect<FileChanges, E, R> =>
  Effect.gen(function*() {
    const told = toldBy(operations)
    const before = yield* Effect.cached(mentionedBefore)
    const created: Array<string> = []
    const modified: Array<string> = []
    const deleted: Array<string> = []

    const existed = (path: string, made: number | undefined) =>
      Effect.suspend(() => {
        const known = told.get(path)?.existed ?? "unknown"
        if (typeof known === "boolean") return Effect.succeed(known)
        if (made !== undefined && made < since) return Effect.succeed(true)
        return known === "unless made since" && made !== undefined
          ? Effect.succeed(false)
          : Effect.map(before, (paths) => paths.has(path))
      })

    const isThere = (path: string) =>
      Effect.flatMap(workspace.resolve(path), workspace.status).pipe(
        Effect.map(Option.isSome),
        Effect.orElseSucceed(() => false)
      )

    for (const [path, { made }] of scanned) {
      const list = (yield* existed(path, made)) ? modified : created
      list.push(path)
    }
    const others = [...told].filter(([path, { isChanged }]) => isChanged && !scanned.has(path)).slice(0, mostLooked)
    for (const [path, { isRemoved }] of others) {
      const wasThere = yield* existed(path, undefined)
      if (yield* isThere(path)) {
        if (!isRemoved) (wasThere ? modified : created).push(path)
      } else if (wasThere) {
        deleted.push(path)
      }
    }
    return { created: created.sort(), modified: modified.sort(), deleted: deleted.sort() }
  })
