import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as git from "../../../catalogue/git.js"
import { diskAsResource } from "../../capabilities/filesystem/failures.js"
import { commitOf } from "../../capabilities/git/head.js"
import {
  isAt,
  mergeNotes,
  Position,
  positionOf,
  setReference,
  writeMergeNotes
} from "../../capabilities/git/position.js"
import { open, type Repository } from "../../capabilities/git/Repository.js"
import type { TrashService } from "../../store/Trash.js"
import type { Workspace } from "../../workspace/Workspace.js"
import { giveBackIndex, keepIndex, seenIndex } from "./gitIndex.js"
import { conflictAt, ifOpen, orConflict, undone } from "./gitWork.js"
import { KeptFile, release } from "./keptFile.js"
import { make, type TypedFound } from "./make.js"
import { isAs, JournalledSight } from "./sight.js"

const Before = Schema.Struct({
  position: Position,
  notes: Schema.Record({ key: Schema.String, value: Schema.String }),
  index: KeptFile
})
type Before = typeof Before.Type

const After = Schema.Struct({ position: Position, index: JournalledSight })
type After = typeof After.Type

/** What a step that moves HEAD may have to be given back. */
export const beforeMoving = (repository: Repository) =>
  Effect.gen(function*() {
    return {
      position: yield* positionOf(repository),
      notes: yield* mergeNotes(repository),
      index: yield* keepIndex(repository)
    }
  })

const now = (workspace: Workspace, path: string, { index }: Before) =>
  Effect.gen(function*() {
    const repository = yield* open(workspace, path)
    return { position: yield* positionOf(repository), index: yield* seenIndex(workspace, index) }
  })

const found = (before: Before, path: string, workspace: Workspace) =>
  orConflict(
    path,
    Effect.gen(function*() {
      const after = yield* now(workspace, path, before)
      if (isAt(after.position, before.position)) {
        return isAs(after.index, before.index.was)
          ? { _tag: "NotDone" as const }
          : { _tag: "Done" as const, after }
      }
      const repository = yield* open(workspace, path)
      const parent = (yield* commitOf(repository, "HEAD~1")) ?? null
      return after.position.head === before.position.head && parent === before.position.commit
        ? { _tag: "Done" as const, after }
        : conflictAt(path)
    })
  )

const undo = (path: string, before: Before, after: After, workspace: Workspace) =>
  orConflict(
    path,
    Effect.gen(function*() {
      const repository = yield* open(workspace, path)
      const here = yield* positionOf(repository)
      const index = yield* seenIndex(workspace, before.index)
      const isBack = isAt(here, before.position)
      if (isBack && isAs(index, before.index.was)) return undone
      // Of somebody who has staged something since nothing is taken away, and so the commit stays, too.
      if (!isAs(index, after.index) || (!isBack && !isAt(here, after.position))) return conflictAt(path)
      const { commit, head } = before.position
      if (!isBack && !(yield* setReference(repository, head ?? "HEAD", here.commit, commit))) return conflictAt(path)
      yield* writeMergeNotes(repository, before.notes)
      return (yield* giveBackIndex(workspace, before.index)) ? undone : conflictAt(path)
    })
  )

const State = Schema.Struct({ path: Schema.String, ...Before.fields })

/** The commit is taken off its branch, and what was staged is staged again. The files stay as they are: it had not changed them. */
export const gitCommitUndo = (trash: TrashService) =>
  make(git.commit, { before: State, after: After }, {
    paths: ({ path }) => [path],
    before: ({ path }, { workspace }) =>
      ifOpen(workspace, path, (repository) => Effect.map(beforeMoving(repository), (state) => ({ path, ...state })))
        .pipe(
          Effect.catchTag("DiskFull", diskAsResource)
        ),
    after: (before, _output, { path }, { workspace }) =>
      now(workspace, path, before).pipe(
        Effect.scoped,
        Effect.orElseSucceed((): After => ({ position: before.position, index: null }))
      ),
    found: (before, { path }, { workspace }): Effect.Effect<TypedFound<After>> => found(before, path, workspace),
    undo: (before, after, { workspace }) => undo(before.path, before, after, workspace),
    release: ({ index }, context) => release(trash, context, index)
  })
