import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import { Buffer } from "node:buffer"
import * as fs from "node:fs"
import { parameters } from "../../support/runs.js"
import { store } from "../capabilities/filesystem/workspaceSupport.js"
import { type Call, prepared, treeOf } from "./support.js"

const withStore = Effect.provide(store)

const content = FastCheck.string({ unit: FastCheck.constantFrom("a", "b", "\n", "ä", "日", "😀", "\0"), maxLength: 40 })
const state = FastCheck.option(FastCheck.oneof(content, content.map((text) => text.repeat(200))))

const assertEither = (
  name: "filesystem.write" | "filesystem.append",
  hasNoEffect: (was: string | null, text: string) => boolean
) =>
  Effect.gen(function*() {
    const { after, before, host, root, run } = yield* prepared()
    let count = 0
    const property = FastCheck.asyncProperty(state, content, (was, text) =>
      Effect.runPromise(Effect.gen(function*() {
        const path = `file ${count++}`
        if (was !== null) fs.writeFileSync(host(path), was)
        const call: Call = { name, input: { path, content: text } }
        const known = yield* before(call)
        assert.deepStrictEqual(yield* after(call, known), { _tag: "NotDone" })
        const output = yield* run(call)
        const tree = treeOf(root)
        const found = yield* after(call, known)
        assert.deepStrictEqual(found, hasNoEffect(was, text) ? { _tag: "NotDone" } : { _tag: "Done", output })
        assert.deepStrictEqual(treeOf(root), tree)
        fs.unlinkSync(host(path))
      })))
    yield* Effect.promise(() => FastCheck.assert(property, parameters(300)))
  }).pipe(withStore)

