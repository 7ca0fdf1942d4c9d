import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as fs from "node:fs"
import { EffectChecks, layer as checksLayer } from "../../../src/local/recovery/EffectChecks.js"
import * as Turns from "../../../src/local/recovery/Turns.js"
import { keptSince } from "../../../src/local/transactions/undo/keptNames.js"
import { sweepKept } from "../../../src/local/transactions/undo/sweepKept.js"
import * as Undos from "../../../src/local/transactions/Undos.js"
import { make as makeWorkspace } from "../../../src/local/workspace/confined.js"
import { canMount, fill, skipped, smallDisk } from "../../support/smallDisk.js"
import { type Call, conflictsOf, prepared, type Step, store } from "./filesSupport.js"

const write = (path: string, content: string, more = {}): Call => ({
  name: "filesystem.write",
  input: { path, content, ...more }
})
const move = (source: string, destination: string, overwrite = false): Call => ({
  name: "filesystem.move",
  input: { source, destination, overwrite }
})

const isDone = (step: Step | undefined): Step => Option.getOrThrow(Option.fromNullable(step))

const trashOf = (conflict: { readonly savedAs?: string | undefined } | undefined): string => conflict?.savedAs ?? ""

describe("a file that somebody else has changed since a step", () => {
  for (
    const call of [
      write("a", "new"),
      { name: "filesystem.append", input: { path: "a", content: "more" } },
      { name: "filesystem.copy", input: { source: "b", destination: "a", overwrite: true } },
      move("b", "a", true),
      { name: "filesystem.edit", input: { path: "a", pattern: "o", replace: "0", replace_all: true } }
    ]
  ) {
    it.scoped(`stays, and its earlier content can be restored: ${call.name}`, () =>
      Effect.gen(function*() {
        const made = yield* prepared({ a: "old", b: "other" })
        const step = isDone(yield* made.step(call))
        fs.writeFileSync(made.host("a"), "theirs")
        const [conflict, ...more] = conflictsOf(yield* made.rollBack([step]))
        assert.deepStrictEqual(more, [])
        assert.strictEqual(conflict?.resource, "/workspace/a")
        assert.strictEqual(made.text("a"), "theirs")
        assert.strictEqual(made.text("b"), "other")
        // Again, as after a crash.
        assert.deepStrictEqual(conflictsOf([yield* made.undo(step)]), [conflict])
        yield* made.release(step)
        const restored = yield* made.run({
          name: "filesystem.restore",
          input: { trash_path: trashOf(conflict), overwrite: true }
        })
        assert.deepInclude(restored, { restored_path: "/workspace/a" })
        assert.strictEqual(made.text("a"), "old")
      }).pipe(Effect.provide(store)))
  }

  it.scoped("stays where a deleted file was, which is in the trash", () =>
    Effect.gen(function*() {
      const made = yield* prepared({ a: "old" })
      const step = isDone(yield* made.step({ name: "filesystem.delete", input: { path: "a" } }))
      fs.writeFileSync(made.host("a"), "theirs")
      const [conflict] = conflictsOf(yield* made.rollBack([step]))
      assert.deepInclude(conflict, { resource: "/workspace/a" })
      assert.strictEqual(made.text("a"), "theirs")
      yield* made.run({ name: "filesystem.restore", input: { trash_path: trashOf(conflict), overwrite: true } })
      assert.strictEqual(made.text("a"), "old")
    }).pipe(Effect.provide(store)))

  it.scoped("is moved back with a directory that it is in", () =>
    Effect.gen(function*() {
      const made = yield* prepared({ "d/x": "x", "d/y": "y" })
      const step = isDone(yield* made.step(move("d", "e")))
      fs.writeFileSync(made.host("e/x"), "theirs")
      fs.writeFileSync(made.host("e/z"), "theirs, too")
      assert.deepStrictEqual(conflictsOf(yield* made.rollBack([step])), [])
      assert.deepStrictEqual(fs.readdirSync(made.host("d")), ["x", "y", "z"])
      assert.strictEqual(made.text("d/x"), "theirs")
      assert.isFalse(fs.existsSync(made.host("e")))
    }).pipe(Effect.provide(store)))

  it.scoped("is told of for each file of an edit", () =>
    Effect.gen(function*() {
      const made = yield* prepared({ "d/x": "one", "d/y": "one", "d/z": "one" })
      const step = isDone(
        yield* made.step({
          name: "filesystem.edit",
          input: { path: "d", pattern: "one", replace: "two", include_glob: "*", replace_all: true }
        })
      )
      fs.writeFileSync(made.host("d/x"), "theirs")
      fs.unlinkSync(made.host("d/z"))
      const conflicts = conflictsOf(yield* made.rollBack([step]))
      assert.sameMembers(conflicts.map(({ resource }) => resource), ["/workspace/d/x", "/workspace/d/z"])
      assert.strictEqual(made.text("d/x"), "theirs")
      assert.strictEqual(made.text("d/y"), "one")
      assert.isFalse(fs.existsSync(made.host("d/z")))
    }).pipe(Effect.provide(store)))

  it.scoped("keeps the directory that was made for a step", () =>
    Effect.gen(function*() {
      const made = yield* prepared()
      const step = isDone(yield* made.step(write("n/e/w", "new", { create_parents: true })))
      fs.writeFileSync(made.host("n/theirs"), "theirs")
      assert.deepStrictEqual(conflictsOf(yield* made.rollBack([step])), [])
      assert.deepStrictEqual(fs.readdirSync(made.host("n")), ["theirs"])
    }).pipe(Effect.provide(store)))

  it.scoped("is what another append in between makes of it", () =>
    Effect.gen(function*() {
      const made = yield* prepared({ log: "1\n" })
      const call: Call = { name: "filesystem.append", input: { path: "log", content: "2\n" } }
      const before = yield* made.before(call)
      fs.appendFileSync(made.host("log"), "theirs\n")
      const after = yield* made.after(call, before, yield* made.run(call))
      const [conflict] = conflictsOf(yield* made.rollBack([{ call, before, after }]))
      assert.strictEqual(conflict?.resource, "/workspace/log")
      assert.strictEqual(made.text("log"), "1\ntheirs\n2\n")
    }).pipe(Effect.provide(store)))
})

