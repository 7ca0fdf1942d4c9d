import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import { fixture } from "./support.js"

const overwrite = { overwrite: true }
const keep = { overwrite: false }

describe("copying", () => {
  it.scopedLive("copies content and mode", () =>
    Effect.gen(function*() {
      const { at, host, text, workspace } = yield* fixture()
      const content = Buffer.alloc(2_500_000, "0123456789")
      fs.writeFileSync(host("program"), content, { mode: 0o700 })
      const copied = yield* workspace.copy(yield* at("program"), yield* at("copy"), keep)
      assert.deepStrictEqual(copied, {
        size: content.length,
        checksum: createHash("sha256").update(content).digest("hex")
      })
      assert.strictEqual(text("copy"), content.toString())
      assert.strictEqual(fs.statSync(host("copy")).mode & 0o777, 0o700 & ~process.umask())
    }))

  it.scopedLive("overwrites only when asked to", () =>
    Effect.gen(function*() {
      const { at, host, text, workspace } = yield* fixture()
      fs.writeFileSync(host("one"), "1")
      fs.writeFileSync(host("two"), "2")
      fs.symlinkSync("missing", host("dangling"))
      const [one, two] = [yield* at("one"), yield* at("two")]
      assert.strictEqual((yield* Effect.flip(workspace.copy(one, two, keep)))._tag, "DestinationExists")
      const dangling = workspace.copy(one, yield* at("dangling"), keep)
      assert.strictEqual((yield* Effect.flip(dangling))._tag, "DestinationExists")
      assert.strictEqual(text("two"), "2")
      yield* workspace.copy(one, two, overwrite)
      assert.strictEqual(text("two"), "1")
      assert.deepStrictEqual(fs.readdirSync(host(".")), ["dangling", "one", "two"])
    }))

  it.scopedLive("refuses what makes no sense", () =>
    Effect.gen(function*() {
      const { at, host, text, workspace } = yield* fixture()
      fs.writeFileSync(host("file"), "content")
      fs.symlinkSync("file", host("link"))
      fs.mkdirSync(host("directory"))
      const [file, link, directory] = [yield* at("file"), yield* at("link"), yield* at("directory")]
      const cases = [
        [file, file, "InvalidInput", "destination"],
        [link, file, "InvalidInput", "destination"],
        [file, link, "InvalidInput", "destination"],
        [file, directory, "InvalidInput", "destination"],
        [directory, yield* at("new"), "InvalidInput", "source"],
        [yield* at("missing"), yield* at("new"), "FileNotFound", undefined],
        [yield* at("missing/file"), yield* at("new"), "FileNotFound", undefined],
        [file, yield* at("missing/new"), "ParentNotFound", undefined]
      ] as const
      for (const [source, destination, tag, field] of cases) {
        const failure = yield* Effect.flip(workspace.copy(source, destination, overwrite))
        assert.strictEqual(failure._tag, tag, `${source.display} ${destination.display}`)
        if (failure._tag === "InvalidInput") assert.strictEqual(failure.field, field)
      }
      assert.strictEqual(text("file"), "content")
    }))
})

describe("moving", () => {
  it.scopedLive("moves files and directories", () =>
    Effect.gen(function*() {
      const { at, host, text, workspace } = yield* fixture()
      fs.mkdirSync(host("a/b"), { recursive: true })
      fs.writeFileSync(host("a/b/file"), "content")
      assert.deepStrictEqual(yield* workspace.move(yield* at("a/b/file"), yield* at("a/moved"), keep), { size: 7 })
      yield* workspace.move(yield* at("a"), yield* at("c"), keep)
      assert.strictEqual(text("c/moved"), "content")
      assert.deepStrictEqual(fs.readdirSync(host(".")), ["c"])
      assert.deepStrictEqual(fs.readdirSync(host("c/b")), [])
    }))

  it.scopedLive("overwrites a file only when asked to, and a directory never", () =>
    Effect.gen(function*() {
      const { at, host, text, workspace } = yield* fixture()
      fs.writeFileSync(host("one"), "1")
      fs.writeFileSync(host("two"), "2")
      fs.mkdirSync(host("empty"))
      fs.mkdirSync(host("other"))
      const [one, two, empty, other] = [yield* at("one"), yield* at("two"), yield* at("empty"), yield* at("other")]
      assert.strictEqual((yield* Effect.flip(workspace.move(one, two, keep)))._tag, "DestinationExists")
      for (const [source, destination] of [[one, empty], [empty, two], [empty, other]] as const) {
        assert.strictEqual((yield* Effect.flip(workspace.move(source, destination, keep)))._tag, "DestinationExists")
        assert.strictEqual((yield* Effect.flip(workspace.move(source, destination, overwrite)))._tag, "InvalidInput")
      }
      assert.deepStrictEqual(fs.readdirSync(host(".")), ["empty", "one", "other", "two"])
      yield* workspace.move(one, two, overwrite)
      assert.strictEqual(text("two"), "1")
      assert.deepStrictEqual(fs.readdirSync(host(".")), ["empty", "other", "two"])
    }))

  it.scopedLive("refuses what makes no sense", () =>
    Effect.gen(function*() {
      const { at, host, workspace } = yield* fixture()
      fs.mkdirSync(host("a/b"), { recursive: true })
      fs.writeFileSync(host("a/file"), "content")
      fs.symlinkSync("a", host("link"))
      const cases = [
        ["a", "a", "InvalidInput"],
        ["a/file", "link/file", "InvalidInput"],
        ["a", "a/b/c", "InvalidInput"],
        [".", "a/c", "InvalidInput"],
        ["missing", "new", "FileNotFound"],
        ["a/file", "missing/new", "ParentNotFound"]
      ] as const
      for (const [source, destination, tag] of cases) {
        const failure = yield* Effect.flip(workspace.move(yield* at(source), yield* at(destination), overwrite))
        assert.strictEqual(failure._tag, tag, `${source} ${destination}`)
      }
      assert.deepStrictEqual(fs.readdirSync(host("a")), ["b", "file"])
    }))

  it.scopedLive("takes a name away that is the file's second one", () =>
    Effect.gen(function*() {
      const { at, host, text, workspace } = yield* fixture()
      fs.writeFileSync(host("one"), "content")
      fs.linkSync(host("one"), host("two"))
      yield* workspace.move(yield* at("one"), yield* at("two"), overwrite)
      assert.deepStrictEqual(fs.readdirSync(host(".")), ["two"])
      assert.strictEqual(text("two"), "content")
    }))
})
