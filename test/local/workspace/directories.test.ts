import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as fs from "node:fs"
import { userInfo } from "node:os"
import { byCodePoint } from "../../../src/local/workspace/names.js"
import type { Workspace, WorkspacePath } from "../../../src/local/workspace/Workspace.js"
import { fixture, openDescriptors } from "./support.js"

const walked = (workspace: Workspace, path: WorkspacePath, includeHidden: boolean) =>
  Effect.map(Stream.runCollect(workspace.walk(path, { includeHidden })), (files) => [...files])

describe("the status of a path", () => {
  it.scopedLive("is what the operating system says, or nothing", () =>
    Effect.gen(function*() {
      const { at, host, workspace } = yield* fixture()
      fs.writeFileSync(host("file"), "content", { mode: 0o640 })
      fs.chmodSync(host("file"), 0o640)
      fs.utimesSync(host("file"), 1000, 2000)
      const status = yield* Effect.flatten(workspace.status(yield* at("file")))
      assert.strictEqual(status.type, "file")
      assert.strictEqual(status.size, 7)
      assert.strictEqual(status.permissions, "rw-r-----")
      assert.strictEqual(status.owner, userInfo().username)
      assert.strictEqual(DateTime.toEpochMillis(status.modified), 2_000_000)
      assert.strictEqual(Option.getOrThrow(yield* workspace.status(yield* at("."))).type, "directory")
      assert.isTrue(Option.isNone(yield* workspace.status(yield* at("missing/too"))))
    }))
})

describe("the entries of a directory", () => {
  it.scopedLive("come by name, of every type", () =>
    Effect.gen(function*() {
      const { at, host, workspace } = yield* fixture()
      fs.mkdirSync(host("d"))
      for (const name of ["b", "a", "B", ".hidden", "é", "\u{1f600}", "\ufb01"]) {
        fs.writeFileSync(host(`d/${name}`), name)
      }
      fs.mkdirSync(host("d/sub"))
      fs.symlinkSync("nowhere", host("d/link"))
      fs.writeFileSync(Buffer.concat([Buffer.from(host("d/")), Buffer.from([0xff])]), "no name in Unicode")
      fs.symlinkSync("d", host("way"))
      for (const path of ["d", "way"]) {
        const entries = yield* workspace.entries(yield* at(path))
        assert.deepStrictEqual(entries.map(({ name, type }) => [name, type]), [
          [".hidden", "file"],
          ["B", "file"],
          ["a", "file"],
          ["b", "file"],
          ["link", "symlink"],
          ["sub", "directory"],
          ["é", "file"],
          ["\ufb01", "file"],
          ["\u{1f600}", "file"]
        ])
      }
      assert.strictEqual((yield* Effect.flip(workspace.entries(yield* at("missing"))))._tag, "DirectoryNotFound")
    }))

  it.scopedLive("are all there in a directory of many", () =>
    Effect.gen(function*() {
      const { at, host, workspace } = yield* fixture()
      const names = Array.from({ length: 1203 }, (_, index) => String(index).padStart(4, "0"))
      for (const name of names) fs.writeFileSync(host(name), "")
      const entries = yield* workspace.entries(yield* at("."))
      assert.deepStrictEqual(entries.map(({ name }) => name), names)
    }))
})

describe("a walk", () => {
  const tree = Effect.gen(function*() {
    const made = yield* fixture()
    const { host } = made
    fs.mkdirSync(host("d/x/y"), { recursive: true })
    fs.mkdirSync(host("d/.hidden"))
    fs.mkdirSync(host(".kruxos-trash"))
    for (const file of ["d/z", "d/x/y/deep", "d/x/a", "d/.hidden/b", "d/.c", "top", ".kruxos-trash/deleted"]) {
      fs.writeFileSync(host(file), file)
    }
    fs.symlinkSync("x", host("d/link"))
    fs.symlinkSync("z", host("d/file-link"))
    return made
  })

  it.scopedLive("gives every file once", () =>
    Effect.gen(function*() {
      const { at, workspace } = yield* tree
      const files = yield* walked(workspace, yield* at("d"), false)
      assert.deepStrictEqual(files.map(({ relative }) => relative), ["z", "x/a", "x/y/deep"])
      assert.deepStrictEqual(files[2]?.path, yield* at("/workspace/d/x/y/deep"))
      assert.strictEqual(files[2]?.size, 10)
    }))

  it.scopedLive("gives hidden files when asked, but never the trash", () =>
    Effect.gen(function*() {
      const { at, workspace } = yield* tree
      const files = yield* walked(workspace, yield* at("."), true)
      assert.deepStrictEqual(files.map(({ relative }) => relative), [
        "top",
        "d/.c",
        "d/z",
        "d/.hidden/b",
        "d/x/a",
        "d/x/y/deep"
      ])
    }))

  it.scopedLive("begins behind a link, and lets go of everything when it is broken off", () =>
    Effect.gen(function*() {
      const { at, host, workspace } = yield* tree
      const before = openDescriptors(host("."))
      const path = yield* at("d/link")
      assert.deepStrictEqual((yield* walked(workspace, path, true)).map(({ path }) => path.display), [
        "/workspace/d/link/a",
        "/workspace/d/link/y/deep"
      ])
      yield* Stream.runHead(workspace.walk(path, { includeHidden: false }))
      assert.strictEqual(openDescriptors(host(".")), before)
      for (const missing of ["missing", "d/file-link"]) {
        const failure = yield* Effect.flip(walked(workspace, yield* at(missing), false))
        assert.strictEqual(failure._tag, missing === "missing" ? "DirectoryNotFound" : "NotADirectory")
      }
      const rest = walked(workspace, yield* at("d"), false)
      fs.rmSync(host("d/x"), { recursive: true })
      assert.deepStrictEqual((yield* rest).map(({ relative }) => relative), ["z"])
    }))
})

describe("names", () => {
  it("are ordered by code points", () => {
    assert.deepStrictEqual(["\u{1f600}", "\ufb01", "a", "ab", "", "B"].sort(byCodePoint), [
      "",
      "B",
      "a",
      "ab",
      "\ufb01",
      "\u{1f600}"
    ])
  })
})