describe("the undo of a download", () => {
  const call = (more = {}): Call => ({
    name: "network.download",
    input: { url: "https://example.com/file", path: "file", overwrite: true, ...more }
  })

  const downloaded = (made: Effect.Effect.Success<ReturnType<typeof prepared>>, text: string) =>
    Effect.gen(function*() {
      const path = yield* made.workspace.resolve("file")
      const { checksum, size } = yield* made.workspace.fill(
        path,
        { overwrite: true },
        (append) => append(new TextEncoder().encode(text))
      )
      return { path: path.display, size, checksum, duration_ms: 1 }
    })

  for (const files of [{}, { file: "old" }]) {
    it.scoped(`brings back what was there: ${Object.keys(files).length} files`, () =>
      Effect.gen(function*() {
        const made = yield* prepared(files)
        const was = made.tree()
        const step = isDone(yield* made.step(call(), downloaded(made, "new")))
        assert.deepStrictEqual(conflictsOf(yield* made.rollBack([step])), [])
        assert.deepStrictEqual(made.tree(), was)
        assert.deepStrictEqual(made.trashed(), [])
      }).pipe(Effect.provide(store)))

    it.scoped(`puts what it takes for a download cut off into the trash: ${Object.keys(files).length} files`, () =>
      Effect.gen(function*() {
        const made = yield* prepared(files)
        const was = made.tree()
        const step = isDone(yield* made.step(call(), Effect.zipRight(downloaded(made, "new"), Effect.fail("killed"))))
        assert.deepStrictEqual(conflictsOf(yield* made.rollBack([step])), [])
        assert.deepStrictEqual(made.tree(), was)
        const [name = ""] = made.trashed()
        assert.strictEqual(made.text(`.kruxos-trash/${name}`), "new")
        assert.isTrue(Option.isSome(yield* made.trash.find(`/workspace/.kruxos-trash/${name}`)))
      }).pipe(Effect.provide(store)))
  }

  it.scoped("knows by the checksum whether it was cut off", () =>
    Effect.gen(function*() {
      const made = yield* prepared({ file: "old" })
      const before = yield* made.before(call({ expected_checksum: "0".repeat(64) }))
      fs.rmSync(made.host("file"))
      fs.writeFileSync(made.host("file"), "theirs")
      const found = yield* made.found(call({ expected_checksum: "0".repeat(64) }), before)
      assert.deepInclude(found, { _tag: "Conflict", resource: "/workspace/file" })
      assert.strictEqual(made.text("file"), "theirs")
    }).pipe(Effect.provide(store)))
})

