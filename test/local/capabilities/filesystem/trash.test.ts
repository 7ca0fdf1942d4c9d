import { SqlError } from "@effect/sql/SqlError"
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as fs from "node:fs"
import { basename } from "node:path"
import { make, sweepTrash } from "../../../../src/local/capabilities/filesystem/trash.js"
import { Trash } from "../../../../src/local/store/Trash.js"
import { invocationFixture, store } from "./workspaceSupport.js"

const prepared = Effect.gen(function*() {
  const made = yield* invocationFixture
  const handlers = yield* make
  const { host } = made
  fs.mkdirSync(host("a/empty"), { recursive: true })
  fs.writeFileSync(host("a/file"), "content")
  return {
    ...made,
    remove: (path: string) => handlers.remove({ path }, made.invocation),
    restore: (trash_path: string, overwrite = false) => handlers.restore({ trash_path, overwrite }, made.invocation),
    handlers,
    trashed: () => fs.readdirSync(host(".kruxos-trash"))
  }
})

const withStore = Effect.provide(store)

describe("filesystem.delete", () => {
  it.scoped("moves a file to the trash for 24 hours", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(1000)
      const { host, remove, trashed } = yield* prepared
      const deleted = yield* remove("a/file")
      assert.strictEqual(deleted.deleted_path, "/workspace/a/file")
      assert.match(deleted.trash_path, /^\/workspace\/\.kruxos-trash\/[0-9a-f]{32}-file$/)
      assert.strictEqual(DateTime.toEpochMillis(deleted.recoverable_until), 1000 + 24 * 60 * 60 * 1000)
      assert.deepStrictEqual(fs.readdirSync(host("a")), ["empty"])
      assert.deepStrictEqual(trashed(), [basename(deleted.trash_path)])
      const entry = Option.getOrThrow(yield* Effect.flatMap(Trash, (trash) => trash.find(deleted.trash_path)))
      assert.deepStrictEqual([entry.agent, entry.kind, entry.size, entry.originalPath], [
        "one",
        "file",
        7,
        "/workspace/a/file"
      ])
    }).pipe(withStore))

  it.scoped("refuses what cannot be deleted, and keeps no record of it", () =>
    Effect.gen(function*() {
      const { remove } = yield* prepared
      const cases = [["a", "DirectoryNotEmpty"], ["missing", "FileNotFound"], [".", "InvalidInput"], [
        ".kruxos-trash",
        "PathOutOfScope"
      ]] as const
      for (const [path, tag] of cases) assert.strictEqual((yield* Effect.flip(remove(path)))._tag, tag, path)
      yield* TestClock.adjust("48 hours")
      const records = yield* Effect.flatMap(Trash, (trash) => Effect.flatMap(DateTime.now, trash.expired))
      assert.deepStrictEqual(records, [])
    }).pipe(withStore))

  it.scoped("keeps names that are as long as a name can be", () =>
    Effect.gen(function*() {
      const { host, remove, restore, text } = yield* prepared
      const name = "日".repeat(85)
      fs.writeFileSync(host(name), "content")
      const { trash_path } = yield* remove(name)
      yield* restore(trash_path)
      assert.strictEqual(text(name), "content")
    }).pipe(withStore))

  it.scoped("leaves the file where it is when the store does not answer", () =>
    Effect.gen(function*() {
      const { handlers, invocation, text } = yield* prepared.pipe(
        Effect.provideServiceEffect(
          Trash,
          Effect.map(Trash, (trash) => ({
            ...trash,
            add: () => Effect.fail(new SqlError({ cause: "no answer", message: "no answer" }))
          }))
        )
      )
      const failure = yield* Effect.flip(handlers.remove({ path: "a/file" }, invocation))
      if (failure._tag !== "ServiceUnavailable") return assert.fail(failure._tag)
      assert.strictEqual(failure.service, "store")
      assert.strictEqual(text("a/file"), "content")
    }).pipe(withStore))
})

