import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as git from "../../../catalogue/git.js"
import { BranchNotFound } from "../../../errors/git.js"
import type { Handler } from "../Handler.js"
import { commitOf, currentBranch, output } from "./head.js"
import { branchName, line } from "./names.js"
import * as Repository from "./Repository.js"

const columns = ["%H", "%an", "%ae", "%at", "%B"]

// A commit may claim to be of any time.
const timeOf = (seconds: string): DateTime.Utc =>
  DateTime.make(Number(seconds) * 1000).pipe(Option.map(DateTime.toUtc), Option.getOrElse(() => DateTime.unsafeMake(0)))

/** Reads what `git log` says in the form of {@link columns}. */
export const parseLog = (text: string) => {
  const fields = text.split("\0")
  return Array.from({ length: Math.floor(fields.length / columns.length) }, (_, index) => {
    const [hash = "", author_name = "", author_email = "", seconds = "0", message = ""] = fields.slice(
      index * columns.length,
      (index + 1) * columns.length
    )
    const whole = hash.trim()
    return {
      hash: whole,
      short_hash: whole.slice(0, 7),
      message: message.trimEnd(),
      author_name,
      author_email,
      timestamp: timeOf(seconds)
    }
  })
}

/** The commit of a branch, here or of a remote. */
export const branchCommit = (repository: Repository.Repository, name: string) =>
  Effect.flatMap(
    commitOf(repository, `refs/heads/${name}`),
    (own) => own === undefined ? commitOf(repository, `refs/remotes/${name}`) : Effect.succeed(own)
  )

/** The commits of a branch, the newest first. */
export const log: Handler<typeof git.log> = ({ author, branch, limit, path, since }, { workspace }) =>
  Effect.gen(function*() {
    const name = branch === undefined ? undefined : yield* branchName("branch", branch)
    const by = author === undefined ? undefined : yield* line("author", author)
    const repository = yield* Repository.open(workspace, path)
    const start = name === undefined
      ? yield* commitOf(repository, "HEAD")
      : yield* branchCommit(repository, name)
    if (name !== undefined && start === undefined) {
      return yield* new BranchNotFound({ message: `The repository has no branch ${name}`, path, branch: name })
    }
    const shown = name ?? (yield* currentBranch(repository))
    // Before the first commit there is nothing to tell.
    if (start === undefined) return { commits: [], total_returned: 0, branch: shown }
    const text = yield* output(repository, [
      "log",
      "--no-mailmap",
      "--no-color",
      "--no-show-signature",
      `--max-count=${limit}`,
      `--format=tformat:${columns.join("%x00")}%x00`,
      ...since === undefined ? [] : [`--since=@${Math.ceil(DateTime.toEpochMillis(since) / 1000)} +0000`],
      ...by === undefined || by === "" ? [] : ["--fixed-strings", `--author=${by}`],
      start,
      "--"
    ])
    const commits = parseLog(text)
    return { commits, total_returned: commits.length, branch: shown }
  }).pipe(Effect.scoped)
