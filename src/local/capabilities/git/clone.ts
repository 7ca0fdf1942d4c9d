import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as fs from "node:fs"
import { join } from "node:path"
import type * as git from "../../../catalogue/git.js"
import { DestinationExists } from "../../../errors/filesystem.js"
import { CloneFailed, type NotARepository } from "../../../errors/git.js"
import type { ResolverService } from "../../egress/Resolver.js"
import type { PolicyService } from "../../policy/Policy.js"
import { systemFailure } from "../../workspace/systemFailure.js"
import type { Workspace, WorkspacePath } from "../../workspace/Workspace.js"
import type { Handler } from "../Handler.js"
import { commitOf, currentBranch, output } from "./head.js"
import { branchName } from "./names.js"
import { remoteOf } from "./remotes.js"
import { troubleOf } from "./remoteWork.js"
import { missingAbove, removeBelow, removeEmptyAbove } from "./removal.js"
import { nowhere, openAt, placeOf, temporaryHome } from "./Repository.js"
import { hasReserved } from "./reserved.js"
import { runLocal, runRemote } from "./run.js"
import { said } from "./said.js"

const remoteName = "origin"

/** What a clone finds where it is to go: nothing, or an empty directory; and how many directories above it are not there. */
interface Free {
  readonly host: string
  readonly isThere: boolean
  readonly missing: number
}

const freePlace = (root: string, place: WorkspacePath, path: string) => {
  const host = join(root, ...place.segments)
  return Effect.flatten(Effect.catchAll(
    Effect.try({
      try: () => {
        const status = fs.lstatSync(host, { throwIfNoEntry: false })
        if (status !== undefined && (!status.isDirectory() || fs.readdirSync(host).length > 0)) {
          return Effect.fail(new DestinationExists({ message: `Something is at ${path} already`, path }))
        }
        const free: Free = { host, isThere: status !== undefined, missing: missingAbove(root, host) }
        return Effect.succeed(free)
      },
      catch: (cause) => cause
    }),
    systemFailure({ path: place, operation: "look at", field: "path" })
  ))
}

// Nothing stays of a clone that has failed.
const clear = (workspace: Workspace, { segments }: WorkspacePath, { isThere, missing }: Free) =>
  Effect.catchAll(
    Effect.try(() => {
      removeBelow(workspace, segments, { itself: !isThere })
      removeEmptyAbove(workspace, segments, missing)
    }),
    (cause) => Effect.logWarning("What a clone that failed had written was not removed", cause)
  )

const failed = (url: string, { message, reason, retryable }: ReturnType<typeof troubleOf>) =>
  new CloneFailed({ message: `The repository was not cloned: ${message}`, url, retryable, context: { reason } })

const reservedThere = {
  message: "it has files where the gateway keeps its own: clone it to a directory below the workspace",
  reason: "reserved",
  retryable: false
}

const asClone = (url: string) => (error: NotARepository) =>
  failed(url, { message: error.message, reason: "not_found", retryable: false })

/** The branch that the remote has checked out. */
export const defaultBranch = (repository: Effect.Effect.Success<ReturnType<typeof openAt>>) =>
  Effect.flatMap(
    repository.run(["symbolic-ref", "--quiet", `refs/remotes/${remoteName}/HEAD`]),
    ({ code, stdout }) =>
      code === 0
        ? Effect.succeed(stdout.trim().replace(`refs/remotes/${remoteName}/`, ""))
        : currentBranch(repository)
  )

/**
 * Clones a repository from the workspace, or from a host that the policy allows. Nothing is at the path until it begins, and nothing is left
 * there if it fails. No filter, hook or submodule of the repository runs.
 */
export const makeClone =
  (policy: PolicyService, resolver: ResolverService): Handler<typeof git.clone> =>
  ({ branch, depth, path, url }, { agent, workspace }) =>
    Effect.gen(function*() {
      const name = branch === undefined ? undefined : yield* branchName("branch", branch)
      const place = yield* placeOf(workspace, path)
      const free = yield* freePlace(workspace.root, place, path)
      const remote = yield* remoteOf(workspace, url, { egress: policy.egress(agent), resolver }).pipe(
        Effect.catchTags({ NoRemote: (error) => failed(url, error), NotARepository: asClone(url) })
      )
      const home = yield* temporaryHome
      const hidden = [home, remote.repository?.commonDirectory ?? home]
      const work = Effect.gen(function*() {
        const cloned = yield* runRemote({
          ...nowhere(home, workspace),
          protocols: remote.protocols,
          also: remote.directories,
          configuration: [
            // What is noted would say where the workspace really is.
            ["core.logAllRefUpdates", "false"],
            ...remote.configuration,
            ...remote.programs === undefined
              ? []
              : [[`remote.${remoteName}.uploadpack`, remote.programs.upload] as const]
          ],
          args: [
            "clone",
            "--quiet",
            "--template=",
            "--no-local",
            "--no-checkout",
            "--no-recurse-submodules",
            `--origin=${remoteName}`,
            ...name === undefined ? [] : [`--branch=${name}`],
            ...depth === undefined ? [] : [`--depth=${depth}`],
            "--",
            remote.url,
            free.host
          ]
        }).pipe(
          Effect.catchTag("TookTooLong", ({ message }) => failed(url, { message, reason: "timeout", retryable: true }))
        )
        if (cloned.code !== 0) return yield* failed(url, troubleOf(said(cloned, workspace.root, hidden)))
        yield* runLocal({
          ...nowhere(home, workspace),
          args: ["config", "--file", join(free.host, ".git", "config"), `remote.${remoteName}.url`, remote.shown]
        })
        const repository = yield* Effect.catchTag(openAt(workspace, place.display), "NotARepository", asClone(url))
        const head = yield* commitOf(repository, "HEAD")
        if (head !== undefined && (yield* hasReserved(repository, head))) {
          return yield* failed(url, reservedThere)
        }
        // Nothing to check out, and no commit to name, where the remote is empty.
        if (head !== undefined) yield* output(repository, ["reset", "--quiet", "--hard", "--no-recurse-submodules"])
        return { path: place.display, default_branch: yield* defaultBranch(repository), head_commit: head ?? "" }
      })
      return yield* Effect.onExit(work, (exit) => Exit.isSuccess(exit) ? Effect.void : clear(workspace, place, free))
    }).pipe(Effect.scoped)