describe("effect checks", () => {
  it.scoped("tell for any content whether it was written, with the output that it had", () =>
    assertEither("filesystem.write", () => false))

  it.scoped("tell for any content whether it was appended, with the output that it had", () =>
    assertEither("filesystem.append", (was, text) => was !== null && text === ""))

  it.scoped("tell of files that are too large to be looked through beforehand", () =>
    Effect.gen(function*() {
      const { after, before, host, run } = yield* prepared()
      fs.closeSync(fs.openSync(host("large"), "w"))
      fs.truncateSync(host("large"), 17 * 1024 * 1024)
      const calls: ReadonlyArray<Call> = [
        { name: "filesystem.append", input: { path: "large", content: "more" } },
        { name: "filesystem.copy", input: { source: "large", destination: "copy" } },
        { name: "filesystem.move", input: { source: "large", destination: "moved" } }
      ]
      for (const call of calls) {
        const known = yield* before(call)
        assert.notInclude(JSON.stringify(known), "sha256", "without a digest")
        assert.strictEqual((yield* after(call, known))._tag, "NotDone", call.name)
        const output = yield* run(call)
        assert.deepStrictEqual(yield* after(call, known), { _tag: "Done", output }, call.name)
      }
    }).pipe(withStore))

  it.scoped("finish an append that was cut off within a character", () =>
    Effect.gen(function*() {
      const { after, before, host, text } = yield* prepared({ log: "first\n" })
      const call: Call = { name: "filesystem.append", input: { path: "log", content: "日本\n" } }
      const known = yield* before(call)
      fs.appendFileSync(host("log"), Buffer.from("日本").subarray(0, 4))
      const found = yield* after(call, known)
      if (found._tag !== "PartlyDone") return assert.fail(found._tag)
      assert.deepStrictEqual(yield* found.finish, { path: "/workspace/log", new_size: 13 })
      assert.strictEqual(text("log"), "first\n日本\n")
      assert.strictEqual((yield* after(call, known))._tag, "Done")
    }).pipe(withStore))

  it.scoped("keep no content, only what it was like", () =>
    Effect.gen(function*() {
      const { before } = yield* prepared({ a: "a secret" })
      const calls: ReadonlyArray<Call> = [
        { name: "filesystem.write", input: { path: "a", content: "another secret" } },
        {
          name: "filesystem.edit",
          input: { path: "a", pattern: "secret", replace: "secret secret", replace_all: true }
        },
        { name: "filesystem.delete", input: { path: "a" } }
      ]
      for (const call of calls) assert.notInclude(JSON.stringify(yield* before(call)), "secret")
    }).pipe(withStore))

  it.scoped("cannot be made of what is out of scope, or not to be looked at", () =>
    Effect.gen(function*() {
      const { before, host, outside } = yield* prepared({ "d/a": "x" })
      fs.symlinkSync(outside, host("out"))
      for (const path of ["../x", "out/secret.txt", ""]) {
        for (const name of ["filesystem.write", "filesystem.append"]) {
          const failure = yield* Effect.flip(before({ name, input: { path, content: "x" } }))
          assert.strictEqual(failure._tag, "CannotCheck", `${name} ${path}`)
        }
      }
      assert.strictEqual((yield* Effect.flip(before({ name: "filesystem.write", input: {} })))._tag, "CannotCheck")
    }).pipe(withStore))

  it.scoped("know nothing of a state that they did not make", () =>
    Effect.gen(function*() {
      const { after } = yield* prepared()
      const found = yield* after({ name: "filesystem.write", input: { path: "a", content: "x" } }, { target: 1 })
      assert.strictEqual(found._tag, "Unknown")
    }).pipe(withStore))

  it.scoped("give up what takes too long", () =>
    Effect.gen(function*() {
      const { before, checkOf, context } = yield* prepared({ a: "x" })
      const call: Call = { name: "filesystem.edit", input: { path: "a", pattern: "x", replace: "y" } }
      const known = yield* before(call)
      const { kept } = context.workspace
      const slow = {
        ...context,
        workspace: {
          ...context.workspace,
          read: () => Effect.never,
          status: () => Effect.never,
          kept: { ...kept, glance: () => Effect.never }
        }
      }
      const { after, before: look } = checkOf(call.name)
      const first = yield* Effect.fork(Effect.flip(look(call.input, slow)))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* Fiber.join(first))._tag, "CannotCheck")
      const second = yield* Effect.fork(after(call.input, known, slow))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* Fiber.join(second))._tag, "Unknown")
    }).pipe(withStore))

  it.scoped("tell of a long write by its digest alone", () =>
    Effect.gen(function*() {
      const { after, before, checkOf, run } = yield* prepared({ a: "x" })
      const call: Call = { name: "filesystem.write", input: { path: "a", content: "long ".repeat(100_000) } }
      const known = yield* before(call)
      const kept = checkOf(call.name).kept(call.input)
      assert.isBelow(JSON.stringify([known, kept]).length, 1000)
      assert.strictEqual((yield* after({ ...call, input: kept }, known))._tag, "NotDone")
      const output = yield* run(call)
      assert.deepStrictEqual(yield* after({ ...call, input: kept }, known), { _tag: "Done", output })
    }).pipe(withStore))

  it.scoped("let invocations of one path run one after the other, and others meanwhile", () =>
    Effect.gen(function*() {
      const { checkOf, context } = yield* prepared()
      const order: Array<string> = []
      const go = yield* Deferred.make<void>()
      const alone = (name: string, input: Call["input"], label: string, effect: Effect.Effect<void>) =>
        Effect.fork(checkOf(name).alone(input, context, Effect.zipRight(Effect.sync(() => order.push(label)), effect)))
      const append = { path: "a", content: "tick" }
      const one = yield* alone("filesystem.append", append, "one", Deferred.await(go))
      yield* Effect.yieldNow()
      const cancelled = yield* alone("filesystem.append", append, "cancelled", Effect.void)
      const two = yield* alone("filesystem.move", { source: "b", destination: "/workspace/./a" }, "two", Effect.void)
      const other = yield* alone("filesystem.append", { path: "c", content: "tick" }, "other", Effect.void)
      yield* Fiber.join(other)
      yield* Fiber.interrupt(cancelled)
      assert.deepStrictEqual(order, ["one", "other"])
      yield* Deferred.succeed(go, undefined)
      yield* Fiber.join(one)
      yield* Fiber.join(two)
      assert.deepStrictEqual(order, ["one", "other", "two"])
    }).pipe(withStore))
})
