import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { until } from "../../support/deadline.js"
import { clientOf, startProcess } from "../../support/gatewayProcess.js"
import { inBubblewrap, runningWith, withoutBubblewrap } from "../capabilities/process/support.js"
import { groupsOf, holds, inControlGroups } from "./controlGroups.js"

describe.skipIf(!holds("pids"))(inControlGroups("a gateway without a sandbox that is killed", "pids"), () => {
  it.scopedLive("has what runs on ended by the next one, and no group left", () =>
    Effect.gen(function*() {
      const seconds = `7203.${process.pid}`
      const gateway = yield* startProcess({ args: ["--sandbox", "none"] })
      const client = yield* clientOf(gateway)
      const command = `trap '' TERM HUP; setsid env -i sh -c 'sleep ${seconds} & sleep ${seconds}' & wait`
      yield* client.invoke("process.run", { command, background: true })
      const found = Effect.sync(() => runningWith(`sleep\0${seconds}`).length)
      yield* until("all of it", Effect.map(found, (count) => count === 2))
      const [sleeping = ""] = runningWith(`sleep\0${seconds}`)
      const held = groupsOf(sleeping)
      yield* gateway.end("SIGKILL")
      assert.strictEqual(yield* found, 2)
      assert.isNotEmpty(held.filter((path) => fs.existsSync(path)))
      yield* gateway.startAgain
      yield* until("its end", Effect.map(found, (count) => count === 0), "5 seconds")
      assert.deepStrictEqual(held.filter((path) => fs.existsSync(path)), [])
    }), 60_000)
})

describe.skipIf(withoutBubblewrap !== undefined)(inBubblewrap("a gateway that ends"), () => {
  it.scopedLive.each(["SIGKILL", "SIGTERM"] as const)(
    "by %s leaves no program behind, however it hid",
    (signal) =>
      Effect.gen(function*() {
        const seconds = `${signal === "SIGKILL" ? 7201 : 7202}.${process.pid}`
        const gateway = yield* startProcess({ args: ["--grace", "0"] })
        const client = yield* clientOf(gateway)
        const command =
          `trap '' TERM HUP; sleep ${seconds} & setsid sh -c 'setsid sleep ${seconds} & sleep ${seconds}' & wait`
        yield* client.invoke("process.run", { command, background: true })
        yield* until("all of it", Effect.sync(() => runningWith(`sleep\0${seconds}`).length === 3))
        yield* gateway.end(signal)
        yield* until("its end", Effect.sync(() => runningWith(seconds).length === 0), "5 seconds")
        assert.deepStrictEqual(runningWith(seconds), [])
      }),
    60_000
  )
})
