import { assert, describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as fs from "node:fs"
import * as Turns from "../../../src/local/recovery/Turns.js"
import { Sandbox } from "../../../src/local/sandbox/Sandbox.js"
import type { Undone } from "../../../src/local/transactions/Undo.js"
import { gitUndos } from "../../../src/local/transactions/undo/git.js"
import { store } from "../capabilities/filesystem/workspaceSupport.js"
import { author, world } from "../capabilities/git/support.js"

const later = { timeout: 60_000 }

type Name = "git.init" | "git.clone" | "git.commit" | "git.pull" | "git.branch"

interface Input {
  readonly [name: string]: unknown
}

interface Step {
  readonly undo: Effect.Effect<Undone>
  readonly again: Effect.Effect<Undone>
}

// As if it came from the journal of another process.
const kept = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null))

const transactional = Effect.gen(function*() {
  const made = yield* world()
  const undos = new Map(yield* Effect.provide(Effect.provideService(gitUndos, Sandbox, made.sandbox), Turns.layer))
  const context = { agent: "agent", workspace: made.workspace, source: "session" }
  const undoOf = (name: Name) => {
    const undo = undos.get(name)
    if (undo === undefined) throw new Error(`no undo of ${name}`)
    return undo
  }
  /** Makes a step, and gives what undoes it: by what it said, or as after a crash, when nobody knows whether it was made. */
  const step = (name: Name, input: Input, { crashed = false } = {}): Effect.Effect<Step> =>
    Effect.gen(function*() {
      const undo = undoOf(name)
      const before = kept(yield* Effect.orDie(undo.before(input, context)))
      const exit = yield* Effect.exit(made.invoke(name, input))
      const after = !crashed && Exit.isSuccess(exit)
        ? kept(yield* undo.after(input, before, exit.value, context))
        : undefined
      const undoing: Effect.Effect<Undone> = Effect.gen(function*() {
        if (after !== undefined) return yield* undo.undo(input, before, after, context)
        const found = yield* undo.found(input, before, context)
        if (found._tag === "NotDone") return { _tag: "Undone" as const }
        return found._tag === "Conflict" ? found : yield* undo.undo(input, before, kept(found.after), context)
      })
      return {
        undo: Effect.zipLeft(undoing, undo.release(before, context)),
        again: after === undefined ? undoing : undo.undo(input, before, after, context)
      }
    })
  const stateOf = (path: string) => ({
    head: made.git(path, "symbolic-ref", "-q", "HEAD"),
    references: made.git(path, "for-each-ref"),
    staged: made.git(path, "ls-files", "--stage"),
    status: made.git(path, "status", "--porcelain"),
    files: fs.readdirSync(made.host(path)).filter((name) => name !== ".git").map((name) =>
      `${name} ${fs.readFileSync(made.host(`${path}/${name}`), "utf8")}`
    )
  })
  return {
    ...made,
    step,
    stateOf,
    trashed: () => fs.existsSync(made.host(".kruxos-trash")) ? fs.readdirSync(made.host(".kruxos-trash")) : []
  }
})

const isUndone = { _tag: "Undone" }

const provided = <A, E>(effect: Effect.Effect<A, E, Effect.Effect.Context<typeof transactional>>) =>
  Effect.provide(effect, store)

