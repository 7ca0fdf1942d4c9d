import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { removeBelow, removeEmptyAbove } from "../../../../src/local/capabilities/git/removal.js"
import { fixture, snapshot } from "../../workspace/support.js"

it.scopedLive("what is removed is never at the end of a link", () =>
  Effect.gen(function*() {
    const { host, outside, workspace } = yield* fixture()
    const before = snapshot(outside)
    fs.symlinkSync(outside, host("link"))
    assert.throws(() => removeBelow(workspace, ["link", "deep"], { itself: true }))
    assert.throws(() => removeBelow(workspace, ["link"], { itself: false }))
    assert.throws(() => removeEmptyAbove(workspace, ["link", "deep", "x"], 2))
    removeBelow(workspace, ["link"], { itself: true })
    assert.isFalse(fs.existsSync(host("link")))
    assert.deepStrictEqual(snapshot(outside), before)
  }))

it.scopedLive("what is the gateway's stays, and what is in the way of empty directories", () =>
  Effect.gen(function*() {
    const { host, root, workspace } = yield* fixture()
    for (const path of [".kruxos", ".kruxos-trash", "a/b/c/d", "a/.kruxos"]) {
      fs.mkdirSync(host(path), { recursive: true })
    }
    removeEmptyAbove(workspace, ["a", "b", "c", "d", "e"], 2)
    assert.isTrue(fs.existsSync(host("a/b")))
    removeEmptyAbove(workspace, ["a", "b", "x"], 5)
    assert.deepStrictEqual(fs.readdirSync(host("a")), [".kruxos"])
    removeBelow(workspace, [], { itself: false })
    assert.deepStrictEqual(fs.readdirSync(root).sort(), [".kruxos", ".kruxos-trash"])
    removeBelow(workspace, ["not", "there"], { itself: true })
  }))
