import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type * as Catalogue from "../../../catalogue/filesystem.js"
import { letOthersRun } from "../../letOthersRun.js"
import { byCodePoint } from "../../workspace/names.js"
import type { PathFailure, WalkedFile, Workspace } from "../../workspace/Workspace.js"
import type { Handler } from "../Handler.js"
import { aggregate, type Aggregation, checkAggregation } from "./aggregate.js"
import { withinTime } from "./deadline.js"
import { makeGlob } from "./Glob.js"
import { checkResultLimit, noLongerADirectory, requireDirectory } from "./searchRoot.js"

type Search = Handler<typeof Catalogue.search>
type Output = Effect.Effect.Success<ReturnType<Search>>

const filesBetweenPauses = 1_000
const hashedAtOnce = 4

/** Keeps the first of the sorted files, without ever holding many more than are asked for. */
const firstFiles = <E>(files: Stream.Stream<WalkedFile, E>, limit: number) =>
  Effect.gen(function*() {
    let kept: Array<WalkedFile> = []
    let total = 0
    const sorted = () => kept.sort((one, other) => byCodePoint(one.relative, other.relative)).slice(0, limit)
    yield* Stream.runForEach(files, (file) => {
      kept.push(file)
      total++
      if (kept.length >= 2 * limit + filesBetweenPauses) kept = sorted()
      return Effect.void
    })
    return { files: sorted(), total }
  })

const checksumOf = (workspace: Workspace, file: WalkedFile): Effect.Effect<string | undefined, PathFailure> =>
  workspace.read(file.path, { limit: 0 }).pipe(
    Effect.map(({ checksum }) => checksum),
    // Gone since it was found, or not the gateway's to read: it has no checksum.
    Effect.catchTags({
      FileNotFound: () => Effect.succeed(undefined),
      PermissionDenied: () => Effect.succeed(undefined)
    })
  )

const listed = <E>(
  files: Stream.Stream<WalkedFile, E>,
  input: Parameters<Search>[0],
  workspace: Workspace
): Effect.Effect<Output, E | PathFailure> =>
  Effect.gen(function*() {
    const found = yield* firstFiles(files, input.max_results)
    const hashable = (file: WalkedFile) => file.size <= input.max_hash_bytes
    const matches = yield* Effect.forEach(found.files, (file) =>
      Effect.gen(function*() {
        const { modified, path, size } = file
        const checksum = input.include_hash === true && hashable(file) ? yield* checksumOf(workspace, file) : undefined
        return { path: path.display, size, modified, ...(checksum === undefined ? {} : { checksum }) }
      }), { concurrency: hashedAtOnce })
    return {
      matches,
      total_matches: found.total,
      truncated: found.total > matches.length,
      ...(input.include_hash === true
        ? { large_files_skipped: found.files.filter((file) => !hashable(file)).length }
        : {})
    }
  })

const aggregated = <E>(
  files: Stream.Stream<WalkedFile, E>,
  aggregation: Aggregation,
  input: Parameters<Search>[0],
  workspace: Workspace
): Effect.Effect<Output, E | PathFailure> =>
  aggregate(files, aggregation, {
    includeHash: input.include_hash === true,
    maximumHashBytes: input.max_hash_bytes,
    maximumDuplicates: input.max_results,
    checksumOf: (file) => checksumOf(workspace, file)
  })

/**
 * `filesystem.search`: the files below a directory whose name or relative path a glob covers, sorted by path, or with
 * `aggregate` what they add up to. Symbolic links are neither followed nor found. `max_results` is at most
 * 10,000; a search takes at most a minute. Its progress counts the files that it has looked at.
 */
export const search: Search = (input, { progress, workspace }) =>
  Effect.gen(function*() {
    yield* checkResultLimit("max_results", input.max_results)
    const aggregation = input.aggregate === undefined
      ? undefined
      : yield* checkAggregation(input.aggregate, { includeHash: input.include_hash === true })
    const glob = yield* makeGlob(input.pattern)
    const directory = yield* requireDirectory(workspace, input.path)
    let seen = 0
    const files = workspace.walk(directory, { includeHidden: input.include_hidden }).pipe(
      Stream.tap(() => {
        seen++
        progress?.({ progress: seen })
        return seen % filesBetweenPauses === 0 ? letOthersRun : Effect.void
      }),
      Stream.filter((file) => file.type === "file" && glob.matches(file.relative))
    )
    return aggregation === undefined
      ? yield* listed(files, input, workspace)
      : yield* aggregated(files, aggregation, input, workspace)
  }).pipe(Effect.catchTag("NotADirectory", noLongerADirectory), withinTime)
