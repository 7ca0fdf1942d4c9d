import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { canMount, skipped } from "../../support/smallDisk.js"
import { type Call, conflictsOf, mark, prepared, store } from "./filesSupport.js"

const files = {
  "a": "one two\n",
  "b": "other\n",
  "d/x": "one x\n",
  "d/y": "one y\n",
  "by/stander": "one of no concern"
}

interface Case {
  readonly title: string
  readonly calls: ReadonlyArray<Call>
}

const write = (path: string, content: string, more = {}): Call => ({
  name: "filesystem.write",
  input: { path, content, ...more }
})
const append = (path: string, content: string): Call => ({ name: "filesystem.append", input: { path, content } })
const move = (source: string, destination: string, overwrite = false): Call => ({
  name: "filesystem.move",
  input: { source, destination, overwrite }
})
const copy = (source: string, destination: string, overwrite = false): Call => ({
  name: "filesystem.copy",
  input: { source, destination, overwrite }
})
const remove = (path: string): Call => ({ name: "filesystem.delete", input: { path } })
const editAll: Call = {
  name: "filesystem.edit",
  input: { path: "d", pattern: "one", replace: "eins", include_glob: "*", replace_all: true }
}

const cases: ReadonlyArray<Case> = [
  { title: "write over a file", calls: [write("a", "new")] },
  { title: "write what was there", calls: [write("a", "one two\n")] },
  { title: "write through a link", calls: [write("link", "new")] },
  { title: "write a file and the directories for it", calls: [write("n/e/w", "new", { create_parents: true })] },
  { title: "append", calls: [append("a", "three\n"), append("a", "four\n")] },
  { title: "append to a new file", calls: [append("new", "three\n"), append("new", "four\n")] },
  { title: "edit a directory", calls: [editAll] },
  { title: "copy", calls: [copy("a", "new")] },
  { title: "copy over a file", calls: [copy("a", "b", true)] },
  { title: "move", calls: [move("a", "new")] },
  { title: "move over a file", calls: [move("a", "b", true)] },
  { title: "move over a link", calls: [move("a", "link", true)] },
  { title: "move a directory", calls: [move("d", "e")] },
  { title: "move a link", calls: [move("link", "d/link")] },
  { title: "delete", calls: [remove("a")] },
  { title: "delete a directory after its files", calls: [remove("d/x"), remove("d/y"), remove("d")] },
  {
    title: "all of it on one file",
    calls: [
      write("a", "1"),
      append("a", "2"),
      append("a", "3"),
      move("a", "new"),
      { name: "filesystem.edit", input: { path: "new", pattern: "1", replace: "one", replace_all: true } },
      append("new", "4"),
      remove("new"),
      write("new", "5"),
      move("new", "b", true),
      copy("b", "a"),
      append("link", "6")
    ]
  }
]

const arranged = Effect.map(prepared(files), (made) => {
  fs.symlinkSync("a", made.host("link"))
  mark(made.host, Object.keys(files))
  return made
})

