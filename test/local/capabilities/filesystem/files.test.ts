import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import * as filesystem from "../../../../src/catalogue/filesystem.js"
import { append, copy, move, read, write } from "../../../../src/local/capabilities/filesystem/files.js"
import { invocationFixture } from "./workspaceSupport.js"

const sha256 = (content: string) => createHash("sha256").update(content).digest("hex")

const readInput = Schema.decodeUnknownSync(filesystem.read.handlerInputSchema)
const writeInput = Schema.decodeUnknownSync(filesystem.write.handlerInputSchema)

describe("filesystem.read and filesystem.write", () => {
  it.scopedLive("give back what was written, in every spelling", () =>
    Effect.gen(function*() {
      const { invocation } = yield* invocationFixture
      const written = yield* write(writeInput({ path: "a.txt", content: "grün" }), invocation)
      assert.deepStrictEqual(written, { path: "/workspace/a.txt", size: 5, checksum: sha256("grün") })
      const found = yield* read(readInput({ path: "/workspace/a.txt" }), invocation)
      assert.deepStrictEqual(
        { ...found, modified: undefined, modified_at: undefined },
        {
          content: "grün",
          size: 5,
          size_bytes: 5,
          modified: undefined,
          modified_at: undefined,
          checksum: sha256("grün"),
          truncated: false,
          encoding: "utf-8"
        }
      )
      assert.isTrue(found.modified !== undefined && DateTime.isUtc(found.modified))
      assert.deepStrictEqual(found.modified_at, found.modified)
      Schema.encodeSync(filesystem.read.outputSchema)(found)
    }))

  it.scopedLive("give parts by bytes, and say when there is more", () =>
    Effect.gen(function*() {
      const { host, invocation } = yield* invocationFixture
      fs.writeFileSync(host("file"), "aé日😀z")
      const part = (offset?: number, limit?: number, encoding = "utf-8") =>
        Effect.map(read({ path: "file", encoding, offset, limit }, invocation), ({ content, size, truncated }) => {
          assert.strictEqual(size, 11)
          return [content, truncated]
        })
      assert.deepStrictEqual(yield* part(0, 1), ["a", true])
      assert.deepStrictEqual(yield* part(0, 2), ["aé", true])
      assert.deepStrictEqual(yield* part(2, 2), ["日", true])
      assert.deepStrictEqual(yield* part(4, 6), ["😀", true])
      assert.deepStrictEqual(yield* part(7), ["z", false])
      assert.deepStrictEqual(yield* part(7, 4), ["z", false])
      assert.deepStrictEqual(yield* part(100, 4), ["", false])
      assert.deepStrictEqual(yield* part(1, 2, "binary"), [Buffer.from("é").toString("base64"), true])
    }))

  it.scopedLive("go through base64 unharmed", () =>
    Effect.gen(function*() {
      const { host, invocation } = yield* invocationFixture
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
      const content = bytes.toString("base64")
      yield* write(writeInput({ path: "b", content, encoding: "base64" }), invocation)
      assert.isTrue(fs.readFileSync(host("b")).equals(bytes))
      const found = yield* read(readInput({ path: "b", encoding: "binary" }), invocation)
      assert.strictEqual(found.content, content)
      assert.strictEqual(found.encoding, "binary")
      const failure = yield* Effect.flip(read(readInput({ path: "b" }), invocation))
      assert.strictEqual(failure._tag, "EncodingError")
    }))

  it.scopedLive("leave the file alone when the input is wrong", () =>
    Effect.gen(function*() {
      const { host, invocation, text } = yield* invocationFixture
      fs.writeFileSync(host("file"), "old")
      for (
        const [input, field] of [
          [{ path: "file", content: "x", encoding: "klingon" }, "encoding"],
          [{ path: "file", content: "!", encoding: "binary" }, "content"],
          [{ path: "fi\0le", content: "x" }, "path"]
        ] as const
      ) {
        const failure = yield* Effect.flip(write(writeInput(input), invocation))
        if (failure._tag !== "InvalidInput") return assert.fail(failure._tag)
        assert.strictEqual(failure.field, field)
      }
      assert.strictEqual(text("file"), "old")
      const missing = yield* Effect.flip(write(writeInput({ path: "a/b", content: "x" }), invocation))
      assert.strictEqual(missing._tag, "ParentNotFound")
      yield* write(writeInput({ path: "a/b", content: "x", create_parents: true }), invocation)
      assert.strictEqual(text("a/b"), "x")
    }))
})

describe("filesystem.append, copy and move", () => {
  it.scopedLive("append text", () =>
    Effect.gen(function*() {
      const { invocation, text } = yield* invocationFixture
      yield* append({ path: "log", content: "é" }, invocation)
      const appended = yield* append({ path: "log", content: "é" }, invocation)
      assert.deepStrictEqual(appended, { path: "/workspace/log", new_size: 4 })
      assert.strictEqual(text("log"), "éé")
      const failure = yield* Effect.flip(append({ path: "missing/log", content: "x" }, invocation))
      if (failure._tag !== "InvalidInput") return assert.fail(failure._tag)
      assert.strictEqual(failure.field, "path")
    }))

  it.scopedLive("copy and move, and name the input that is wrong", () =>
    Effect.gen(function*() {
      const { host, invocation } = yield* invocationFixture
      fs.writeFileSync(host("file"), "content")
      const copied = yield* copy({ source: "file", destination: "copy", overwrite: false }, invocation)
      assert.deepStrictEqual(copied, {
        source: "/workspace/file",
        destination: "/workspace/copy",
        size: 7,
        checksum: sha256("content")
      })
      const moved = yield* move({ source: "copy", destination: "moved", overwrite: false }, invocation)
      assert.deepStrictEqual(moved, { source: "/workspace/copy", destination: "/workspace/moved", size: 7 })
      assert.deepStrictEqual(fs.readdirSync(host(".")), ["file", "moved"])
      for (const handler of [copy, move]) {
        for (
          const [source, destination, field] of [
            ["", "new", "source"],
            ["file", "a\0", "destination"],
            ["file", "missing/new", "destination"],
            ["file", "file", "destination"]
          ] as const
        ) {
          const failure = yield* Effect.flip(handler({ source, destination, overwrite: true }, invocation))
          if (failure._tag !== "InvalidInput") return assert.fail(failure._tag)
          assert.strictEqual(failure.field, field)
        }
        const occupied = yield* Effect.flip(
          handler({ source: "file", destination: "moved", overwrite: false }, invocation)
        )
        assert.strictEqual(occupied._tag, "DestinationExists")
        const outside = yield* Effect.flip(handler({ source: "file", destination: "/x", overwrite: true }, invocation))
        assert.strictEqual(outside._tag, "PathOutOfScope")
      }
    }))
})
