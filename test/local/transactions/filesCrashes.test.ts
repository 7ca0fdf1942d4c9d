import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { type Call, conflictsOf, mark, prepared, type Step, store } from "./filesSupport.js"

const files = { "a": "one\n", "b": "two\n", "d/x": "one x\n", "d/y": "one y\n" }

interface Case {
  readonly title: string
  /** What is deleted before, which the call may restore. */
  readonly deleted?: string
  /** What is written to the place of what was deleted. */
  readonly instead?: string
  readonly call: (trashPath: string) => Call
}

const cases: ReadonlyArray<Case> = [
  {
    title: "write",
    call: () => ({ name: "filesystem.write", input: { path: "a", content: "new" } })
  },
  {
    title: "write with directories",
    call: () => ({ name: "filesystem.write", input: { path: "n/e/w", content: "new", create_parents: true } })
  },
  { title: "append", call: () => ({ name: "filesystem.append", input: { path: "a", content: "more and more" } }) },
  { title: "append anew", call: () => ({ name: "filesystem.append", input: { path: "new", content: "more" } }) },
  {
    title: "edit",
    call: () => ({
      name: "filesystem.edit",
      input: { path: "d", pattern: "one", replace: "eins", include_glob: "*", replace_all: true }
    })
  },
  {
    title: "copy",
    call: () => ({ name: "filesystem.copy", input: { source: "a", destination: "b", overwrite: true } })
  },
  { title: "copy anew", call: () => ({ name: "filesystem.copy", input: { source: "a", destination: "new" } }) },
  { title: "move", call: () => ({ name: "filesystem.move", input: { source: "a", destination: "new" } }) },
  {
    title: "move over",
    call: () => ({ name: "filesystem.move", input: { source: "a", destination: "b", overwrite: true } })
  },
  { title: "move a directory", call: () => ({ name: "filesystem.move", input: { source: "d", destination: "e" } }) },
  { title: "delete", call: () => ({ name: "filesystem.delete", input: { path: "a" } }) },
  {
    title: "restore",
    deleted: "d/x",
    call: (trash_path) => ({ name: "filesystem.restore", input: { trash_path } })
  },
  {
    title: "restore over",
    deleted: "d/x",
    instead: "something else",
    call: (trash_path) => ({ name: "filesystem.restore", input: { trash_path, overwrite: true } })
  }
]

const arranged = ({ call, deleted, instead }: Case) =>
  Effect.gen(function*() {
    const made = yield* prepared(files)
    mark(made.host, Object.keys(files))
    if (deleted !== undefined) {
      yield* made.step({ name: "filesystem.delete", input: { path: deleted } })
      if (instead !== undefined) fs.writeFileSync(made.host(deleted), instead)
    }
    const [name = ""] = made.trashed()
    return { ...made, call: call(`/workspace/.kruxos-trash/${name}`), trash: made.trashed(), was: made.tree() }
  })

/** Runs a test for each step that something has, until it comes to its end. */
const atEveryStep = (test: (step: number) => Effect.Effect<boolean>): Effect.Effect<number> =>
  Effect.iterate({ step: 0, died: true }, {
    while: ({ died }) => died,
    body: ({ step }) => Effect.map(test(step + 1), (died) => ({ step: step + 1, died }))
  }).pipe(Effect.map(({ step }) => step))

const isTemporary = (path: string) => path.endsWith(".tmp")

const withoutTemporary = (tree: { readonly [path: string]: string }) =>
  Object.fromEntries(Object.entries(tree).filter(([path]) => !isTemporary(path)))

describe("a gateway that is killed in a step that changes files", () => {
  for (const each of cases) {
    it.effect(`undoes it from wherever it came to: ${each.title}`, () =>
      Effect.gen(function*() {
        const steps = yield* atEveryStep((step) =>
          Effect.gen(function*() {
            const made = yield* arranged(each)
            const { call } = made
            const before = yield* made.before(call)
            const died = yield* made.crash.killAt(step, made.run(call))
            const found = yield* made.found(call, before)
            assert.notStrictEqual(found._tag, "Conflict", `step ${step}`)
            if (found._tag === "Done") {
              const result = yield* made.undo({ call, before, after: found.after })
              assert.deepStrictEqual(result, { _tag: "Undone" }, `step ${step}`)
            }
            yield* made.release({ call, before })
            assert.deepStrictEqual(withoutTemporary(made.tree()), made.was, `step ${step}`)
            assert.deepStrictEqual(made.trashed(), made.trash, `step ${step}`)
            return died
          }).pipe(Effect.scoped, Effect.provide(store), Effect.orDie)
        )
        assert.isAbove(steps, 1)
      }))

    it.effect(`goes on with an undo that was cut off: ${each.title}`, () =>
      Effect.gen(function*() {
        const steps = yield* atEveryStep((step) =>
          Effect.gen(function*() {
            const made = yield* arranged(each)
            const { call } = made
            const done = yield* made.step(call)
            if (done === undefined) return yield* Effect.dieMessage("the step has failed")
            const kept: Step = done
            const died = yield* made.crash.killAt(step, Effect.exit(made.undo(kept)))
            const result = yield* made.undo(kept)
            assert.deepStrictEqual(conflictsOf([result]), [], `step ${step}`)
            yield* made.release(kept)
            yield* made.release(kept)
            assert.deepStrictEqual(withoutTemporary(made.tree()), made.was, `step ${step}`)
            assert.deepStrictEqual(made.trashed(), made.trash, `step ${step}`)
            assert.deepStrictEqual(conflictsOf([yield* made.undo(kept)]), [], `step ${step}`)
            assert.deepStrictEqual(withoutTemporary(made.tree()), made.was, `step ${step}`)
            return died
          }).pipe(Effect.scoped, Effect.provide(store), Effect.orDie)
        )
        assert.isAbove(steps, 1)
      }))
  }
})
