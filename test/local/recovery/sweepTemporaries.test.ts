import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as fs from "node:fs"
import { join } from "node:path"
import { sweepTemporaries } from "../../../src/local/recovery/sweepTemporaries.js"
import { Agents } from "../../../src/local/store/Agents.js"
import { until } from "../../support/deadline.js"
import { serve } from "../../support/gateway.js"
import { store } from "../capabilities/filesystem/workspaceSupport.js"
import { type Call, prepared } from "./support.js"

const leftIn = (folder: string) => fs.readdirSync(folder).filter((name) => name.endsWith(".tmp"))

describe("sweepTemporaries", () => {
  it.scoped("deletes what killed writes have left, when nobody can be writing it any more, and nothing else", () =>
    Effect.gen(function*() {
      const { host, killAt, trashed, workspace } = yield* prepared({ ".hidden/a": "old", ".kruxos-notes.tmp": "mine" })
      const call: Call = { name: "filesystem.write", input: { path: ".hidden/a", content: "new" } }
      // The last step but one: complete, and without its name.
      for (let step = 1; leftIn(host(".hidden")).length < 3; step++) assert.isTrue(yield* killAt(step, call))
      const [fresh = ""] = leftIn(host(".hidden"))
      const now = DateTime.unsafeMake(3_000_000_000_000)
      yield* TestClock.setTime(DateTime.toEpochMillis(now))
      fs.utimesSync(host(`.hidden/${fresh}`), 2_999_999_000, 2_999_999_000)
      assert.strictEqual(yield* sweepTemporaries(workspace), 2)
      assert.deepStrictEqual(leftIn(host(".hidden")), [fresh])
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(yield* sweepTemporaries(workspace), 1)
      assert.deepStrictEqual(fs.readdirSync(host(".hidden")), ["a"])
      assert.deepStrictEqual(leftIn(host(".")), [".kruxos-notes.tmp"])
      assert.deepStrictEqual(trashed(), [])
      assert.strictEqual(yield* sweepTemporaries(workspace, { olderThan: 0 }), 0)
    }).pipe(Effect.provide(store)))

  it.scopedLive("is what a gateway does at its start in every workspace, and where one is missing in the others", () =>
    Effect.gen(function*() {
      const gateway = yield* serve()
      const left = ".kruxos-0123456789abcdef01234567.tmp"
      const own = (name: string) => join(gateway.dataDirectory, "..", name)
      for (const name of ["gone", "second"]) {
        fs.mkdirSync(own(name))
        yield* Effect.flatMap(Agents, (agents) => agents.create({ name, workspace: own(name) })).pipe(
          gateway.inStore,
          Effect.orDie
        )
      }
      fs.rmdirSync(own("gone"))
      const files = [join(gateway.workspace, left), join(own("second"), left)]
      for (const file of files) {
        fs.writeFileSync(file, "")
        fs.utimesSync(file, 1, 1)
      }
      yield* serve({ workspace: gateway.workspace, dataDirectory: gateway.dataDirectory })
      yield* until("the sweep", Effect.sync(() => !files.some((file) => fs.existsSync(file))))
    }))
})