describe("filesystem.restore", () => {
  it.scoped("brings files and directories back, with their parents, once", () =>
    Effect.gen(function*() {
      const { host, remove, restore, text, trashed } = yield* prepared
      const file = yield* remove("a/file")
      const empty = yield* remove("a/empty")
      yield* remove("a")
      const restored = yield* restore(file.trash_path)
      assert.deepStrictEqual(restored, { restored_path: "/workspace/a/file", trash_path: file.trash_path })
      yield* restore(empty.trash_path)
      assert.strictEqual(text("a/file"), "content")
      assert.isTrue(fs.statSync(host("a/empty")).isDirectory())
      assert.strictEqual(trashed().length, 1)
      assert.strictEqual((yield* Effect.flip(restore(file.trash_path)))._tag, "TrashEntryNotFound")
    }).pipe(withStore))

  it.scoped("puts nothing over another file, which goes to the trash when it is to be overwritten", () =>
    Effect.gen(function*() {
      const { host, remove, restore, text } = yield* prepared
      const { trash_path } = yield* remove("a/file")
      fs.writeFileSync(host("a/file"), "newer")
      assert.strictEqual((yield* Effect.flip(restore(trash_path)))._tag, "DestinationExists")
      assert.strictEqual(text("a/file"), "newer")
      yield* restore(trash_path, true)
      assert.strictEqual(text("a/file"), "content")
      const [other] = fs.readdirSync(host(".kruxos-trash"))
      fs.rmSync(host("a/file"))
      yield* restore(`.kruxos-trash/${other}`)
      assert.strictEqual(text("a/file"), "newer")
    }).pipe(withStore))

  it.scoped("does not overwrite a directory with something in it", () =>
    Effect.gen(function*() {
      const { host, remove, restore, trashed } = yield* prepared
      const { trash_path } = yield* remove("a/file")
      fs.mkdirSync(host("a/file/full"), { recursive: true })
      assert.strictEqual((yield* Effect.flip(restore(trash_path, true)))._tag, "InvalidInput")
      assert.isTrue(fs.statSync(host("a/file/full")).isDirectory())
      assert.strictEqual(trashed().length, 1)
    }).pipe(withStore))

  it.scoped("puts back what was in the way when it fails", () =>
    Effect.gen(function*() {
      const { handlers, host, invocation, remove, text, trashed } = yield* prepared
      const { trash_path } = yield* remove("a/file")
      fs.writeFileSync(host("a/file"), "newer")
      const { workspace } = invocation
      const name = basename(trash_path)
      let asked = 0
      const failing = {
        ...workspace,
        restoreFromTrash: (trashName: string, path: Parameters<typeof workspace.restoreFromTrash>[1]) =>
          Effect.suspend(() => {
            // Somebody takes the deleted file away between the two tries.
            if (trashName === name) asked += 1
            if (asked === 2 && trashName === name) fs.rmSync(host(`.kruxos-trash/${name}`))
            return workspace.restoreFromTrash(trashName, path)
          })
      }
      const restored = handlers.restore({ trash_path, overwrite: true }, { ...invocation, workspace: failing })
      assert.strictEqual((yield* Effect.flip(restored))._tag, "TrashEntryNotFound")
      assert.strictEqual(text("a/file"), "newer")
      assert.deepStrictEqual(trashed(), [])
    }).pipe(withStore))

  it.scoped("knows nothing of what is unknown, another agent's or too old", () =>
    Effect.gen(function*() {
      const { byAnother, handlers, remove, restore, trashed } = yield* prepared
      const { trash_path } = yield* remove("a/file")
      const another = yield* Effect.flip(handlers.restore({ trash_path, overwrite: false }, byAnother))
      assert.strictEqual(another._tag, "TrashEntryNotFound")
      for (const path of ["a/file", ".kruxos-trash", ".kruxos-trash/unknown", ".kruxos-trash/a/b"]) {
        assert.strictEqual((yield* Effect.flip(restore(path)))._tag, "TrashEntryNotFound", path)
      }
      assert.strictEqual((yield* Effect.flip(restore("/etc/passwd")))._tag, "PathOutOfScope")
      const malformed = yield* Effect.flip(restore("\0"))
      assert.isTrue(malformed._tag === "InvalidInput" && malformed.field === "trash_path")
      yield* TestClock.adjust("24 hours")
      assert.strictEqual((yield* Effect.flip(restore(trash_path)))._tag, "TrashEntryNotFound")
      assert.strictEqual(trashed().length, 1)
    }).pipe(withStore))

  it.scoped("does not follow a parent that has become a link leading out", () =>
    Effect.gen(function*() {
      const { host, outside, remove, restore, trashed } = yield* prepared
      const { trash_path } = yield* remove("a/file")
      fs.rmSync(host("a"), { recursive: true })
      fs.symlinkSync(outside, host("a"))
      assert.strictEqual((yield* Effect.flip(restore(trash_path, true)))._tag, "PathOutOfScope")
      assert.deepStrictEqual(fs.readdirSync(outside).sort(), ["deep", "secret.txt"])
      assert.strictEqual(trashed().length, 1)
    }).pipe(withStore))
})

describe("sweeping the trash", () => {
  it.scoped("deletes what nobody restored in time, and nothing else", () =>
    Effect.gen(function*() {
      const { invocation, remove, restore, text, trashed } = yield* prepared
      yield* remove("a/empty")
      yield* TestClock.adjust("23 hours")
      const { trash_path } = yield* remove("a/file")
      const sweep = sweepTrash((agent) =>
        Effect.succeed(Option.liftPredicate(invocation.workspace, () => agent === "one"))
      )
      assert.strictEqual(yield* sweep, 0)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(yield* sweepTrash(() => Effect.succeedNone), 0)
      assert.strictEqual(yield* sweep, 1)
      assert.strictEqual(yield* sweep, 0)
      assert.deepStrictEqual(trashed(), [basename(trash_path)])
      yield* restore(trash_path)
      assert.strictEqual(text("a/file"), "content")
    }).pipe(withStore))
})
