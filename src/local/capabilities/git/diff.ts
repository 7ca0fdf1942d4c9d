import * as Effect from "effect/Effect"
import type * as git from "../../../catalogue/git.js"
import { CommitNotFound } from "../../../errors/git.js"
import type { Handler } from "../Handler.js"
import { commitOf, output } from "./head.js"
import { revision } from "./names.js"
import * as Repository from "./Repository.js"
import { changeOf } from "./status.js"

interface Change {
  readonly file: string
  readonly status: string
  readonly additions: number
  readonly deletions: number
}

const counted = (text: string): number => text === "-" ? 0 : Number(text)

/** Reads what `git diff --raw --numstat -z` says. */
export const parseChanges = (text: string): ReadonlyArray<Change> => {
  const changes = new Map<string, Change>()
  const parts = text.split("\0")
  for (let at = 0; at < parts.length; at++) {
    const part = parts[at] ?? ""
    if (part === "") continue
    if (part.startsWith(":")) {
      const letter = (part.split(" ")[4] ?? "M").slice(0, 1)
      at += letter === "R" || letter === "C" ? 2 : 1
      const file = parts[at] ?? ""
      const before = changes.get(file)
      // What is not merged is there twice.
      if (before === undefined) changes.set(file, { file, status: changeOf(letter), additions: 0, deletions: 0 })
      continue
    }
    const [added = "0", removed = "0", ...rest] = part.split("\t")
    let file = rest.join("\t")
    if (file === "") {
      at += 2
      file = parts[at] ?? ""
    }
    const before = changes.get(file)
    if (before !== undefined) {
      changes.set(file, { ...before, additions: counted(added), deletions: counted(removed) })
    }
  }
  return [...changes.values()]
}

/** Options of every comparison: nothing but git itself compares, and no submodule is looked into. */
export const plainly = ["--no-ext-diff", "--no-textconv", "--no-color", "--ignore-submodules=all"]

const sum = (numbers: ReadonlyArray<number>) => numbers.reduce((total, number) => total + number, 0)

/** Which files differ, and by how many lines: from what is staged, or with `cached` what is staged; or from a commit. */
export const diff: Handler<typeof git.diff> = ({ cached, commit, path }, { workspace }) =>
  Effect.gen(function*() {
    const name = commit === undefined ? undefined : yield* revision("commit", commit)
    const repository = yield* Repository.open(workspace, path)
    const hash = name === undefined ? undefined : yield* commitOf(repository, name)
    if (name !== undefined && hash === undefined) {
      const message = `The repository has no commit ${name}`
      return yield* new CommitNotFound({ message, path, revision: name })
    }
    const text = yield* output(repository, [
      "diff",
      "--raw",
      "--numstat",
      "-z",
      "--find-renames",
      ...plainly,
      ...cached ? ["--cached"] : [],
      ...hash === undefined ? [] : [hash],
      "--"
    ])
    const changes = parseChanges(text)
    return {
      changes,
      total_additions: sum(changes.map(({ additions }) => additions)),
      total_deletions: sum(changes.map(({ deletions }) => deletions)),
      files_changed: changes.length
    }
  }).pipe(Effect.scoped)