describe("what is kept of files", () => {
  it.scoped("is not to be had by an agent", () =>
    Effect.gen(function*() {
      const made = yield* prepared({ a: "old" })
      const step = isDone(yield* made.step(write("a", "new")))
      const [name = ""] = made.trashed()
      assert.match(name, /^kept-/)
      const path = `/workspace/.kruxos-trash/${name}`
      for (
        const call of [
          { name: "filesystem.restore", input: { trash_path: path } },
          { name: "filesystem.read", input: { path } },
          { name: "filesystem.copy", input: { source: path, destination: "b" } },
          { name: "filesystem.list", input: { path: ".kruxos-trash" } }
        ]
      ) {
        const failure = yield* Effect.flip(made.run(call))
        assert.include(["TrashEntryNotFound", "PathOutOfScope"], failure._tag)
      }
      const listed = yield* made.run({ name: "filesystem.list", input: { path: ".", include_hidden: true } })
      assert.deepInclude(listed, { total: 1 })
      yield* made.rollBack([step])
      assert.strictEqual(made.text("a"), "old")
    }).pipe(Effect.provide(store)))

  it.scoped("goes when nothing has to be undone any more", () =>
    Effect.gen(function*() {
      const made = yield* prepared({ a: "old" })
      const step = isDone(yield* made.step(write("a", "new")))
      yield* made.release(step)
      yield* made.release(step)
      assert.deepStrictEqual(made.trashed(), [])
      assert.strictEqual(made.text("a"), "new")
    }).pipe(Effect.provide(store)))

  it.scoped("is swept a day later, unless it is needed", () =>
    Effect.gen(function*() {
      const made = yield* prepared({ a: "1", b: "2", c: "3", d: "4" })
      const lost = isDone(yield* made.step(write("a", "new")))
      yield* made.step(write("b", "new"))
      const needed = made.trashed().filter((name) => name.endsWith("-b"))
      const conflicting = isDone(yield* made.step(write("c", "new")))
      fs.writeFileSync(made.host("c"), "theirs")
      yield* made.step({ name: "filesystem.delete", input: { path: "d" } })
      const run = sweepKept(made.workspace, { isNeeded: (name) => Effect.succeed(needed.includes(name)) })
      assert.strictEqual(yield* run, 0)
      yield* TestClock.adjust("23 hours")
      yield* made.rollBack([conflicting])
      assert.strictEqual(yield* run, 0)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(yield* run, 1)
      assert.isTrue(made.trashed().every((name) => !name.endsWith("-a")))
      assert.strictEqual(made.trashed().length, 3)
      const [conflict] = conflictsOf([yield* made.undo(lost)])
      assert.strictEqual(conflict?.resource, "/workspace/a")
      assert.isUndefined(conflict?.savedAs)
    }).pipe(Effect.provide(store)))

  it("tells since when", () => {
    assert.strictEqual(keptSince(`kept-${(1234).toString(36)}-${"0".repeat(32)}-a`), 1234)
    assert.isUndefined(keptSince(`${"0".repeat(32)}-a`))
  })
})

describe("turns", () => {
  it.scoped("are taken by steps and by approved invocations alike", () =>
    Effect.gen(function*() {
      const made = yield* prepared({ a: "old" })
      fs.symlinkSync("a", made.host("link"))
      const both = yield* Layer.build(Layer.provide(Layer.merge(Undos.layer, checksLayer), Turns.layer))
      const { check, undo } = yield* Effect.provide(
        Effect.gen(function*() {
          const check = (yield* EffectChecks).get("filesystem.append")
          const undo = (yield* Undos.Undos).get("filesystem.write")
          return {
            check: Option.getOrThrow(Option.fromNullable(check)),
            undo: Option.getOrThrow(Option.fromNullable(undo))
          }
        }),
        both
      )
      const order: Array<string> = []
      const held = yield* Effect.fork(
        undo.alone(
          { path: "a", content: "" },
          made.context,
          Effect.delay(Effect.sync(() => order.push("step")), "1 minute")
        )
      )
      yield* Effect.yieldNow()
      const waiting = yield* Effect.fork(
        check.alone({ path: "link", content: "" }, made.context, Effect.sync(() => order.push("approved")))
      )
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(held)
      yield* Fiber.join(waiting)
      assert.deepStrictEqual(order, ["step", "approved"])
    }).pipe(Effect.provide(store)))
})

describe.skipIf(!canMount)(`a full disk${skipped}`, () => {
  it.scoped("is told before anything is appended", () =>
    Effect.gen(function*() {
      const made = yield* prepared()
      const disk = yield* smallDisk(1024 * 1024)
      const workspace = yield* makeWorkspace(disk)
      fs.writeFileSync(`${disk}/log`, "x".repeat(300_000))
      yield* workspace.dropFromTrash("nothing")
      fill(disk, 4096)
      const call: Call = { name: "filesystem.append", input: { path: "log", content: "y" } }
      const failure = yield* Effect.flip(made.undoOf(call.name).before(call.input, { ...made.context, workspace }))
      assert.strictEqual(failure._tag, "DiskFull")
      assert.deepStrictEqual(fs.readdirSync(`${disk}/.kruxos-trash`), [])
      const copying: Call = { name: "filesystem.move", input: { source: "log", destination: "other" } }
      const other = yield* Effect.flip(made.undoOf(copying.name).before(copying.input, { ...made.context, workspace }))
      assert.strictEqual(other._tag, "ResourceExhausted")
      assert.strictEqual(fs.statSync(`${disk}/log`).size, 300_000)
    }).pipe(Effect.provide(store)))
})
