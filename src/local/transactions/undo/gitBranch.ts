import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as git from "../../../catalogue/git.js"
import { isAt, Position, positionOf, referenceOf, setReference } from "../../capabilities/git/position.js"
import { open, type Repository } from "../../capabilities/git/Repository.js"
import type { Workspace } from "../../workspace/Workspace.js"
import { conflictAt, ifOpen, orConflict, undone } from "./gitWork.js"
import { make, type TypedFound } from "./make.js"

const State = Schema.Struct({ position: Position, branch: Schema.NullOr(Schema.String) })
type State = typeof State.Type

const Before = Schema.Struct({ path: Schema.String, action: Schema.String, reference: Schema.String, state: State })
type Before = typeof Before.Type

const stateOf = (repository: Repository, reference: string) =>
  Effect.gen(function*() {
    const state: State = {
      position: yield* positionOf(repository),
      branch: reference === "" ? null : yield* referenceOf(repository, reference)
    }
    return state
  })

const now = (workspace: Workspace, { path, reference }: Before) =>
  Effect.flatMap(open(workspace, path), (repository) => stateOf(repository, reference))

const isChanged = ({ action, state }: Before, after: State): boolean =>
  action === "switch" ? !isAt(state.position, after.position) : state.branch !== after.branch

const switchBack = (repository: Repository, { head, commit }: Position) => {
  const target = head?.startsWith("refs/heads/") === true
    ? [head.slice("refs/heads/".length)]
    : ["--detach", commit ?? "HEAD"]
  return repository.run(["switch", "--quiet", "--no-guess", "--no-recurse-submodules", "--no-progress", ...target], {
    environment: { GIT_COMMITTER_NAME: "KruxOS", GIT_COMMITTER_EMAIL: "gateway@localhost" }
  })
}

const undo = (before: Before, after: State, workspace: Workspace) =>
  orConflict(
    before.path,
    Effect.gen(function*() {
      const repository = yield* open(workspace, before.path)
      const here = yield* stateOf(repository, before.reference)
      if (!isChanged(before, after) || !isChanged(before, here)) return undone
      if (before.action === "switch") {
        if (!isAt(here.position, after.position)) return conflictAt(before.path)
        return (yield* switchBack(repository, before.state.position)).code === 0 ? undone : conflictAt(before.path)
      }
      const isOwn = here.branch === after.branch && here.position.head !== before.reference
      return isOwn && (yield* setReference(repository, before.reference, here.branch, before.state.branch))
        ? undone
        : conflictAt(before.path)
    })
  )

/** A branch that was made goes, one that was deleted comes back, and who has switched is where they were. */
export const gitBranchUndo = make(git.branch, { before: Before, after: State }, {
  paths: ({ path }) => [path],
  before: ({ action, name, path }, { workspace }) => {
    const reference = name === undefined ? "" : `refs/heads/${name}`
    return ifOpen(
      workspace,
      path,
      (repository) => Effect.map(stateOf(repository, reference), (state) => ({ path, action, reference, state }))
    )
  },
  after: (before, _output, _input, { workspace }) =>
    now(workspace, before).pipe(Effect.scoped, Effect.orElseSucceed(() => before.state)),
  found: (before, _input, { workspace }): Effect.Effect<TypedFound<State>> =>
    orConflict(
      before.path,
      Effect.map(
        now(workspace, before),
        (after) => isChanged(before, after) ? { _tag: "Done" as const, after } : { _tag: "NotDone" as const }
      )
    ),
  undo: (before, after, { workspace }) => undo(before, after, workspace),
  release: () => Effect.void
})