for (const crashed of [false, true]) {
  describe(crashed ? "after a crash" : "rolled back", () => {
    it.scopedLive("a commit: its branch, what was staged and what was not", () =>
      provided(Effect.gen(function*() {
        const { repository, stateOf, step, trashed, git, write } = yield* transactional
        repository("r", { "a.txt": "a\n", "b.txt": "b\n" })
        write("r/a.txt", "changed\n")
        write("r/c.txt", "new\n")
        git("r", "add", "c.txt")
        write("r/c.txt", "newer\n")
        const before = stateOf("r")
        const { again, undo } = yield* step("git.commit", { path: "r", message: "m", ...author }, { crashed })
        assert.strictEqual(git("r", "log", "--oneline").split("\n").length, 2)
        expect(yield* undo).toEqual(isUndone)
        expect(stateOf("r")).toEqual(before)
        expect(yield* again).toEqual(isUndone)
        expect(stateOf("r")).toEqual(before)
        assert.deepStrictEqual(trashed(), [])
      })), later)

    it.scopedLive("the first commit, and the repository itself", () =>
      provided(Effect.gen(function*() {
        const { git, host, step, write } = yield* transactional
        const first = yield* step("git.init", { path: "new/r" }, { crashed })
        write("new/r/a.txt", "a\n")
        const second = yield* step("git.commit", { path: "new/r", message: "m", ...author }, { crashed })
        git("new/r", "rev-parse", "HEAD")
        expect(yield* second.undo).toEqual(isUndone)
        assert.strictEqual(git("new/r", "for-each-ref"), "")
        fs.rmSync(host("new/r/a.txt"))
        expect(yield* first.undo).toEqual(isUndone)
        assert.isFalse(fs.existsSync(host("new")))
        expect(yield* first.again).toEqual(isUndone)
      })), later)

    it.scopedLive("a commit that ended a merge", () =>
      provided(Effect.gen(function*() {
        const { git, invoke, repository, step, stateOf, write } = yield* transactional
        repository("r")
        git("r", "checkout", "--quiet", "-b", "side")
        write("r/b.txt", "b\n")
        git("r", "add", "b.txt")
        git("r", "commit", "--quiet", "--message=b")
        git("r", "checkout", "--quiet", "main")
        git("r", "merge", "--quiet", "--no-ff", "--no-commit", "side")
        const before = stateOf("r")
        const { undo } = yield* step("git.commit", { path: "r", message: "merged", ...author }, { crashed })
        expect(yield* invoke("git.status", { path: "r" })).toMatchObject({ state: "clean" })
        expect(yield* undo).toEqual(isUndone)
        expect(stateOf("r")).toEqual(before)
        expect(yield* invoke("git.status", { path: "r" })).toMatchObject({ state: "merging" })
      })), later)

    it.scopedLive("branches that were made, switched to and deleted", () =>
      provided(Effect.gen(function*() {
        const { git, repository, stateOf, step, write } = yield* transactional
        repository("r")
        git("r", "branch", "old")
        write("r/u.txt", "untracked\n")
        const before = stateOf("r")
        const steps = [
          yield* step("git.branch", { path: "r", action: "list" }, { crashed }),
          yield* step("git.branch", { path: "r", action: "create", name: "x" }, { crashed }),
          yield* step("git.branch", { path: "r", action: "switch", name: "x" }, { crashed }),
          yield* step("git.branch", { path: "r", action: "delete", name: "old" }, { crashed }),
          yield* step("git.branch", { path: "r", action: "create", name: "main" }, { crashed })
        ]
        assert.strictEqual(stateOf("r").head, "refs/heads/x")
        for (const { undo } of steps.reverse()) expect(yield* undo).toEqual(isUndone)
        expect(stateOf("r")).toEqual(before)
      })), later)

    it.scopedLive("a clone, and a pull into what is changed", () =>
      provided(Effect.gen(function*() {
        const { git, host, repository, stateOf, step, trashed, write } = yield* transactional
        repository("model", { "a.txt": "a\n", "b.txt": "b\n" })
        const clone = yield* step("git.clone", { url: "model", path: "deep/work" }, { crashed })
        git(".", "clone", "--quiet", "model", "other")
        write("model/a.txt", "theirs\n")
        write("model/d.txt", "d\n")
        git("model", "add", "--all")
        git("model", "commit", "--quiet", "--message=theirs")
        write("other/b.txt", "not committed\n")
        const before = stateOf("other")
        const pull = yield* step("git.pull", { path: "other", remote: "origin" }, { crashed })
        assert.strictEqual(fs.readFileSync(host("other/a.txt"), "utf8"), "theirs\n")
        expect(yield* pull.undo).toEqual(isUndone)
        expect(stateOf("other")).toEqual(before)
        expect(yield* clone.undo).toEqual(isUndone)
        assert.isFalse(fs.existsSync(host("deep")))
        assert.deepStrictEqual(trashed(), [])
      })), later)
  })
}

