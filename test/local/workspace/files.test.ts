import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import { maximumContent } from "../../../src/local/workspace/fileContent.js"
import { isTemporaryName } from "../../../src/local/workspace/publish.js"
import { bytesOf, fixture, openDescriptors } from "./support.js"

const sha256 = (content: string | Uint8Array) => createHash("sha256").update(content).digest("hex")

const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

describe("reading", () => {
  it.scopedLive("gives a part, and what holds for the whole", () =>
    Effect.gen(function*() {
      const { at, host, workspace } = yield* fixture()
      fs.writeFileSync(host("file"), "0123456789")
      fs.utimesSync(host("file"), 1000, 1234.5678)
      const path = yield* at("file")
      const whole = yield* workspace.read(path)
      assert.strictEqual(decode(whole.bytes), "0123456789")
      assert.strictEqual(whole.size, 10)
      assert.strictEqual(whole.checksum, sha256("0123456789"))
      assert.strictEqual(DateTime.toEpochMillis(whole.modified), 1_234_567)
      const part = yield* workspace.read(path, { offset: 3, limit: 4 })
      assert.deepStrictEqual({ ...part, bytes: decode(part.bytes) }, { ...whole, bytes: "3456" })
      assert.strictEqual(decode((yield* workspace.read(path, { offset: 8, limit: 100 })).bytes), "89")
      assert.strictEqual(decode((yield* workspace.read(path, { offset: 100 })).bytes), "")
      assert.strictEqual(decode((yield* workspace.read(path, { limit: 0 })).bytes), "")
    }))

  it.scopedLive("gives parts of a file that is larger than what is read at once", () =>
    Effect.gen(function*() {
      const { at, host, workspace } = yield* fixture()
      const large = Buffer.alloc(maximumContent + 3_000_000, "0123456789")
      fs.writeFileSync(host("large"), large)
      const path = yield* at("large")
      const failure = yield* Effect.flip(workspace.read(path))
      if (failure._tag !== "ResourceExhausted") return assert.fail(failure._tag)
      assert.strictEqual(failure.limit, maximumContent)
      assert.strictEqual(failure.current, large.length)
      assert.include(failure.message, "offset and limit")
      const { bytes, checksum } = yield* workspace.read(path, { offset: 1_048_570, limit: 2_000_000 })
      assert.isTrue(large.subarray(1_048_570, 3_048_570).equals(bytes))
      assert.strictEqual(checksum, sha256(large))
      const most = yield* workspace.read(path, { offset: 5, limit: maximumContent })
      assert.strictEqual(most.bytes.length, maximumContent)
    }))

  it.scopedLive("says what is not there, and what is no file", () =>
    Effect.gen(function*() {
      const { at, host, workspace } = yield* fixture()
      fs.mkdirSync(host("directory"))
      const missing = yield* Effect.flip(workspace.read(yield* at("a/missing")))
      assert.strictEqual(missing._tag, "FileNotFound")
      assert.strictEqual(missing.message, "There is no file at /workspace/a/missing")
      for (const path of ["directory", "."]) {
        const failure = yield* Effect.flip(workspace.read(yield* at(path)))
        assert.strictEqual(failure._tag, "InvalidInput")
        assert.include(failure.message, "filesystem.list")
      }
    }))

  it.scopedLive.runIf(process.getuid?.() !== 0)("says what the operating system forbids", () =>
    Effect.gen(function*() {
      const { at, host, workspace } = yield* fixture()
      fs.writeFileSync(host("file"), "x", { mode: 0o400 })
      fs.writeFileSync(host("closed"), "x", { mode: 0o000 })
      const read = yield* Effect.flip(workspace.read(yield* at("closed")))
      const write = yield* Effect.flip(workspace.write(yield* at("file"), bytesOf("y"), { createParents: false }))
      assert.strictEqual(read._tag, "PermissionDenied")
      assert.strictEqual(write._tag, "PermissionDenied")
    }))
})

