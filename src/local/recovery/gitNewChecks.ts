import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as fs from "node:fs"
import { join } from "node:path"
import * as git from "../../catalogue/git.js"
import { defaultBranch } from "../capabilities/git/clone.js"
import { valueOf } from "../capabilities/git/configuration.js"
import { hasGit } from "../capabilities/git/gitDirectory.js"
import { commitOf, currentBranch, headReference, output } from "../capabilities/git/head.js"
import { shownOf } from "../capabilities/git/remotes.js"
import { openAt, placeOf, type Repository } from "../capabilities/git/Repository.js"
import { hasReserved } from "../capabilities/git/reserved.js"
import { isReserved } from "../workspace/pathForm.js"
import type { Workspace } from "../workspace/Workspace.js"
import * as EffectCheck from "./EffectCheck.js"
import { moved } from "./gitSight.js"

/** What is at a path: whether a repository is, and which other names are. */
const Place = Schema.Struct({ isRepository: Schema.Boolean, isFree: Schema.Boolean })

const namesIn = (host: string): ReadonlyArray<string> | undefined => {
  const status = fs.lstatSync(host, { throwIfNoEntry: false })
  return status === undefined ? [] : status.isDirectory() ? fs.readdirSync(host) : undefined
}

const lookAt = (workspace: Workspace, path: string) =>
  Effect.flatMap(placeOf(workspace, path), ({ display, segments }) =>
    Effect.try({
      try: () => {
        const host = join(workspace.root, ...segments)
        const names = namesIn(host)
        return {
          display,
          segments,
          names: names?.filter((name) => segments.length > 0 || !isReserved(name)),
          isRepository: names !== undefined && hasGit(host),
          isFree: names?.length === 0
        }
      },
      catch: () => ({ message: `${path} cannot be looked at` })
    }))

const before = (path: string, workspace: Workspace) =>
  Effect.map(lookAt(workspace, path), ({ isFree, isRepository }) => ({ isFree, isRepository }))

/** A repository is there that has no commit yet, and where none was. */
export const initCheck = EffectCheck.make(git.init, Place, {
  paths: ({ path }) => [path],
  isSlow: true,
  before: ({ path }, { workspace }) => before(path, workspace),
  after: ({ default_branch, path }, was, { workspace }) =>
    Effect.gen(function*() {
      const { display, isRepository } = yield* lookAt(workspace, path)
      // What was there before is refused once more.
      if (was.isRepository || !isRepository) return EffectCheck.notDone
      const repository = yield* openAt(workspace, display)
      const isNew = (yield* commitOf(repository, "HEAD")) === undefined
      return isNew && (yield* headReference(repository)) === `refs/heads/${default_branch}`
        ? EffectCheck.done({ path: display, default_branch })
        : moved(path)
    }).pipe(Effect.scoped)
})

const result = (repository: Repository, path: string, head: string | undefined) =>
  Effect.map(
    defaultBranch(repository),
    (default_branch) => ({ path, default_branch, head_commit: head ?? "" })
  )

const checkOut = (workspace: Workspace, path: string) =>
  Effect.gen(function*() {
    const repository = yield* openAt(workspace, path)
    yield* output(repository, ["reset", "--quiet", "--hard", "--no-recurse-submodules"])
    return yield* result(repository, path, yield* commitOf(repository, "HEAD"))
  }).pipe(Effect.scoped)

const isAsCloned = (repository: Repository) =>
  Effect.map(
    output(repository, ["status", "--porcelain=v2", "-z", "--untracked-files=all", "--ignore-submodules=all"]),
    (text) => text === ""
  )

/**
 * A clone is there when a repository is, where nothing was, that says that it comes from there, and whose files are as they were in its
 * commit. One that has no files yet gets them.
 */
export const cloneCheck = EffectCheck.make(git.clone, Place, {
  paths: ({ path }) => [path],
  isSlow: true,
  before: ({ path }, { workspace }) => before(path, workspace),
  after: ({ branch, path, url }, was, { workspace }) =>
    Effect.gen(function*() {
      const { display, isFree, names } = yield* lookAt(workspace, path)
      if (!was.isFree || isFree) return EffectCheck.notDone
      const repository = yield* openAt(workspace, display)
      const shown = yield* shownOf(workspace, url)
      const isFromThere = shown !== undefined && valueOf(repository.configuration, "remote.origin.url") === shown
      const head = yield* commitOf(repository, "HEAD")
      const isOnBranch = branch === undefined || (yield* currentBranch(repository)) === branch
        // Of a tag the commit is checked out.
        || (head !== undefined && (yield* commitOf(repository, `refs/tags/${branch}`)) === head)
      if (!isFromThere || !isOnBranch) return moved(path)
      const hasFiles = names?.some((name) => name !== ".git") === true
        || fs.existsSync(join(repository.gitDirectory, "index"))
      if (head !== undefined && !hasFiles && !(yield* hasReserved(repository, head))) {
        return { _tag: "PartlyDone" as const, finish: checkOut(workspace, display) }
      }
      return (yield* isAsCloned(repository)) ? EffectCheck.done(yield* result(repository, display, head)) : moved(path)
    }).pipe(Effect.scoped)
})
