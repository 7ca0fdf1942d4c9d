import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as filesystem from "../../../../src/catalogue/filesystem.js"
import { list, stat } from "../../../../src/local/capabilities/filesystem/directories.js"
import { invocationFixture } from "./workspaceSupport.js"

const listInput = Schema.decodeUnknownSync(filesystem.list.handlerInputSchema)

describe("filesystem.list", () => {
  const prepared = Effect.gen(function*() {
    const made = yield* invocationFixture
    const files = [["b", 1, 30], ["a", 3, 10], ["c", 1, 10], [".hidden", 2, 20]] as const
    for (const [name, size, time] of files) {
      fs.writeFileSync(made.host(name), "x".repeat(size))
      fs.utimesSync(made.host(name), time, time)
    }
    execFileSync("mkfifo", [made.host("pipe")])
    fs.mkdirSync(made.host(".kruxos-trash"))
    return made
  })

  it.scopedLive.each([
    ["name", ["a", "b", "c"]],
    ["-name", ["c", "b", "a"]],
    ["size", ["b", "c", "a"]],
    ["-size", ["a", "b", "c"]],
    ["modified", ["a", "c", "b"]],
    ["-modified", ["b", "a", "c"]]
  ])("sorts by %s", ([sort_by, names]) =>
    Effect.gen(function*() {
      const { invocation } = yield* prepared
      const found = yield* list(listInput({ path: ".", sort_by }), invocation)
      assert.deepStrictEqual(found.entries.map(({ name }) => name), names)
      assert.strictEqual(found.total, 3)
      assert.strictEqual(found.path, "/workspace")
      Schema.encodeSync(filesystem.list.outputSchema)(found)
    }))

  it.scopedLive("shows hidden files when asked, and neither the trash nor pipes", () =>
    Effect.gen(function*() {
      const { invocation } = yield* prepared
      const found = yield* list(listInput({ path: ".", include_hidden: true }), invocation)
      assert.deepStrictEqual(found.entries.map(({ name, type }) => `${name} ${type}`), [
        ".hidden file",
        "a file",
        "b file",
        "c file"
      ])
      assert.strictEqual(found.total, 4)
      assert.strictEqual((yield* Effect.flip(list(listInput({ path: "a" }), invocation)))._tag, "NotADirectory")
      assert.strictEqual((yield* Effect.flip(list(listInput({ path: "d" }), invocation)))._tag, "DirectoryNotFound")
    }))
})

describe("filesystem.stat", () => {
  it.scopedLive("describes what is there, and says when nothing is", () =>
    Effect.gen(function*() {
      const { host, invocation } = yield* invocationFixture
      fs.writeFileSync(host("file"), "content")
      fs.symlinkSync("../outside/secret.txt", host("link"))
      const found = yield* stat({ path: "file" }, invocation)
      assert.isTrue(found.exists)
      assert.strictEqual(found.type, "file")
      assert.strictEqual(found.size, 7)
      assert.match(found.permissions ?? "", /^rw-/)
      Schema.encodeSync(filesystem.stat.outputSchema)(found)
      assert.strictEqual((yield* stat({ path: "link" }, invocation)).type, "symlink")
      assert.deepStrictEqual(yield* stat({ path: "missing/too" }, invocation), { exists: false })
      assert.deepStrictEqual(yield* stat({ path: "file/below" }, invocation), { exists: false })
      assert.strictEqual((yield* Effect.flip(stat({ path: "../x" }, invocation)))._tag, "PathOutOfScope")
    }))
})
