import * as Effect from "effect/Effect"
import { branch } from "../../../catalogue/git.js"
import type { KruxosError } from "../../../errors/KruxosError.js"
import {
  asBefore,
  type Ask,
  cannotUndo,
  conflict,
  know,
  nothingDone,
  type Plan,
  type Undo,
  undone
} from "./Knowledge.js"

const none = Effect.succeed(undefined)

const list = (ask: Ask, path: string) =>
  Effect.map(ask("git.branch", { path, action: "list" }), ({ branches, current_branch }) => ({
    current: current_branch,
    names: new Set(branches.flatMap(({ is_remote, name }) => is_remote ? [] : [name]))
  }))

/** The commit that a branch, or what is checked out, is at. */
const head = (ask: Ask, path: string, name?: string): Effect.Effect<string | undefined, KruxosError> =>
  Effect.map(ask("git.log", { path, limit: 1, branch: name }), ({ commits }) => commits[0]?.hash)

const resource = (path: string, name: string) => `${path} ${name}`

const creation = (ask: Ask, path: string, name: string, names: ReadonlySet<string>): Plan<unknown> => ({
  size: 0,
  ended: (outcome) =>
    Effect.gen(function*() {
      if (outcome._tag === "Failed" || names.has(name)) return undefined
      const after = yield* Effect.orElseSucceed(head(ask, path, name), () => undefined)
      const undo: Undo = Effect.gen(function*() {
        const now = yield* list(ask, path)
        if (!now.names.has(name)) return asBefore(outcome)
        // What has been committed to it since would be lost.
        if (now.current === name || after === undefined || (yield* head(ask, path, name)) !== after) {
          return conflict({ resource: resource(path, name) })
        }
        yield* ask("git.branch", { path, action: "delete", name })
        return undone
      })
      return undo
    })
})

const switching = (ask: Ask, path: string, name: string, before: string): Plan<unknown> => ({
  size: 0,
  ended: (outcome) =>
    outcome._tag === "Failed" || before === name
      ? none
      : Effect.succeed(Effect.flatMap(list(ask, path), ({ current }) => {
        if (current === before) return Effect.succeed(outcome._tag === "Done" ? undone : nothingDone)
        return current === name
          ? Effect.as(ask("git.branch", { path, action: "switch", name: before }), undone)
          : Effect.succeed(conflict({ resource: resource(path, current) }))
      }))
})

const branching = know(branch, {
  isHarmless: ({ action }) => action === "list",
  plan: ({ action, name, path }, { ask }) =>
    Effect.gen(function*() {
      if (name === undefined || action === "delete") {
        return yield* cannotUndo("a branch that was deleted would come back without what is configured for it")
      }
      const { current, names } = yield* list(ask, path)
      return action === "create" ? creation(ask, path, name, names) : switching(ask, path, name, current)
    })
})

/** How branches are undone that were created or switched to. No capability takes back a commit, a clone or a repository. */
export const git = [branching]
