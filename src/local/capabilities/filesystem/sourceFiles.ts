import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { DirectoryNotFound, NotADirectory } from "../../../errors/filesystem.js"
import { ResourceExhausted } from "../../../errors/general.js"
import { letOthersRun } from "../../letOthersRun.js"
import { fromSegments } from "../../workspace/pathForm.js"
import { isTemporaryName } from "../../workspace/publish.js"
import type { DirectoryEntry, PathFailure, WalkedFile, Workspace, WorkspacePath } from "../../workspace/Workspace.js"
import { ignoredBy, type IgnoreRules, parseIgnoreRules } from "./gitignore.js"
import { decodeLeniently } from "./textFile.js"

/** What is left out besides hidden names. */
const excludedDirectories = ["node_modules"]

const maximumIgnoreFileBytes = 256 * 1024

/** The rules of one directory; `depth` is the number of names in the directory's path. */
interface DirectoryRules {
  readonly depth: number
  readonly rules: IgnoreRules
}

interface Pending {
  readonly path: WorkspacePath
  /** From the outermost directory to the innermost. */
  readonly rules: ReadonlyArray<DirectoryRules>
}

/** Which files are given. */
export interface SourceFileOptions {
  /** Leaves out hidden names (those that start with a dot, `.git` among them) and `node_modules`. */
  readonly defaultExclusions: boolean
  /** Leaves out what the `.gitignore` files between the workspace's root and the file say. */
  readonly gitignore: boolean
}

const childOf = (parent: WorkspacePath, name: string): WorkspacePath => fromSegments([...parent.segments, name])

const rulesIn = (
  workspace: Workspace,
  directory: WorkspacePath
): Effect.Effect<ReadonlyArray<DirectoryRules>, PathFailure> =>
  workspace.read(childOf(directory, ".gitignore"), { limit: maximumIgnoreFileBytes }).pipe(
    Effect.filterOrFail(
      ({ size }) => size <= maximumIgnoreFileBytes,
      ({ size }) =>
        new ResourceExhausted({
          message: `${directory.display}/.gitignore is larger than ${maximumIgnoreFileBytes} bytes`,
          resource: ".gitignore file",
          limit: maximumIgnoreFileBytes,
          current: size
        })
    ),
    Effect.map(({ bytes }) => [{ depth: directory.segments.length, rules: parseIgnoreRules(decodeLeniently(bytes)) }]),
    Effect.catchTags({
      FileNotFound: () => Effect.succeed([]),
      // A directory of that name, or a link that leads nowhere or out: git takes no rules from these either.
      InvalidInput: () => Effect.succeed([]),
      PathOutOfScope: () => Effect.succeed([])
    })
  )

const ancestorsOf = (path: WorkspacePath): ReadonlyArray<WorkspacePath> =>
  path.segments.map((_, depth) => fromSegments(path.segments.slice(0, depth)))

const isIgnored = ({ path, rules }: Pending, entry: DirectoryEntry): boolean => {
  const names = [...path.segments, entry.name]
  for (const { depth, rules: here } of [...rules].reverse()) {
    const decision = ignoredBy(here, names.slice(depth).join("/"), entry.type === "directory")
    if (decision !== undefined) return decision
  }
  return false
}

const visit = (workspace: Workspace, start: WorkspacePath, directory: Pending, options: SourceFileOptions) =>
  Effect.gen(function*() {
    yield* letOthersRun
    const entries = yield* workspace.entries(directory.path)
    const hasRules = options.gitignore && entries.some(({ name }) => name === ".gitignore")
    const here: Pending = {
      path: directory.path,
      rules: hasRules ? [...directory.rules, ...yield* rulesIn(workspace, directory.path)] : directory.rules
    }
    const shown = entries.filter((entry) =>
      !isTemporaryName(entry.name) &&
      !(options.defaultExclusions && (entry.name.startsWith(".") || excludedDirectories.includes(entry.name))) &&
      !isIgnored(here, entry)
    )
    const relative = (name: string) => [...here.path.segments.slice(start.segments.length), name].join("/")
    return {
      files: shown.filter(({ type }) => type === "file").map(({ name, ...status }): WalkedFile => ({
        ...status,
        path: childOf(here.path, name),
        relative: relative(name)
      })),
      directories: shown.filter(({ type }) => type === "directory").map(({ name }): Pending => ({
        path: childOf(here.path, name),
        rules: here.rules
      }))
    }
  })

/**
 * The files below a directory that are somebody's sources: without what `options` leave out, and without entering what is
 * left out. Symbolic links are not followed, and directories that vanish or may not be read are passed over.
 */
export const sourceFiles = (
  workspace: Workspace,
  start: WorkspacePath,
  options: SourceFileOptions
): Stream.Stream<WalkedFile, PathFailure | DirectoryNotFound | NotADirectory> =>
  Stream.unwrap(Effect.map(
    options.gitignore ? Effect.forEach(ancestorsOf(start), (path) => rulesIn(workspace, path)) : Effect.succeed([]),
    (rules) =>
      Stream.paginateChunkEffect(
        Array.of<Pending>({ path: start, rules: rules.flat() }),
        (pending) => {
          const directory = pending.at(-1)
          const rest = pending.slice(0, -1)
          if (directory === undefined) return Effect.succeed([Chunk.empty<WalkedFile>(), Option.none()])
          const visited = visit(workspace, start, directory, options)
          const isStart = directory.path.segments.length === start.segments.length
          return Effect.map(
            isStart ? visited : Effect.catchTags(visited, {
              DirectoryNotFound: () => Effect.succeed({ files: [], directories: [] }),
              NotADirectory: () => Effect.succeed({ files: [], directories: [] }),
              PermissionDenied: () => Effect.succeed({ files: [], directories: [] })
            }),
            ({ directories, files }) => {
              const next = [...rest, ...directories.reverse()]
              return [Chunk.fromIterable(files), next.length === 0 ? Option.none() : Option.some(next)]
            }
          )
        }
      )
  ))
