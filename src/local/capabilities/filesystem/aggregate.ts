import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type * as Catalogue from "../../../catalogue/filesystem.js"
import type { InvalidInput } from "../../../errors/general.js"
import { byCodePoint } from "../../workspace/names.js"
import type { WalkedFile } from "../../workspace/Workspace.js"
import type { Handler } from "../Handler.js"
import { findDuplicates, type Hashing } from "./duplicates.js"
import { checkResultLimit, refused } from "./searchRoot.js"

type Input = NonNullable<Parameters<Handler<typeof Catalogue.search>>[0]["aggregate"]>

/** A request to aggregate that has been checked, with its defaults. */
export interface Aggregation {
  readonly groupBy: Input["group_by"]
  readonly metrics: ReadonlyArray<"count" | "total_size">
  readonly sortBy: NonNullable<Input["sort_by"]>
  readonly maximumGroups: number
  readonly dedupe: boolean
}

interface Group {
  readonly key: string
  readonly count: number
  readonly total_size: number
}

/**
 * Checks a request to aggregate. Both metrics, `-count` and 100 groups unless said otherwise; at most 10,000 groups, and
 * `dedupe` only with `include_hash`.
 */
export const checkAggregation = (
  input: Input,
  { includeHash }: { readonly includeHash: boolean }
): Effect.Effect<Aggregation, InvalidInput> =>
  Effect.gen(function*() {
    const { dedupe = false, group_by, max_groups = 100, metrics = ["count", "total_size"], sort_by = "-count" } = input
    if (metrics.length === 0) return yield* refused("aggregate.metrics", "it names no metric")
    if (dedupe && !includeHash) return yield* refused("aggregate.dedupe", "it needs include_hash")
    yield* checkResultLimit("aggregate.max_groups", max_groups)
    return { groupBy: group_by, metrics, sortBy: sort_by, maximumGroups: max_groups, dedupe }
  })

const extensionOf = (relative: string): string => {
  const name = relative.slice(relative.lastIndexOf("/") + 1)
  const dot = name.lastIndexOf(".")
  return dot <= 0 || dot === name.length - 1 ? "<none>" : name.slice(dot + 1).toLowerCase()
}

const topDirectoryOf = (relative: string): string => {
  const slash = relative.indexOf("/")
  return slash < 0 ? "." : relative.slice(0, slash)
}

const keyOf = (groupBy: Aggregation["groupBy"], file: WalkedFile): string => {
  switch (groupBy) {
    case "extension":
      return extensionOf(file.relative)
    case "dir":
      return topDirectoryOf(file.relative)
    case "mtime-bucket":
      return DateTime.formatIsoDateUtc(file.modified)
    case "none":
      return "<all>"
  }
}

const comparison = (sortBy: Aggregation["sortBy"]) => (one: Group, other: Group): number => {
  const byKey = byCodePoint(one.key, other.key)
  switch (sortBy) {
    case "key":
      return byKey
    case "-key":
      return -byKey
    case "count":
      return one.count - other.count || byKey
    case "-count":
      return other.count - one.count || byKey
    case "total_size":
      return one.total_size - other.total_size || byKey
    case "-total_size":
      return other.total_size - one.total_size || byKey
  }
}

const folded = (groups: ReadonlyArray<Group>): Group =>
  groups.reduce<Group>(
    (other, { count, total_size }) => ({
      key: other.key,
      count: other.count + count,
      total_size: other.total_size + total_size
    }),
    { key: "<other>", count: 0, total_size: 0 }
  )

/**
 * Counts files by group. The groups beyond the maximum are folded into one more, `<other>`, which comes last. Only the
 * groups and, where duplicates are looked for, the paths are held.
 */
export const aggregate = <E, E2>(
  files: Stream.Stream<WalkedFile, E>,
  { dedupe, groupBy, maximumGroups, metrics, sortBy }: Aggregation,
  hashing: Hashing<E2> & { readonly includeHash: boolean }
) =>
  Effect.gen(function*() {
    const groups = new Map<string, Group>()
    const candidates: Array<WalkedFile> = []
    let total = 0
    let large = 0
    yield* Stream.runForEach(files, (file) => {
      const key = keyOf(groupBy, file)
      const { count, total_size } = groups.get(key) ?? { count: 0, total_size: 0 }
      groups.set(key, { key, count: count + 1, total_size: total_size + file.size })
      total++
      if (file.size > hashing.maximumHashBytes) large++
      else if (dedupe) candidates.push(file)
      return Effect.void
    })
    const sorted = Array.from(groups.values()).sort(comparison(sortBy))
    const tail = sorted.slice(maximumGroups)
    const shown = tail.length === 0 ? sorted : [...sorted.slice(0, maximumGroups), folded(tail)]
    const found = dedupe ? yield* findDuplicates(candidates, hashing) : undefined
    return {
      total_matches: total,
      truncated: found?.truncated ?? false,
      groups: shown.map(({ count, key, total_size }) => ({
        key,
        ...(metrics.includes("count") ? { count } : {}),
        ...(metrics.includes("total_size") ? { total_size } : {})
      })),
      groups_truncated: tail.length > 0,
      ...(found === undefined ? {} : { duplicates: found.duplicates }),
      ...(hashing.includeHash ? { large_files_skipped: large } : {})
    }
  })
