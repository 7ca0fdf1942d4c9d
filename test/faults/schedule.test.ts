import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { join } from "node:path"
import { until } from "../support/deadline.js"
import type { TestGateway } from "../support/gateway.js"
import { startProcess } from "../support/gatewayProcess.js"
import { at, listAt, textAt } from "../support/json.js"
import { rpc } from "../support/rawHttp.js"

const invoke = (gateway: TestGateway, capability: string, given: object, more: object = {}, key?: string) =>
  Effect.map(rpc(gateway, "capabilities.invoke", { capability, arguments: given, ...more }, key), (answer) => {
    assert.isTrue(at(answer, "result", "success"), JSON.stringify(answer))
    return at(answer, "result", "data")
  })

const alertsOf = (gateway: TestGateway) =>
  Effect.map(
    invoke(gateway, "alerts.list", { limit: 500 }),
    (listed) => listAt(listed, "alerts").map((alert) => String(at(alert, "message")))
  )

const linesOf = (path: string): ReadonlyArray<string> =>
  fs.existsSync(path) ? fs.readFileSync(path, "utf8").split("\n").filter((line) => line !== "") : []

const delays = 60

describe("kill -9 of a gateway", () => {
  it.scopedLive(
    "lets each delayed invocation run once, by the gateway after it where it had not ended",
    () =>
      Effect.gen(function*() {
        const gateway = yield* startProcess()
        const file = join(gateway.workspace, "runs.txt")
        const expected = Array.from({ length: delays }, (_, index) => `run ${index}`)
        yield* Effect.forEach(expected, (line) =>
          invoke(gateway, "scheduler.delay", {
            capability: "filesystem.append",
            inputs: { path: "/workspace/runs.txt", content: `${line}\n` },
            delay_seconds: 2
          }), { concurrency: 8 })
        yield* until("the first runs", Effect.sync(() => linesOf(file).length >= 3), "20 seconds")
        yield* gateway.end("SIGKILL")
        const before = linesOf(file).length
        assert.isBelow(before, delays, "it was killed in the middle")
        yield* gateway.startAgain
        yield* until("all runs", Effect.sync(() => linesOf(file).length >= delays), "30 seconds")
        yield* Effect.sleep("1 second")
        assert.sameMembers([...linesOf(file)], expected)
        const failed = (yield* alertsOf(gateway)).filter((message) => message.includes("failed"))
        assert.deepStrictEqual(failed, [])
      }),
    90_000
  )

  it.scopedLive("does not run a program again that ran then, and says so", () =>
    Effect.gen(function*() {
      const gateway = yield* startProcess({ args: ["--sandbox", "none"] })
      const file = join(gateway.workspace, "program.txt")
      const delayed = yield* invoke(gateway, "scheduler.delay", {
        capability: "process.run",
        inputs: { command: "echo began >> program.txt; sleep 4; echo ended >> program.txt" },
        delay_seconds: 0
      })
      yield* until("the program", Effect.sync(() => linesOf(file).length === 1), "20 seconds")
      yield* gateway.end("SIGKILL")
      yield* gateway.startAgain
      const said = "Scheduled, process.run failed: OutcomeUnknown"
      yield* until("the alert", Effect.map(alertsOf(gateway), (found) => found.includes(said)), "20 seconds")
      yield* Effect.sleep("2 seconds")
      assert.strictEqual(linesOf(file).filter((line) => line === "began").length, 1)
      assert.strictEqual((yield* alertsOf(gateway)).filter((message) => message === said).length, 1)
      const idempotency_key = `${textAt(delayed, "delay_id")}@${textAt(delayed, "fires_at")}`
      const outcome = yield* rpc(gateway, "capabilities.outcome", { idempotency_key })
      assert.strictEqual(at(outcome, "result", "status"), "unknown")
    }), 60_000)

  it.scopedLive(
    "loses no message that was sent or committed, and delivers none of a transaction that was open",
    () =>
      Effect.gen(function*() {
        const gateway = yield* startProcess()
        const reader = yield* gateway.addAgent("reader")
        const session_id = textAt(yield* rpc(gateway, "session.create", {}), "result", "session_id")
        const send = (message: string, more: object = {}) =>
          invoke(gateway, "comms.send", { to: "reader", message }, { session_id, ...more })
        const begin = Effect.map(
          rpc(gateway, "transaction.begin", { session_id }),
          (begun) => textAt(begun, "result", "transaction_id")
        )
        yield* send("sent")
        const first = yield* begin
        yield* send("committed 1", { transaction_id: first })
        yield* send("committed 2", { transaction_id: first })
        const second = yield* begin
        yield* send("open", { transaction_id: second })
        yield* rpc(gateway, "transaction.commit", { session_id, transaction_id: first })
        yield* gateway.end("SIGKILL")
        yield* gateway.startAgain
        const got = yield* invoke(gateway, "comms.receive", {}, {}, reader)
        assert.deepStrictEqual(
          listAt(got, "messages").map((message) => at(message, "message")),
          ["sent", "committed 1", "committed 2"]
        )
        assert.strictEqual(at(yield* invoke(gateway, "comms.receive", {}, {}, reader), "remaining"), 0)
      }),
    60_000
  )
})
