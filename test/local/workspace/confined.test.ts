import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import { make } from "../../../src/local/workspace/confined.js"
import { bytesOf, fixture, holdings, openDescriptors, snapshot, temporaryDirectory } from "./support.js"

const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

describe.each(holdings)("a workspace held by %s", (holding) => {
  it.scopedLive("follows links that stay inside", () =>
    Effect.gen(function*() {
      const { at, host, root, text, workspace } = yield* fixture(holding)
      fs.mkdirSync(host("a/b"), { recursive: true })
      fs.writeFileSync(host("a/b/file"), "content")
      fs.symlinkSync("b/file", host("a/relative"))
      fs.symlinkSync("../a/./b/../b/file", host("a/winding"))
      fs.symlinkSync(join(root, "a"), host("absolute"))
      fs.symlinkSync("/workspace/a/b", host("mounted"))
      fs.symlinkSync("..", host("a/b/up"))
      for (const path of ["a/relative", "a/winding", "absolute/b/file", "mounted/file", "a/b/up/b/file"]) {
        assert.strictEqual(decode((yield* workspace.read(yield* at(path))).bytes), "content", path)
      }
      yield* workspace.write(yield* at("a/relative"), bytesOf("new"), { createParents: false })
      assert.strictEqual(text("a/b/file"), "new")
      assert.isTrue(fs.lstatSync(host("a/relative")).isSymbolicLink())
    }))

  it.scopedLive("does not follow links that lead out", () =>
    Effect.gen(function*() {
      const { at, host, outside, workspace } = yield* fixture(holding)
      fs.mkdirSync(host("a"))
      fs.symlinkSync("../outside", host("directory"))
      fs.symlinkSync(outside, host("absolute"))
      fs.symlinkSync("../../outside/secret.txt", host("a/file"))
      fs.symlinkSync("a/file", host("chain"))
      fs.symlinkSync("../outside/new.txt", host("dangling"))
      fs.symlinkSync("/proc/self/root", host("process"))
      fs.symlinkSync("/", host("system"))
      fs.symlinkSync("../root/a", host("out-and-in"))
      const before = snapshot(outside)
      const paths = [
        "directory/secret.txt",
        "absolute/secret.txt",
        "a/file",
        "chain",
        "dangling",
        "process/etc/passwd",
        "system/etc/passwd",
        "out-and-in/x"
      ]
      for (const path of paths) {
        const place = yield* at(path)
        const failures = yield* Effect.all([
          Effect.flip(workspace.read(place)),
          Effect.flip(workspace.write(place, bytesOf("x"), { createParents: true })),
          Effect.flip(workspace.append(place, bytesOf("x"))),
          Effect.flip(workspace.entries(place)),
          Effect.flip(Stream.runCollect(workspace.walk(place, { includeHidden: true })))
        ])
        for (const failure of failures) {
          assert.strictEqual(failure._tag, "PathOutOfScope", path)
          assert.notInclude(JSON.stringify(failure), outside)
        }
      }
      assert.deepStrictEqual(snapshot(outside), before)
    }))

  it.scopedLive("describes, moves and deletes a link itself", () =>
    Effect.gen(function*() {
      const { at, host, outside, workspace } = yield* fixture(holding)
      const before = snapshot(outside)
      fs.symlinkSync("../outside/secret.txt", host("link"))
      const status = yield* Effect.flatten(workspace.status(yield* at("link")))
      assert.strictEqual(status.type, "symlink")
      yield* workspace.move(yield* at("link"), yield* at("moved"), { overwrite: false })
      assert.strictEqual(fs.readlinkSync(host("moved")), "../outside/secret.txt")
      yield* workspace.moveToTrash(yield* at("moved"), "x")
      assert.strictEqual(fs.readlinkSync(host(".kruxos-trash/x")), "../outside/secret.txt")
      yield* workspace.dropFromTrash("x")
      assert.deepStrictEqual(fs.readdirSync(host(".kruxos-trash")), [])
      assert.deepStrictEqual(snapshot(outside), before)
    }))

  it.scopedLive("gives up on links that lead in circles", () =>
    Effect.gen(function*() {
      const { at, host, workspace } = yield* fixture(holding)
      fs.symlinkSync("b", host("a"))
      fs.symlinkSync("a", host("b"))
      for (let index = 0; index < 41; index++) fs.symlinkSync(`l${index + 1}`, host(`l${index}`))
      fs.writeFileSync(host("l41"), "end")
      for (const path of ["a", "a/x", "l0"]) {
        const failure = yield* Effect.flip(workspace.read(yield* at(path)))
        assert.strictEqual(failure._tag, "InvalidInput")
      }
      assert.strictEqual(decode((yield* workspace.read(yield* at("l1"))).bytes), "end")
    }))

  it.scopedLive("has no way into the trash", () =>
    Effect.gen(function*() {
      const { at, host, root, workspace } = yield* fixture(holding)
      fs.mkdirSync(host(".kruxos-trash"))
      fs.writeFileSync(host(".kruxos-trash/deleted"), "x")
      fs.mkdirSync(host("a"))
      fs.symlinkSync(".kruxos-trash", host("link"))
      fs.symlinkSync("../.kruxos-trash/deleted", host("a/link"))
      fs.symlinkSync(root, host("root"))
      fs.symlinkSync("a/..", host("around"))
      for (const path of ["link/deleted", "a/link", "root/.kruxos-trash/deleted", "around/.kruxos-trash/deleted"]) {
        assert.strictEqual((yield* Effect.flip(workspace.read(yield* at(path))))._tag, "PathOutOfScope", path)
      }
      for (const path of ["root", "around", "/workspace"]) {
        const names = (yield* workspace.entries(yield* at(path))).map(({ name }) => name)
        assert.deepStrictEqual(names, ["a", "around", "link", "root"])
      }
    }))

  it.scopedLive("opens neither pipes nor devices", () =>
    Effect.gen(function*() {
      const { at, host, workspace } = yield* fixture(holding)
      execFileSync("mkfifo", [host("pipe")])
      fs.writeFileSync(host("file"), "content")
      const pipe = yield* at("pipe")
      const file = yield* at("file")
      const failures = yield* Effect.all([
        Effect.flip(workspace.read(pipe)),
        Effect.flip(workspace.write(pipe, bytesOf("x"), { createParents: false })),
        Effect.flip(workspace.append(pipe, bytesOf("x"))),
        Effect.flip(workspace.copy(pipe, yield* at("copy"), { overwrite: false })),
        Effect.flip(workspace.copy(file, pipe, { overwrite: true }))
      ])
      for (const failure of failures) assert.strictEqual(failure._tag, "InvalidInput")
      assert.isTrue(fs.lstatSync(host("pipe")).isFIFO())
      const found = yield* Stream.runCollect(workspace.walk(yield* at("."), { includeHidden: true }))
      assert.deepStrictEqual([...found].map(({ relative }) => relative), ["file"])
    }))

  it.scopedLive("does not care for a file where a directory should be", () =>
    Effect.gen(function*() {
      const { at, host, workspace } = yield* fixture(holding)
      fs.writeFileSync(host("file"), "content")
      const below = yield* at("file/below")
      assert.strictEqual((yield* Effect.flip(workspace.read(below)))._tag, "FileNotFound")
      const written = workspace.write(below, bytesOf("x"), { createParents: true })
      assert.strictEqual((yield* Effect.flip(written))._tag, "ParentNotFound")
      assert.strictEqual((yield* workspace.status(below))._tag, "None")
      assert.strictEqual((yield* Effect.flip(workspace.entries(below)))._tag, "DirectoryNotFound")
      assert.strictEqual((yield* Effect.flip(workspace.entries(yield* at("file"))))._tag, "NotADirectory")
    }))
})

