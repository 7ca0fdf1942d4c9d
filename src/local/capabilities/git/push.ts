import * as Effect from "effect/Effect"
import type * as git from "../../../catalogue/git.js"
import { InvalidInput } from "../../../errors/general.js"
import { PushFailed, PushRejected } from "../../../errors/git.js"
import type { ResolverService } from "../../egress/Resolver.js"
import type { PolicyService } from "../../policy/Policy.js"
import type { Handler } from "../Handler.js"
import { commitOf, headReference, shortName } from "./head.js"
import { branchName, remoteName } from "./names.js"
import type { Remote } from "./remotes.js"
import { complaint, namedRemote, runWith, troubleOf } from "./remoteWork.js"
import * as Repository from "./Repository.js"

interface Asked {
  readonly path: string
  readonly remote: string
}

const failed = (
  { path, remote }: Asked,
  { message, reason, retryable }: { readonly message: string; readonly reason: string; readonly retryable: boolean }
) => new PushFailed({ message: `Nothing was pushed: ${message}`, path, remote, retryable, context: { reason } })

interface Line {
  readonly flag: string
  readonly to: string
  readonly summary: string
}

// A flag, what went where, and words, with tabs between.
const linesOf = (text: string): ReadonlyArray<Line> =>
  text.split("\n").flatMap((line) => {
    const [flag = "", names, summary = ""] = line.split("\t")
    return names === undefined || flag.length !== 1
      ? []
      : [{ flag, to: names.slice(names.indexOf(":") + 1), summary }]
  })

// Its files would no longer be those of its commit.
const isCheckedOutThere = (remote: Remote, reference: string) =>
  remote.repository === undefined || remote.repository.bare
    ? Effect.succeed(false)
    : Effect.map(headReference(remote.repository), (head) => head === reference)

/** Gives a branch to a remote, which takes it if it has no commits that are missing here. No hook runs, neither here nor in the workspace. */
export const makePush =
  (policy: PolicyService, resolver: ResolverService): Handler<typeof git.push> =>
  ({ branch: given, path, remote: name }, { agent, workspace }) =>
    Effect.gen(function*() {
      const remoteGiven = yield* remoteName(name)
      const asked = { path, remote: remoteGiven }
      const branchGiven = given === undefined ? undefined : yield* branchName("branch", given)
      const repository = yield* Repository.open(workspace, path)
      const head = yield* headReference(repository)
      const branch = branchGiven ?? (head === undefined ? undefined : shortName(head))
      if (branch === undefined) {
        const reason = "no branch is checked out"
        return yield* new InvalidInput({ message: `branch is needed: ${reason}`, field: "branch", reason })
      }
      const reference = `refs/heads/${branch}`
      const commit = yield* commitOf(repository, reference)
      if (commit === undefined) {
        return yield* failed(asked, { message: `there is no branch ${branch}`, reason: "no_branch", retryable: false })
      }
      const way = { egress: policy.egress(agent), resolver }
      const remote = yield* namedRemote(repository, remoteGiven, way, { pushed: true }).pipe(
        Effect.catchTags({
          NoRemote: (error) => failed(asked, error),
          NotARepository: ({ message }) => failed(asked, { message, reason: "not_found", retryable: false })
        })
      )
      if (yield* isCheckedOutThere(remote, reference)) {
        const message = `${branch} is checked out in the repository at the other end`
        return yield* failed(asked, { message, reason: "checked_out", retryable: false })
      }
      const ended = yield* runWith(repository, remoteGiven, remote, [
        "push",
        "--porcelain",
        "--no-verify",
        "--no-signed",
        "--recurse-submodules=no",
        "--no-follow-tags",
        remoteGiven,
        `${commit}:${reference}`
      ]).pipe(
        Effect.catchTag("TookTooLong", ({ message }) => failed(asked, { message, reason: "timeout", retryable: true }))
      )
      const lines = linesOf(ended.stdout)
      const rejected = lines.find(({ flag, summary }) => flag === "!" && summary.startsWith("[rejected]"))
      if (rejected !== undefined) {
        return yield* new PushRejected({
          message: `The remote has commits that are missing here: ${rejected.summary}`,
          path,
          remote: remoteGiven,
          branch
        })
      }
      if (ended.code !== 0) {
        const words = lines.find(({ flag }) => flag === "!")?.summary ?? ""
        const trouble = troubleOf(
          [words, complaint(ended, repository, remote)].filter((text) => text !== "").join("; ")
        )
        return yield* failed(asked, words === "" ? trouble : { ...trouble, reason: "refused", retryable: false })
      }
      return {
        pushed_refs: lines.flatMap(({ flag, to }) => flag === "=" ? [] : [to]),
        head_commit: commit
      }
    }).pipe(Effect.scoped)
