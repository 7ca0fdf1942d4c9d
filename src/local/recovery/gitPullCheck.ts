import * as Effect from "effect/Effect"
import * as git from "../../catalogue/git.js"
import { output } from "../capabilities/git/head.js"
import { isAt, Position, positionOf, referenceOf } from "../capabilities/git/position.js"
import { count, filesBetween, pulledBranch } from "../capabilities/git/pull.js"
import type { Repository } from "../capabilities/git/Repository.js"
import * as EffectCheck from "./EffectCheck.js"
import { moved, within } from "./gitSight.js"

const parentsOf = (repository: Repository, commit: string) =>
  Effect.map(
    output(repository, ["rev-list", "--no-walk", "--parents", commit, "--"]),
    (text) => text.trim().split(" ").slice(1)
  )

/**
 * A pull is there when the branch is where the remote's was, or has a commit that joins just the two. A merge that is not committed is
 * told of once more, by asking again.
 */
export const pullCheck = EffectCheck.make(git.pull, Position, {
  paths: ({ path }) => [path],
  isSlow: true,
  before: ({ path }, { workspace }) => within(workspace, path, positionOf),
  after: ({ branch, path, remote }, before, { workspace }) =>
    within(workspace, path, (repository) =>
      Effect.gen(function*() {
        const now = yield* positionOf(repository)
        if (isAt(now, before)) return EffectCheck.notDone
        const name = branch ?? pulledBranch(repository, before.head ?? undefined, remote)
        const theirs = name === undefined
          ? null
          : yield* referenceOf(repository, `refs/remotes/${remote}/${name}`)
        if (now.commit === null || theirs === null || now.head !== before.head) return moved(path)
        const parents = yield* parentsOf(repository, now.commit)
        const isJoined = parents.length === 2 && parents[0] === before.commit && parents[1] === theirs
        if (now.commit !== theirs && !isJoined) return moved(path)
        return EffectCheck.done({
          new_commits: yield* count(repository, before.commit === null ? [theirs] : [theirs, `^${before.commit}`]),
          files_changed: yield* filesBetween(repository, before.commit ?? undefined, now.commit),
          head_commit: now.commit,
          up_to_date: false
        })
      }))
})