describe("the undo of steps that change files", () => {
  for (const { calls, title } of cases) {
    it.scoped(`restores exactly what was there: ${title}`, () =>
      Effect.gen(function*() {
        const made = yield* arranged
        const was = made.tree()
        const inode = fs.statSync(made.host("a")).ino
        const steps = yield* Effect.forEach(calls, (call) => made.step(call))
        assert.notInclude(steps, undefined)
        if (title !== "write what was there") assert.notDeepEqual(made.tree(), was)
        const results = yield* made.rollBack(steps.flatMap((step) => step === undefined ? [] : [step]))
        assert.deepStrictEqual(conflictsOf(results), [])
        assert.deepStrictEqual(made.tree(), was)
        assert.strictEqual(fs.statSync(made.host("a")).ino, inode)
        assert.deepStrictEqual(made.trashed(), [])
      }).pipe(Effect.provide(store)))
  }

  for (const call of [write("a", "new"), append("a", "new"), copy("b", "a", true), move("b", "a", true)]) {
    it.scoped(`restores a file that has another name, too: ${call.name}`, () =>
      Effect.gen(function*() {
        const made = yield* arranged
        fs.linkSync(made.host("a"), made.host("d/same"))
        const was = made.tree()
        const first = yield* made.step(call)
        // Which changes what has been kept, if that is the same file.
        const second = yield* made.step(append("d/same", "more"))
        const results = yield* made.rollBack([first, second].flatMap((step) => step === undefined ? [] : [step]))
        assert.strictEqual(results.length, 2)
        assert.deepStrictEqual(conflictsOf(results), [])
        assert.deepStrictEqual(made.tree(), was)
        assert.deepStrictEqual(made.trashed(), [])
      }).pipe(Effect.provide(store)))
  }

  it.scoped("removes the directories that a restore has made", () =>
    Effect.gen(function*() {
      const made = yield* arranged
      yield* made.step(remove("by/stander"))
      fs.rmdirSync(made.host("by"))
      const was = made.tree()
      const [name = ""] = made.trashed()
      const path = `/workspace/.kruxos-trash/${name}`
      const record = yield* made.trash.find(path)
      const step = yield* made.step({ name: "filesystem.restore", input: { trash_path: path } })
      assert.isTrue(fs.existsSync(made.host("by/stander")))
      const results = yield* made.rollBack(step === undefined ? [] : [step])
      assert.deepStrictEqual(results, [{ _tag: "Undone" }])
      assert.deepStrictEqual(made.tree(), was)
      assert.deepStrictEqual(made.trashed(), [name])
      assert.deepStrictEqual(yield* made.trash.find(path), record)
    }).pipe(Effect.provide(store)))

  it.scoped("restores a file that is too large to be read at once", () =>
    Effect.gen(function*() {
      const made = yield* arranged
      fs.writeFileSync(made.host("large"), new Uint8Array(17 * 1024 * 1024))
      mark(made.host, ["large"])
      const was = made.tree()
      const calls = [
        append("large", "1"),
        copy("large", "b", true),
        write("large", "2"),
        append("b", "3"),
        move("b", "large", true)
      ]
      const steps = yield* Effect.forEach(calls, (call) => made.step(call))
      const results = yield* made.rollBack(steps.flatMap((step) => step === undefined ? [] : [step]))
      assert.strictEqual(results.length, calls.length)
      assert.deepStrictEqual(conflictsOf(results), [])
      assert.deepStrictEqual(made.tree(), was)
      assert.deepStrictEqual(made.trashed(), [])
    }).pipe(Effect.provide(store)))

  it.scoped.skipIf(!canMount)(
    `restores a file that is on another disk than the trash${skipped}`,
    () =>
      Effect.gen(function*() {
        const made = yield* arranged
        fs.mkdirSync(made.host("disk"))
        yield* Effect.acquireRelease(
          Effect.sync(() => execFileSync("mount", ["-t", "tmpfs", "-o", "size=1048576", "tmpfs", made.host("disk")])),
          () => Effect.sync(() => execFileSync("umount", [made.host("disk")]))
        )
        fs.writeFileSync(made.host("disk/file"), "old")
        mark(made.host, ["disk/file"])
        const was = made.tree()
        const steps = yield* Effect.forEach(
          [append("disk/file", "1"), write("disk/file", "2"), copy("a", "disk/file", true)],
          (call) => made.step(call)
        )
        const results = yield* made.rollBack(steps.flatMap((step) => step === undefined ? [] : [step]))
        assert.strictEqual(results.length, 3)
        assert.deepStrictEqual(conflictsOf(results), [])
        assert.deepStrictEqual(made.tree(), was)
        assert.deepStrictEqual(made.trashed(), [])
      }).pipe(Effect.provide(store))
  )
})