describe("writing", () => {
  it.scopedLive("creates and replaces, keeping the mode", () =>
    Effect.gen(function*() {
      const { at, host, text, workspace } = yield* fixture()
      const path = yield* at("file")
      const first = yield* workspace.write(path, bytesOf("one"), { createParents: false })
      assert.deepStrictEqual(first, { size: 3, checksum: sha256("one") })
      assert.strictEqual(fs.statSync(host("file")).mode & 0o777, 0o666 & ~process.umask())
      fs.chmodSync(host("file"), 0o750)
      fs.linkSync(host("file"), host("other-name"))
      yield* workspace.write(path, bytesOf("second"), { createParents: false })
      assert.strictEqual(text("file"), "second")
      assert.strictEqual(fs.statSync(host("file")).mode & 0o777, 0o750)
      assert.strictEqual(text("other-name"), "one")
      assert.deepStrictEqual(fs.readdirSync(host(".")), ["file", "other-name"])
    }))

  it.scopedLive("makes parent directories only when asked to", () =>
    Effect.gen(function*() {
      const { at, host, text, workspace } = yield* fixture()
      const path = yield* at("a/b/file")
      const failure = yield* Effect.flip(workspace.write(path, bytesOf("x"), { createParents: false }))
      assert.strictEqual(failure._tag, "ParentNotFound")
      assert.deepStrictEqual(fs.readdirSync(host(".")), [])
      yield* workspace.write(path, bytesOf("x"), { createParents: true })
      assert.strictEqual(text("a/b/file"), "x")
    }))

  it.scopedLive("refuses a directory, and content that is too long", () =>
    Effect.gen(function*() {
      const { at, host, workspace } = yield* fixture()
      fs.mkdirSync(host("directory"))
      for (const path of ["directory", "."]) {
        const failure = yield* Effect.flip(workspace.write(yield* at(path), bytesOf("x"), { createParents: true }))
        assert.strictEqual(failure._tag, "InvalidInput")
      }
      const long = new Uint8Array(maximumContent + 1)
      const failures = yield* Effect.all([
        Effect.flip(workspace.write(yield* at("long"), long, { createParents: false })),
        Effect.flip(workspace.append(yield* at("long"), long))
      ])
      for (const failure of failures) {
        if (failure._tag !== "InvalidInput") return assert.fail(failure._tag)
        assert.strictEqual(failure.field, "content")
      }
      assert.deepStrictEqual(fs.readdirSync(host(".")), ["directory"])
    }))

  it.scopedLive("leaves the old content and nothing else when it is interrupted", () =>
    Effect.gen(function*() {
      const { at, host, text, workspace } = yield* fixture()
      fs.writeFileSync(host("file"), "old")
      const path = yield* at("file")
      const before = openDescriptors(host("."))
      const content = Buffer.alloc(maximumContent, "new")
      let completed = 0
      for (let turns = 0; turns < 40; turns++) {
        const fiber = yield* Effect.fork(workspace.write(path, content, { createParents: false }))
        for (let turn = 0; turn < turns; turn++) yield* Effect.promise(() => new Promise((done) => setImmediate(done)))
        const exit = yield* Fiber.interrupt(fiber)
        if (exit._tag === "Success" || text("file").length > 3) {
          completed += 1
          fs.writeFileSync(host("file"), "old")
        }
        assert.deepStrictEqual(fs.readdirSync(host(".")), ["file"])
      }
      assert.isBelow(completed, 40)
      assert.strictEqual(openDescriptors(host(".")), before)
    }), 60_000)

  it.scopedLive("never shows half of a file to those who read meanwhile", () =>
    Effect.gen(function*() {
      const { at, workspace } = yield* fixture()
      const path = yield* at("file")
      const content = (letter: string) => Buffer.alloc(300_000, letter)
      yield* workspace.write(path, content("a"), { createParents: false })
      const writes = Effect.forEach("bcdefghij", (letter) =>
        workspace.write(path, content(letter), { createParents: false }))
      const reads = Effect.forEach(Array.from({ length: 40 }), () =>
        workspace.read(path))
      const [, found] = yield* Effect.all([writes, reads], { concurrency: "unbounded" })
      for (const { bytes, checksum } of found) {
        assert.strictEqual(bytes.length, 300_000)
        assert.strictEqual(sha256(bytes), checksum)
        assert.isTrue(Buffer.alloc(300_000, bytes[0]).equals(bytes))
      }
    }))

  it("knows its temporary names", () => {
    assert.isTrue(isTemporaryName(".kruxos-0123456789abcdef01234567.tmp"))
    assert.isFalse(isTemporaryName(".kruxos-notes.tmp"))
  })
})

describe("appending", () => {
  it.scopedLive("creates the file and goes on from its end", () =>
    Effect.gen(function*() {
      const { at, host, text, workspace } = yield* fixture()
      const path = yield* at("file")
      assert.deepStrictEqual(yield* workspace.append(path, bytesOf("one")), { size: 3 })
      fs.appendFileSync(host("file"), "-")
      assert.deepStrictEqual(yield* workspace.append(path, bytesOf("two")), { size: 7 })
      assert.strictEqual(text("file"), "one-two")
      const failure = yield* Effect.flip(workspace.append(yield* at("missing/file"), bytesOf("x")))
      assert.strictEqual(failure._tag, "ParentNotFound")
      assert.strictEqual((yield* Effect.flip(workspace.append(yield* at("."), bytesOf("x"))))._tag, "InvalidInput")
    }))

  it.scopedLive("keeps what many append at once apart", () =>
    Effect.gen(function*() {
      const { at, text, workspace } = yield* fixture()
      const path = yield* at("log")
      const lines = Array.from({ length: 50 }, (_, index) => `${String(index).padStart(3, "0")}\n`)
      yield* Effect.forEach(lines, (line) => workspace.append(path, bytesOf(line)), { concurrency: 10 })
      assert.deepStrictEqual(text("log").split(/(?<=\n)/).sort(), lines)
    }))
})
