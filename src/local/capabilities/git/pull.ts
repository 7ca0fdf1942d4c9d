import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { join } from "node:path"
import type * as git from "../../../catalogue/git.js"
import { InvalidInput } from "../../../errors/general.js"
import { MergeConflict, PullFailed } from "../../../errors/git.js"
import type { ResolverService } from "../../egress/Resolver.js"
import type { PolicyService } from "../../policy/Policy.js"
import type { Handler } from "../Handler.js"
import { identity } from "./commit.js"
import { valueOf } from "./configuration.js"
import { commitOf, headReference, output, shortName } from "./head.js"
import { branchName, remoteName } from "./names.js"
import { complaint, namedRemote, runWith, troubleOf } from "./remoteWork.js"
import * as Repository from "./Repository.js"
import { hasReserved } from "./reserved.js"
import { said } from "./said.js"
import { readStatus, stateOf } from "./status.js"

const mostFiles = 1000

interface Asked {
  readonly path: string
  readonly remote: string
}

const failed = (
  { path, remote }: Asked,
  { message, reason, retryable }: { readonly message: string; readonly reason: string; readonly retryable: boolean }
) => new PullFailed({ message: `Nothing was pulled: ${message}`, path, remote, retryable, context: { reason } })

const conflict = (path: string, message: string, files: ReadonlyArray<string>) =>
  new MergeConflict({ message, path, context: { files: files.slice(0, mostFiles) } })

/** The branch of a remote that is pulled unless one is given. */
export const pulledBranch = (
  { configuration }: Repository.Repository,
  head: string | undefined,
  remote: string
): string | undefined => {
  if (head === undefined) return undefined
  const own = shortName(head)
  const upstream = valueOf(configuration, `branch.${own}.merge`)
  return valueOf(configuration, `branch.${own}.remote`) === remote && upstream !== undefined ? shortName(upstream) : own
}

/** How many commits there are. */
export const count = (repository: Repository.Repository, args: ReadonlyArray<string>) =>
  Effect.map(output(repository, ["rev-list", "--count", ...args, "--"]), (text) => Number(text.trim()))

/** How many files differ between two commits. */
export const filesBetween = (repository: Repository.Repository, before: string | undefined, now: string) =>
  Effect.map(
    output(
      repository,
      before === undefined
        ? ["ls-tree", "-r", "-z", "--name-only", now]
        : ["diff-tree", "-r", "-z", "--name-only", before, now]
    ),
    (text) => text.split("\0").length - 1
  )

const merge = (repository: Repository.Repository, asked: Asked, branch: string, from: string, theirs: string) =>
  Effect.gen(function*() {
    const who = yield* identity(repository)
    const ended = yield* repository.run(
      [
        "merge",
        "--quiet",
        "--ff",
        "--no-edit",
        "--no-stat",
        "--no-verify",
        "--no-gpg-sign",
        "--no-autostash",
        "-m",
        `Merge branch '${branch}' of ${from}`,
        theirs
      ],
      { environment: who ?? {} }
    )
    if (ended.code === 0) return
    const reason = said(ended, repository.workspace.root, [repository.commonDirectory])
    const { conflicted } = yield* readStatus(repository)
    if (conflicted.length > 0) {
      const message = "What the remote changed and what was changed here do not fit: resolve the conflicts, and commit"
      return yield* conflict(asked.path, message, conflicted)
    }
    if (/would be overwritten|not uptodate|not up to date|untracked working tree/i.test(reason)) {
      return yield* conflict(asked.path, `Nothing was merged, because changes would be overwritten: ${reason}`, [])
    }
    return yield* failed(asked, {
      message: who === undefined
        ? `the repository does not say who merges (user.name and user.email): ${reason}`
        : reason,
      reason: who === undefined ? "identity" : "merge",
      retryable: false
    })
  })

/**
 * Fetches a branch of a remote, and merges it into the one that is checked out. MergeConflict leaves the merge as it is, to be resolved and
 * committed, or nothing changed where changes that are not committed are in the way.
 */
export const makePull =
  (policy: PolicyService, resolver: ResolverService): Handler<typeof git.pull> =>
  ({ branch: given, path, remote: name }, { agent, workspace }) =>
    Effect.gen(function*() {
      const remoteGiven = yield* remoteName(name)
      const asked = { path, remote: remoteGiven }
      const branchGiven = given === undefined ? undefined : yield* branchName("branch", given)
      const repository = yield* Repository.open(workspace, path)
      if (stateOf(repository) !== undefined && fs.existsSync(join(repository.gitDirectory, "MERGE_HEAD"))) {
        const { conflicted } = yield* readStatus(repository)
        return yield* conflict(path, "The last merge is not committed yet", conflicted)
      }
      const branch = branchGiven ?? pulledBranch(repository, yield* headReference(repository), remoteGiven)
      if (branch === undefined) {
        const reason = "no branch is checked out"
        return yield* new InvalidInput({ message: `branch is needed: ${reason}`, field: "branch", reason })
      }
      const way = { egress: policy.egress(agent), resolver }
      const remote = yield* namedRemote(repository, remoteGiven, way, { pushed: false }).pipe(
        Effect.catchTags({
          NoRemote: (error) => failed(asked, error),
          NotARepository: ({ message }) => failed(asked, { message, reason: "not_found", retryable: false })
        })
      )
      const tracking = `refs/remotes/${remoteGiven}/${branch}`
      const fetched = yield* runWith(repository, remoteGiven, remote, [
        "fetch",
        "--quiet",
        "--no-tags",
        "--no-auto-maintenance",
        "--no-recurse-submodules",
        "--no-write-fetch-head",
        remoteGiven,
        `+refs/heads/${branch}:${tracking}`
      ]).pipe(
        Effect.catchTag("TookTooLong", ({ message }) => failed(asked, { message, reason: "timeout", retryable: true }))
      )
      if (fetched.code !== 0) return yield* failed(asked, troubleOf(complaint(fetched, repository, remote)))
      const before = yield* commitOf(repository, "HEAD")
      const theirs = yield* commitOf(repository, tracking)
      if (theirs === undefined) {
        return yield* failed(asked, {
          message: `the remote has no branch ${branch}`,
          reason: "not_found",
          retryable: false
        })
      }
      const new_commits = yield* count(repository, before === undefined ? [theirs] : [theirs, `^${before}`])
      if (new_commits > 0 && (yield* hasReserved(repository, theirs))) {
        return yield* failed(asked, {
          message: "the remote has files where the gateway keeps its own",
          reason: "reserved",
          retryable: false
        })
      }
      if (new_commits > 0) yield* merge(repository, asked, branch, remote.shown, theirs)
      const head = (yield* commitOf(repository, "HEAD")) ?? theirs
      return {
        new_commits,
        files_changed: new_commits === 0 ? 0 : yield* filesBetween(repository, before, head),
        head_commit: head,
        up_to_date: new_commits === 0
      }
    }).pipe(Effect.scoped)
