import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as git from "../../catalogue/git.js"
import { list } from "../capabilities/git/branch.js"
import { countFiles } from "../capabilities/git/commit.js"
import { withSandbox } from "../capabilities/git/GitSandbox.js"
import { commitOf, currentBranch, output } from "../capabilities/git/head.js"
import { isAt, Position, positionOf, referenceOf } from "../capabilities/git/position.js"
import type { Repository } from "../capabilities/git/Repository.js"
import * as EffectCheck from "./EffectCheck.js"
import { cloneCheck, initCheck } from "./gitNewChecks.js"
import { pullCheck } from "./gitPullCheck.js"
import { moved, within } from "./gitSight.js"
import type { Turns } from "./Turns.js"

// As git writes a message: without spaces at the ends of lines, and without more than one empty line together.
const asWritten = (message: string): string =>
  message.split("\n").map((line) => line.trimEnd()).join("\n").replaceAll(/\n{3,}/g, "\n\n").trim()

/** A commit is there when its branch has gone on by just one, with that message. */
const commitCheck = EffectCheck.make(git.commit, Position, {
  paths: ({ path }) => [path],
  isSlow: true,
  before: ({ path }, { workspace }) => within(workspace, path, positionOf),
  after: ({ message, path }, before, { workspace }) =>
    within(workspace, path, (repository) =>
      Effect.gen(function*() {
        const now = yield* positionOf(repository)
        // What was staged by then is going to be staged again.
        if (isAt(now, before)) return EffectCheck.notDone
        const parent = (yield* commitOf(repository, "HEAD~1")) ?? null
        if (now.commit === null || now.head !== before.head || parent !== before.commit) return moved(path)
        const written = yield* output(repository, ["log", "-1", "--format=%B", now.commit, "--"])
        if (asWritten(written) !== asWritten(message)) return moved(path)
        return EffectCheck.done({
          commit_hash: now.commit,
          files_committed: yield* countFiles(repository, before.commit ?? undefined),
          branch: yield* currentBranch(repository)
        })
      }))
})

const BranchState = Schema.Struct({ position: Position, branch: Schema.NullOr(Schema.String) })

const branchState = (repository: Repository, name: string | undefined) =>
  Effect.all({
    position: positionOf(repository),
    branch: name === undefined ? Effect.succeed(null) : referenceOf(repository, `refs/heads/${name}`)
  })

/** A branch is there, or gone, or checked out; to list them changes nothing. */
const branchCheck = EffectCheck.make(git.branch, BranchState, {
  paths: ({ path }) => [path],
  isSlow: true,
  before: ({ name, path }, { workspace }) => within(workspace, path, (repository) => branchState(repository, name)),
  after: ({ action, name, path }, before, { workspace }) =>
    within(workspace, path, (repository) =>
      Effect.gen(function*() {
        const now = yield* branchState(repository, name)
        const isSame = action === "switch" ? isAt(now.position, before.position) : now.branch === before.branch
        if (action === "list" || isSame) return EffectCheck.notDone
        const isDone = action === "switch"
          ? now.position.head === `refs/heads/${name}`
          : action === "create"
          ? before.branch === null
          : now.branch === null
        return isDone ? EffectCheck.done(yield* list(repository)) : moved(path)
      }))
})

const checks = [commitCheck, branchCheck, pullCheck, initCheck, cloneCheck]

/** The checks of `git.*`. Of a push it is not told after a crash whether the remote has taken it. */
export const gitChecks = Effect.map(
  withSandbox,
  (inSandbox) =>
    checks.map((make) => (turns: Turns): readonly [string, EffectCheck.EffectCheck] => {
      const [name, { after, before, ...others }] = make(turns)
      return [name, {
        ...others,
        before: (...given) => inSandbox(before(...given)),
        after: (...given) =>
          Effect.map(
            inSandbox(after(...given)),
            (found) => found._tag === "PartlyDone" ? { ...found, finish: inSandbox(found.finish) } : found
          )
      }]
    })
)
