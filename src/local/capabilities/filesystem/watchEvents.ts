import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { byCodePoint } from "../../workspace/names.js"
import { fromSegments, isReserved } from "../../workspace/pathForm.js"
import { isTemporaryName } from "../../workspace/publish.js"
import type { FileStatus, PathFailure, Workspace, WorkspacePath } from "../../workspace/Workspace.js"
import type { Glob } from "./Glob.js"
import type { RawEvent } from "./watcher.js"

export type EventType = "create" | "modify" | "delete" | "rename"

/** Something that happened below a watched directory; the paths are relative to it, `""` is the directory itself. */
export interface FileEvent {
  readonly type: EventType
  readonly relative: string
  /** Where the file was, if it was renamed. */
  readonly oldRelative?: string
}

/** What is watched, and what of it is wanted. */
export interface Watched {
  readonly workspace: Workspace
  readonly path: WorkspacePath
  /** The directory on the host, without links. */
  readonly hostPath: string
  readonly recursive: boolean
  readonly eventTypes: ReadonlySet<EventType>
  readonly glob: Glob | undefined
}

/** What stays the same when a file is renamed: when it was made and changed, and its size. */
type Identity = string

/** The files that are known, by relative path; undefined where there are too many to keep in mind. */
export type KnownFiles = Map<string, Identity> | undefined

const maximumKnownFiles = 10_000

// A file's number would not do: the system gives it to another file as soon as the first one is gone.
const identityOf = ({ created, modified, size, type }: FileStatus): Identity | undefined =>
  created === undefined || type !== "file"
    ? undefined
    : `${DateTime.toEpochMillis(created)} ${DateTime.toEpochMillis(modified)} ${size}`

/** Notes the files that are there. Without it no rename is recognised, so that nothing that fails here matters. */
export const knownFiles = ({ path, recursive, workspace }: Watched): Effect.Effect<KnownFiles> =>
  workspace.walk(path, { includeHidden: true }).pipe(
    Stream.filter(({ relative }) => recursive || !relative.includes("/")),
    Stream.take(maximumKnownFiles + 1),
    Stream.runFold(new Map<string, Identity>(), (known, file) => known.set(file.relative, identityOf(file) ?? "")),
    Effect.map((known) => known.size > maximumKnownFiles ? undefined : known),
    Effect.catchAll(() => Effect.succeed(undefined))
  )

/** The path below the watched directory; none for what nobody is to hear of. */
const relativeOf = ({ hostPath, path, recursive }: Watched, event: RawEvent): Option.Option<string> => {
  if (event.path === hostPath) return Option.some("")
  if (!event.path.startsWith(`${hostPath}/`)) return Option.none()
  const names = event.path.slice(hostPath.length + 1).split("/")
  const [first = ""] = [...path.segments, ...names]
  return isReserved(first) || names.some(isTemporaryName) || (!recursive && names.length > 1)
    ? Option.none()
    : Option.some(names.join("/"))
}

interface Change {
  readonly type: RawEvent["type"]
  readonly relative: string
  /** What the file is now, or was before it was deleted. */
  readonly identity: Identity | undefined
}

const statusOf = ({ path, workspace }: Watched, relative: string): Effect.Effect<Identity | undefined, PathFailure> =>
  Effect.map(
    workspace.status(fromSegments([...path.segments, ...relative.split("/")])),
    (status) => Option.getOrUndefined(Option.map(status, identityOf))
  )

const examine = (watched: Watched, known: KnownFiles, { type }: RawEvent, relative: string): Effect.Effect<Change> =>
  type === "delete" || known === undefined || relative === ""
    ? Effect.succeed({ type, relative, identity: known?.get(relative) })
    : Effect.map(
      Effect.catchAll(statusOf(watched, relative), () => Effect.succeed(undefined)),
      (identity) => ({ type, relative, identity })
    )

const onlyOnes = (changes: ReadonlyArray<Change>): ReadonlyMap<Identity, Change> => {
  const found = new Map<Identity, Change | undefined>()
  for (const change of changes) {
    const { identity } = change
    if (identity !== undefined && identity !== "") found.set(identity, found.has(identity) ? undefined : change)
  }
  return new Map(Array.from(found).flatMap(([identity, change]) => change === undefined ? [] : [[identity, change]]))
}

/** Pairs the one file that went with the one that came, where they are the same. By the relative path of each. */
const renamesAmong = (changes: ReadonlyArray<Change>): ReadonlyArray<readonly [from: Change, to: Change]> => {
  const gone = onlyOnes(changes.filter(({ type }) => type === "delete"))
  const come = onlyOnes(changes.filter(({ type }) => type === "create"))
  return Array.from(gone).flatMap(([identity, from]) => {
    const to = come.get(identity)
    return to === undefined ? [] : [[from, to] as const]
  })
}

const remember = (known: KnownFiles, changes: ReadonlyArray<Change>): void => {
  if (known === undefined) return
  for (const { relative, type } of changes) if (type === "delete") known.delete(relative)
  for (const { identity, relative, type } of changes) {
    if (type !== "delete" && identity !== undefined && known.size < maximumKnownFiles) known.set(relative, identity)
  }
}

const eventOf = (known: KnownFiles, { relative, type }: Change): FileEvent => ({
  relative,
  // A file that is replaced in one step comes as a new one.
  type: type === "create" && known?.has(relative) !== true ? "create" : type === "delete" ? "delete" : "modify"
})

/**
 * What happened, in the words of the capability, sorted by path. A file that went and one that came at the same time are
 * a rename if they were made and changed at the same times and have the same size, and nothing else in the batch does.
 * Directories, and files of a file system that does not know when they were made, are deleted and created instead.
 */
export const translate = (
  watched: Watched,
  known: KnownFiles,
  batch: ReadonlyArray<RawEvent>
): Effect.Effect<ReadonlyArray<FileEvent>> =>
  Effect.gen(function*() {
    const changes = yield* Effect.forEach(
      batch.flatMap((event) =>
        Option.toArray(Option.map(relativeOf(watched, event), (relative) => ({ event, relative })))
      ),
      ({ event, relative }) => examine(watched, known, event, relative)
    )
    const renames = watched.eventTypes.has("rename") ? renamesAmong(changes) : []
    const renamed = new Set(renames.flat())
    const events = [
      ...changes.filter((change) => !renamed.has(change)).map((change) => eventOf(known, change)),
      ...renames.map(([from, to]): FileEvent => ({ type: "rename", relative: to.relative, oldRelative: from.relative }))
    ]
    remember(known, changes)
    return events
      .filter((event) => watched.eventTypes.has(event.type) && isWanted(watched.glob, event))
      .sort((one, other) => byCodePoint(one.relative, other.relative))
  })

/** The end of the watched directory itself is told whatever the pattern. */
const isWanted = (glob: Glob | undefined, { oldRelative, relative }: FileEvent): boolean =>
  glob === undefined || relative === "" || glob.matches(relative) ||
  (oldRelative !== undefined && glob.matches(oldRelative))
