import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { spawnSync } from "node:child_process"
import { GatewayInstance, layer } from "../../../src/local/store/GatewayInstance.js"

const instance = Effect.map(Layer.build(Layer.fresh(layer)), (services) => Context.get(services, GatewayInstance))

describe("an instance of the gateway", () => {
  it.scoped("is alive until its scope ends, and one among several of a process", () =>
    Effect.gen(function*() {
      const mine = yield* instance
      const scope = yield* Scope.make()
      const other = yield* Scope.extend(instance, scope)
      assert.notStrictEqual(mine.id, other.id)
      assert.isTrue(mine.isAlive(mine.id))
      assert.isTrue(mine.isAlive(other.id))
      yield* Scope.close(scope, Exit.void)
      assert.isFalse(mine.isAlive(other.id))
      assert.isTrue(mine.isAlive(mine.id))
    }))

  it.scoped("is not alive when its process has ended", () =>
    Effect.gen(function*() {
      const { isAlive } = yield* instance
      const { pid } = spawnSync(process.execPath, ["--version"])
      assert.isFalse(isAlive(`${pid}//instance`))
    }))

  it.scoped("is alive while its process runs, which is known by its start where the system tells it", () =>
    Effect.gen(function*() {
      const { id, isAlive } = yield* instance
      const [, ownStart = ""] = id.split("/")
      assert.isTrue(isAlive(`${process.ppid}//instance`) || ownStart !== "")
      // The process that had this id before.
      assert.strictEqual(isAlive(`${process.ppid}/1/instance`), ownStart === "")
      assert.isFalse(isAlive(`${process.pid}/1/instance`))
    }))
})