describe("making a workspace", () => {
  it.scopedLive("fails with the reason", () =>
    Effect.gen(function*() {
      const base = yield* temporaryDirectory
      const file = join(base, "file")
      fs.writeFileSync(file, "")
      assert.strictEqual((yield* Effect.flip(make(join(base, "missing")))).reason, "missing")
      assert.strictEqual((yield* Effect.flip(make(file))).reason, "not-a-directory")
      assert.strictEqual((yield* Effect.flip(make(join(file, "below")))).reason, "not-a-directory")
    }))

  it.scopedLive.runIf(process.getuid?.() !== 0)("fails where the gateway may not read", () =>
    Effect.gen(function*() {
      const base = yield* temporaryDirectory
      fs.chmodSync(base, 0o300)
      assert.strictEqual((yield* Effect.flip(make(base))).reason, "not-readable")
      fs.chmodSync(base, 0o700)
    }))

  it.scopedLive("goes through a link to the directory, and lets go of it at the end", () =>
    Effect.gen(function*() {
      const base = yield* temporaryDirectory
      fs.mkdirSync(join(base, "root"))
      fs.symlinkSync("root", join(base, "link"))
      const before = openDescriptors(base)
      const workspace = yield* Effect.scoped(make(join(base, "link")))
      assert.strictEqual(workspace.root, join(base, "root"))
      assert.strictEqual(openDescriptors(base), before)
      const late = yield* Effect.exit(Effect.flatMap(workspace.resolve("."), workspace.entries))
      assert.strictEqual(late._tag, "Failure")
    }))

  it.runIf(holdings.includes("descriptors"))(
    "stays with the directory when it is renamed",
    () =>
      Effect.runPromise(Effect.scoped(Effect.gen(function*() {
        const { at, base, outside, root, workspace } = yield* fixture("descriptors")
        fs.renameSync(root, join(base, "elsewhere"))
        fs.symlinkSync(outside, root)
        yield* workspace.write(yield* at("file"), bytesOf("x"), { createParents: false })
        assert.deepStrictEqual(fs.readdirSync(join(base, "elsewhere")), ["file"])
      })))
  )
})
