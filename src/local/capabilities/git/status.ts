import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { join } from "node:path"
import type * as git from "../../../catalogue/git.js"
import type { Handler } from "../Handler.js"
import { output } from "./head.js"
import * as Repository from "./Repository.js"

interface FileStatus {
  readonly file: string
  readonly status: string
}

interface Status {
  branch: string | null
  upstream: string | null
  ahead: number
  behind: number
  readonly staged: Array<FileStatus>
  readonly unstaged: Array<FileStatus>
  readonly untracked: Array<string>
  readonly conflicted: Array<string>
}

const words: { readonly [letter: string]: string } = {
  A: "added",
  C: "added",
  D: "deleted",
  M: "modified",
  R: "renamed",
  T: "modified",
  U: "modified"
}

/** How a letter of git is called. */
export const changeOf = (letter: string): string => words[letter] ?? "modified"

const header = (status: Status, line: string): void => {
  const [, name, value = ""] = /^# branch\.(\S+) (.*)$/s.exec(line) ?? []
  if (name === "head") status.branch = value === "(detached)" ? null : value
  if (name === "upstream") status.upstream = value
  if (name === "ab") {
    const [, ahead = "0", behind = "0"] = /^\+(\d+) -(\d+)$/.exec(value) ?? []
    status.ahead = Number(ahead)
    status.behind = Number(behind)
  }
}

const after = (line: string, columns: number): string => line.split(" ").slice(columns).join(" ")

/** Reads what `git status --porcelain=v2 --branch -z` says. */
export const parseStatus = (text: string): Status => {
  const status: Status = {
    branch: null,
    upstream: null,
    ahead: 0,
    behind: 0,
    staged: [],
    unstaged: [],
    untracked: [],
    conflicted: []
  }
  const changed = (line: string, file: string) => {
    const [, index = ".", tree = "."] = line
      .slice(1).match(/^ (.)(.)/) ?? []
    if (index !== ".") status.staged.push({ file, status: changeOf(index) })
    if (tree !== ".") status.unstaged.push({ file, status: changeOf(tree) })
  }
  const lines = text.split("\0")
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? ""
    switch (line[0]) {
      case "#":
        header(status, line)
        break
      case "1":
        changed(line, after(line, 8))
        break
      case "2":
        changed(line, after(line, 9))
        // Where it was before.
        at++
        break
      case "u":
        status.conflicted.push(after(line, 10))
        break
      case "?":
        status.untracked.push(line.slice(2))
    }
  }
  return status
}

const statesByFile = [
  ["MERGE_HEAD", "merging"],
  ["rebase-merge", "rebasing"],
  ["rebase-apply", "rebasing"],
  ["CHERRY_PICK_HEAD", "cherry_picking"],
  ["REVERT_HEAD", "reverting"],
  ["BISECT_LOG", "bisecting"]
] as const

/** What the repository is in the middle of. */
export const stateOf = ({ gitDirectory }: Repository.Repository): string | undefined =>
  statesByFile.find(([name]) => fs.existsSync(join(gitDirectory, name)))?.[1]

/** Asks git how a repository stands. */
export const readStatus = (repository: Repository.Repository) =>
  Effect.map(
    output(repository, [
      "status",
      "--porcelain=v2",
      "--branch",
      "-z",
      "--untracked-files=all",
      "--ignore-submodules=all"
    ]),
    parseStatus
  )

/** How the working tree differs from the last commit, and the branch from its upstream. */
export const status: Handler<typeof git.status> = ({ path }, { workspace }) =>
  Effect.gen(function*() {
    const repository = yield* Repository.open(workspace, path)
    const found = yield* readStatus(repository)
    const { conflicted, staged, unstaged, untracked } = found
    const isClean = [conflicted, staged, unstaged, untracked].every(({ length }) => length === 0)
    return { ...found, state: stateOf(repository) ?? (isClean ? "clean" : "dirty") }
  }).pipe(Effect.scoped)
