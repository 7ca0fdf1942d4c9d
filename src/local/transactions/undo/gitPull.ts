import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as git from "../../../catalogue/git.js"
import { diskAsResource } from "../../capabilities/filesystem/failures.js"
import {
  contains,
  isAt,
  mergeNotes,
  Position,
  positionOf,
  referenceOf,
  setReference
} from "../../capabilities/git/position.js"
import { pulledBranch } from "../../capabilities/git/pull.js"
import { open, type Repository } from "../../capabilities/git/Repository.js"
import type { TrashService } from "../../store/Trash.js"
import type { Workspace } from "../../workspace/Workspace.js"
import { giveBackIndex, keepIndex, seenIndex } from "./gitIndex.js"
import { conflictAt, ifOpen, orConflict, undone } from "./gitWork.js"
import { KeptFile, release } from "./keptFile.js"
import { make, type TypedFound } from "./make.js"
import { isAs, JournalledSight } from "./sight.js"

const Before = Schema.Struct({
  path: Schema.String,
  position: Position,
  isMerging: Schema.Boolean,
  index: KeptFile,
  /** Where the branch of the remote is kept, and what was there. */
  tracking: Schema.Struct({ name: Schema.String, commit: Schema.NullOr(Schema.String) })
})
type Before = typeof Before.Type

const After = Schema.Struct({
  position: Position,
  isMerging: Schema.Boolean,
  index: JournalledSight,
  tracking: Schema.NullOr(Schema.String)
})
type After = typeof After.Type

const isMerging = (repository: Repository) =>
  Effect.map(mergeNotes(repository), (notes) => notes["MERGE_HEAD"] !== undefined)

const stateNow = (
  workspace: Workspace,
  repository: Repository,
  { index, tracking }: Pick<Before, "index" | "tracking">
) =>
  Effect.gen(function*() {
    const after: After = {
      position: yield* positionOf(repository),
      isMerging: yield* isMerging(repository),
      index: yield* seenIndex(workspace, index),
      tracking: yield* referenceOf(repository, tracking.name)
    }
    return after
  })

const isAsBefore = (now: After, before: Before): boolean =>
  isAt(now.position, before.position) && now.isMerging === before.isMerging

const found = (before: Before, workspace: Workspace) =>
  orConflict(
    before.path,
    Effect.gen(function*() {
      const repository = yield* open(workspace, before.path)
      const after = yield* stateNow(workspace, repository, before)
      if (isAsBefore(after, before)) {
        return after.tracking === before.tracking.commit
          ? { _tag: "NotDone" as const }
          : { _tag: "Done" as const, after }
      }
      const { commit } = before.position
      const goesOn = after.position.head === before.position.head && after.position.commit !== null &&
        (commit === null || (yield* contains(repository, after.position.commit, commit)))
      return goesOn ? { _tag: "Done" as const, after } : conflictAt(before.path)
    })
  )

// What git does without touching changes that nobody has committed; it refuses where it would have to.
const goBack = (repository: Repository, before: Before, after: After) =>
  Effect.gen(function*() {
    const { commit, head } = before.position
    if (after.isMerging) {
      return (yield* repository.run(["reset", "--quiet", "--merge", "--no-recurse-submodules", commit ?? "HEAD"]))
        .code === 0
    }
    if (commit !== null) {
      return (yield* repository.run(["reset", "--quiet", "--keep", "--no-recurse-submodules", commit])).code === 0
    }
    const empty = (yield* repository.run(["hash-object", "-t", "tree", "--stdin"], { stdin: "" })).stdout.trim()
    const { code } = yield* repository.run(["read-tree", "-m", "-u", "HEAD", empty])
    return code === 0 && (yield* setReference(repository, head ?? "HEAD", after.position.commit, null))
  })

const undo = (before: Before, after: After, workspace: Workspace) =>
  orConflict(
    before.path,
    Effect.gen(function*() {
      const repository = yield* open(workspace, before.path)
      const now = yield* stateNow(workspace, repository, before)
      const { tracking } = before
      if (!isAsBefore(after, before) && !isAsBefore(now, before)) {
        const isOwn = isAt(now.position, after.position) && now.isMerging === after.isMerging &&
          isAs(now.index, after.index)
        if (!isOwn || !(yield* goBack(repository, before, after))) return conflictAt(before.path)
        if (!(yield* giveBackIndex(workspace, before.index))) return conflictAt(before.path)
      }
      if (now.tracking === after.tracking && now.tracking !== tracking.commit) {
        yield* setReference(repository, tracking.name, now.tracking, tracking.commit)
      }
      return undone
    })
  )

/** The branch goes back to its commit, with its files and what was staged; changes that were not committed stay. */
export const gitPullUndo = (trash: TrashService) =>
  make(git.pull, { before: Before, after: After }, {
    paths: ({ path }) => [path],
    before: ({ branch, path, remote }, { workspace }) =>
      ifOpen(workspace, path, (repository) =>
        Effect.gen(function*() {
          const position = yield* positionOf(repository)
          const name = branch ?? pulledBranch(repository, position.head ?? undefined, remote) ?? "HEAD"
          const tracking = `refs/remotes/${remote}/${name}`
          return {
            path,
            position,
            isMerging: yield* isMerging(repository),
            index: yield* keepIndex(repository),
            tracking: { name: tracking, commit: yield* referenceOf(repository, tracking) }
          }
        })).pipe(Effect.catchTag("DiskFull", diskAsResource)),
    after: (before, _output, { path }, { workspace }) =>
      open(workspace, path).pipe(
        Effect.flatMap((repository) => stateNow(workspace, repository, before)),
        Effect.scoped,
        Effect.orElseSucceed((): After => ({
          position: before.position,
          isMerging: before.isMerging,
          index: null,
          tracking: before.tracking.commit
        }))
      ),
    found: (before, _input, { workspace }): Effect.Effect<TypedFound<After>> => found(before, workspace),
    undo: (before, after, { workspace }) => undo(before, after, workspace),
    release: ({ index }, context) => release(trash, context, index)
  })
