import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { bytesOf, fixture, holdings, snapshot } from "./support.js"

describe.each(holdings)("the trash folder of a workspace held by %s", (holding) => {
  it.scopedLive("takes files and empty directories, and gives them back", () =>
    Effect.gen(function*() {
      const { at, host, text, workspace } = yield* fixture(holding)
      fs.mkdirSync(host("a/b"), { recursive: true })
      fs.writeFileSync(host("a/file"), "content", { mode: 0o600 })
      const status = yield* workspace.moveToTrash(yield* at("a/file"), "one")
      assert.strictEqual(status.size, 7)
      yield* workspace.moveToTrash(yield* at("a/b"), "two")
      yield* workspace.moveToTrash(yield* at("a"), "three")
      assert.deepStrictEqual(fs.readdirSync(host(".")), [".kruxos-trash"])
      assert.strictEqual(fs.statSync(host(".kruxos-trash")).mode & 0o777, 0o700)
      yield* workspace.restoreFromTrash("one", yield* at("a/file"))
      yield* workspace.restoreFromTrash("two", yield* at("a/b"))
      assert.strictEqual(text("a/file"), "content")
      assert.strictEqual(fs.statSync(host("a/file")).mode & 0o777, 0o600)
      assert.isTrue(fs.statSync(host("a/b")).isDirectory())
      assert.deepStrictEqual(fs.readdirSync(host(".kruxos-trash")), ["three"])
    }))

  it.scopedLive("takes nothing else", () =>
    Effect.gen(function*() {
      const { at, host, workspace } = yield* fixture(holding)
      fs.mkdirSync(host("full"))
      fs.writeFileSync(host("full/file"), "x")
      const full = yield* Effect.flip(workspace.moveToTrash(yield* at("full"), "x"))
      assert.strictEqual(full._tag, "DirectoryNotEmpty")
      const missing = yield* Effect.flip(workspace.moveToTrash(yield* at("missing/too"), "x"))
      assert.strictEqual(missing._tag, "FileNotFound")
      const root = yield* Effect.flip(workspace.moveToTrash(yield* at("."), "x"))
      assert.strictEqual(root._tag, "InvalidInput")
    }))

  it.scopedLive("restores nothing over something, and nothing that is not there", () =>
    Effect.gen(function*() {
      const { at, host, text, workspace } = yield* fixture(holding)
      fs.writeFileSync(host("file"), "old")
      const path = yield* at("file")
      yield* workspace.moveToTrash(path, "one")
      yield* workspace.write(path, bytesOf("new"), { createParents: false })
      const occupied = yield* Effect.flip(workspace.restoreFromTrash("one", path))
      assert.strictEqual(occupied._tag, "DestinationExists")
      assert.strictEqual(text("file"), "new")
      const below = yield* Effect.flip(workspace.restoreFromTrash("one", yield* at("file/below")))
      assert.strictEqual(below._tag, "DestinationExists")
      for (const name of ["two", "..", ".", "", "../outside", "a/b", "a\0b"]) {
        const failure = yield* Effect.flip(workspace.restoreFromTrash(name, yield* at("new")))
        assert.strictEqual(failure._tag, "FileNotFound", name)
      }
      assert.deepStrictEqual(fs.readdirSync(host(".")), [".kruxos-trash", "file"])
    }))

  it.scopedLive("deletes for good without following links", () =>
    Effect.gen(function*() {
      const { host, outside, workspace } = yield* fixture(holding)
      fs.mkdirSync(host(".kruxos-trash/full/deep"), { recursive: true })
      fs.symlinkSync(outside, host(".kruxos-trash/full/deep/link"))
      fs.writeFileSync(host(".kruxos-trash/full/deep/file"), "x")
      fs.symlinkSync(outside, host(".kruxos-trash/link"))
      const before = snapshot(outside)
      for (const name of ["full", "link", "missing", "..", "../../outside"]) yield* workspace.dropFromTrash(name)
      assert.deepStrictEqual(fs.readdirSync(host(".kruxos-trash")), [])
      assert.deepStrictEqual(snapshot(outside), before)
    }))

  it.scopedLive("is not used where something else has its name", () =>
    Effect.gen(function*() {
      const { at, host, outside, text, workspace } = yield* fixture(holding)
      const before = snapshot(outside)
      fs.symlinkSync(outside, host(".kruxos-trash"))
      fs.writeFileSync(host("file"), "content")
      const path = yield* at("file")
      const failures = yield* Effect.all([
        Effect.flip(workspace.moveToTrash(path, "x")),
        Effect.flip(workspace.restoreFromTrash("secret.txt", yield* at("new"))),
        Effect.flip(workspace.dropFromTrash("secret.txt"))
      ])
      for (const failure of failures) assert.strictEqual(failure._tag, "PermissionDenied")
      assert.strictEqual(text("file"), "content")
      assert.deepStrictEqual(snapshot(outside), before)
    }))
})
