import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type * as Catalogue from "../../../catalogue/filesystem.js"
import type { DirectoryNotFound, NotADirectory } from "../../../errors/filesystem.js"
import { makePacer } from "../../letOthersRun.js"
import type { PathFailure, Workspace, WorkspacePath } from "../../workspace/Workspace.js"
import type { Handler } from "../Handler.js"
import { modeOf } from "./contentModes.js"
import { scanText } from "./contentScan.js"
import { withinTime } from "./deadline.js"
import { makeGlob } from "./Glob.js"
import { checkResultLimit, lookUp, noDirectory, noLongerADirectory, refused } from "./searchRoot.js"
import { sourceFiles } from "./sourceFiles.js"
import { decodeLeniently, maximumTextBytes, readTextBytes } from "./textFile.js"
import { invalidPattern, makeTextPattern } from "./TextPattern.js"

type SearchContent = Handler<typeof Catalogue.searchContent>

const maximumContextLines = 20

const pathsToSearch = (
  { include_glob, path: text }: Parameters<SearchContent>[0],
  workspace: Workspace
): Effect.Effect<
  Stream.Stream<WorkspacePath, PathFailure | DirectoryNotFound | NotADirectory>,
  Effect.Effect.Error<
    ReturnType<SearchContent>
  >
> =>
  Effect.gen(function*() {
    const glob = include_glob === undefined ? undefined : yield* makeGlob(include_glob)
    const found = yield* lookUp(workspace, text)
    if (Option.isNone(found)) return yield* noDirectory((yield* workspace.resolve(text)).display)
    const { path, status } = found.value
    if (status.type === "other") return yield* refused("path", "it is neither a directory nor a file")
    if (status.type === "file") {
      if (glob !== undefined) return yield* refused("include_glob", "the path is a file")
      return Stream.make(path)
    }
    return sourceFiles(workspace, path, { defaultExclusions: true, gitignore: false }).pipe(
      Stream.filter(({ relative, size }) => size <= maximumTextBytes && (glob === undefined || glob.matches(relative))),
      Stream.map((file) => file.path)
    )
  })

/** A file's text; none where it is binary or too large, or has gone since it was found, or may not be read. */
const textOf = (workspace: Workspace, path: WorkspacePath): Effect.Effect<Option.Option<string>, PathFailure> =>
  readTextBytes(workspace, path).pipe(
    Effect.map((read) => Option.map(Either.getRight(read), ({ bytes }) => decodeLeniently(bytes))),
    Effect.catchTags({ FileNotFound: () => Effect.succeedNone, PermissionDenied: () => Effect.succeedNone })
  )

/**
 * `filesystem.search_content`: looks for a text or a regular expression in the text files below a directory, or in one
 * file. Left out are hidden files and directories (`.git` among them), `node_modules`, binary files and files over 2 MiB;
 * to look into one of these directories, name it as the path. Occurrences lie within one line. Ranked results come with
 * the file with the most matching lines first, then by path, then by line. `max_results` is at most 10,000,
 * `context_lines` at most 20; a search takes at most a minute. Its progress counts the files that it looks into.
 */
export const searchContent: SearchContent = (input, { progress, workspace }) =>
  Effect.gen(function*() {
    yield* checkResultLimit("max_results", input.max_results)
    if (input.context_lines > maximumContextLines) {
      return yield* refused("context_lines", `it is more than ${maximumContextLines}`)
    }
    if (!input.regex && input.pattern.includes("\n")) {
      return yield* invalidPattern(input.pattern, "it reaches over the end of a line")
    }
    const pattern = yield* makeTextPattern(input.pattern, { regex: input.regex })
    const mode = yield* modeOf(input, pattern)
    const paths = yield* pathsToSearch(input, workspace)
    const scan = { pattern, source: input.pattern, everyOccurrence: mode.everyOccurrence, pacer: makePacer() }
    let looked = 0
    yield* Stream.runForEach(paths, (path) =>
      Effect.gen(function*() {
        looked++
        progress?.({ progress: looked })
        const text = yield* textOf(workspace, path)
        if (Option.isNone(text)) return
        const { end, visit } = mode.file(path.display)
        yield* scanText(text.value, path.display, scan, visit)
        yield* end
      }))
    return mode.output()
  }).pipe(Effect.catchTag("NotADirectory", noLongerADirectory), withinTime)