describe("a step that failed", () => {
  it.scopedLive(
    "a pull that ended in conflict is taken back, with what was staged",
    () =>
      provided(Effect.gen(function*() {
        const { git, invoke, repository, stateOf, step, write } = yield* transactional
        repository("model")
        git(".", "clone", "--quiet", "model", "work")
        write("model/a.txt", "theirs\n")
        git("model", "commit", "--quiet", "--all", "--message=theirs")
        write("work/a.txt", "ours\n")
        git("work", "commit", "--quiet", "--all", "--message=ours")
        git("work", "config", "user.name", "Ada")
        git("work", "config", "user.email", "ada@example.org")
        const before = stateOf("work")
        const { undo } = yield* step("git.pull", { path: "work", remote: "origin" })
        expect(yield* invoke("git.status", { path: "work" })).toMatchObject({ state: "merging" })
        expect(yield* undo).toEqual(isUndone)
        expect(stateOf("work")).toEqual(before)
      })),
    later
  )

  it.scopedLive(
    "a commit of nothing and an init of what is there change nothing, and neither does undoing them",
    () =>
      provided(Effect.gen(function*() {
        const { repository, stateOf, step } = yield* transactional
        repository("r")
        const before = stateOf("r")
        expect(yield* (yield* step("git.commit", { path: "r", message: "m", ...author })).undo).toEqual(isUndone)
        expect(yield* (yield* step("git.init", { path: "r" })).undo).toEqual(isUndone)
        expect(yield* (yield* step("git.clone", { url: "r", path: "r" })).undo).toEqual(isUndone)
        expect(stateOf("r")).toEqual(before)
      })),
    later
  )
})

describe("where somebody else has changed something since", () => {
  it.scopedLive("nothing of theirs is taken away", () =>
    provided(Effect.gen(function*() {
      const { git, repository, stateOf, step, write } = yield* transactional
      const conflict = (path: string) => ({ _tag: "Conflict", resource: path })
      const withStep = (name: Name, input: Input, change: () => void) =>
        Effect.gen(function*() {
          const { undo } = yield* step(name, input)
          change()
          return undo
        })

      repository("one")
      write("one/a.txt", "two\n")
      const committed = yield* withStep("git.commit", { path: "one", message: "m", ...author }, () => {
        write("one/a.txt", "three\n")
        git("one", "commit", "--quiet", "--all", "--message=theirs")
      })
      const after = stateOf("one")
      expect(yield* committed).toMatchObject(conflict("one"))
      expect(stateOf("one")).toEqual(after)

      repository("two")
      write("two/a.txt", "two\n")
      const staged = yield* withStep("git.commit", { path: "two", message: "m", ...author }, () => {
        write("two/b.txt", "staged\n")
        git("two", "add", "b.txt")
      })
      const afterStaging = stateOf("two")
      expect(yield* staged).toMatchObject(conflict("two"))
      expect(stateOf("two")).toEqual(afterStaging)

      const inited = yield* withStep("git.init", { path: "three" }, () => {
        write("three/a.txt", "a\n")
        git("three", "add", "a.txt")
      })
      expect(yield* inited).toMatchObject(conflict("/workspace/three"))

      const cloned = yield* withStep("git.clone", { url: "one", path: "four" }, () => write("four/new.txt", "x"))
      expect(yield* cloned).toMatchObject(conflict("/workspace/four"))

      const made = yield* withStep("git.branch", { path: "two", action: "create", name: "x" }, () =>
        git("two", "update-ref", "refs/heads/x", "HEAD~1"))
      expect(yield* made).toMatchObject(conflict("two"))

      git(".", "clone", "--quiet", "one", "five")
      write("one/a.txt", "four\n")
      git("one", "commit", "--quiet", "--all", "--message=four")
      const pulled = yield* withStep("git.pull", { path: "five", remote: "origin" }, () =>
        write("five/a.txt", "mine\n"))
      const afterPull = stateOf("five")
      expect(yield* pulled).toMatchObject(conflict("five"))
      expect(stateOf("five")).toEqual(afterPull)
    })), later)
})
