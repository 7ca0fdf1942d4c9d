import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import { fixture, secret } from "./support.js"

const bytes = (text: string) => new TextEncoder().encode(text)

const names = (root: string) => fs.readdirSync(root).sort()

describe("fill", () => {
  it.scoped("makes a file of all that was appended", () =>
    Effect.gen(function*() {
      const { at, text, workspace } = yield* fixture()
      const path = yield* at("a.txt")
      const made = yield* workspace.fill(path, { overwrite: false }, (append) =>
        Effect.zipRight(append(bytes("one ")), append(bytes("two"))))
      assert.deepStrictEqual(made, { size: 7, checksum: createHash("sha256").update("one two").digest("hex") })
      assert.strictEqual(text("a.txt"), "one two")
    }))

  it.scoped("leaves what was there, or nothing, where it fails or is interrupted, and says why", () =>
    Effect.gen(function*() {
      const { at, host, root, text, workspace } = yield* fixture()
      fs.writeFileSync(host("old.txt"), "old")
      for (const name of ["old.txt", "new.txt"]) {
        const path = yield* at(name)
        const failed = yield* Effect.flip(
          workspace.fill(path, { overwrite: true }, (append) => Effect.zipRight(append(bytes("x")), Effect.fail("why")))
        )
        assert.strictEqual(failed, "why")
        const begun = yield* Deferred.make<void>()
        const fiber = yield* Effect.fork(
          workspace.fill(
            path,
            { overwrite: true },
            (append) =>
              append(bytes("x")).pipe(
                Effect.zipRight(Deferred.succeed(begun, undefined)),
                Effect.zipRight(Effect.never)
              )
          )
        )
        yield* Deferred.await(begun)
        yield* Fiber.interrupt(fiber)
      }
      assert.deepStrictEqual([names(root), text("old.txt")], [["old.txt"], "old"])
    }))

  it.scoped("begins only where the file can be put", () =>
    Effect.gen(function*() {
      const { at, host, outside, workspace } = yield* fixture()
      fs.writeFileSync(host("there.txt"), "old")
      fs.mkdirSync(host("directory"))
      fs.symlinkSync("../outside/secret.txt", host("link"))
      const places = [
        ["there.txt", false, "DestinationExists"],
        ["link", false, "DestinationExists"],
        ["link", true, "PathOutOfScope"],
        ["directory", false, "DestinationExists"],
        ["directory", true, "InvalidInput"],
        ["missing/a.txt", true, "ParentNotFound"]
      ] as const
      for (const [name, overwrite, tag] of places) {
        const error = yield* Effect.flip(
          workspace.fill(yield* at(name), { overwrite }, () => Effect.dieMessage("this was not to be filled"))
        )
        assert.strictEqual(error._tag, tag, name)
      }
      assert.strictEqual(fs.readFileSync(`${outside}/secret.txt`, "utf8"), secret)
    }))

  it.scoped("does not replace what came to be there meanwhile", () =>
    Effect.gen(function*() {
      const { at, host, root, text, workspace } = yield* fixture()
      const error = yield* Effect.flip(
        workspace.fill(yield* at("a.txt"), { overwrite: false }, (append) =>
          Effect.zipRight(
            append(bytes("mine")),
            Effect.sync(() => fs.writeFileSync(host("a.txt"), "theirs"))
          ))
      )
      assert.deepInclude(error, { _tag: "DestinationExists", path: "/workspace/a.txt" })
      assert.deepStrictEqual([names(root), text("a.txt")], [["a.txt"], "theirs"])
    }))
})
