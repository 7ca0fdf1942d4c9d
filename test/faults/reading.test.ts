import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as fs from "node:fs"
import { join } from "node:path"
import { until } from "../support/deadline.js"
import { quietly } from "../support/gateway.js"
import { clientOf, peakResidentBytes, startProcess } from "../support/gatewayProcess.js"
import { initialized } from "../support/rawSocket.js"

const mebibyte = 1024 * 1024

const large = 14 * mebibyte

const readLarge = (id: number) => ({
  jsonrpc: "2.0",
  id,
  method: "capabilities.invoke",
  params: { capability: "filesystem.read", arguments: { path: "large" } }
})

/** A client asks for as many large files, all at once, and reads nothing; it says how that went. */
const neverReading = (files: number) =>
  Effect.gen(function*() {
    const gateway = yield* startProcess()
    const { invoke } = yield* clientOf(gateway)
    fs.writeFileSync(join(gateway.workspace, "large"), "x".repeat(large))
    fs.writeFileSync(join(gateway.workspace, "small"), "small")
    const peak = yield* peakResidentBytes(gateway)
    const socket = yield* initialized(gateway)
    yield* socket.pause
    for (let id = 0; id < files; id++) yield* socket.send(readLarge(id))

    let served = 0
    let slowestMillis = 0
    const other = Effect.gen(function*() {
      const from = yield* Clock.currentTimeMillis
      assert.strictEqual((yield* invoke("filesystem.read", { path: "small" })).content, "small")
      slowestMillis = Math.max(slowestMillis, (yield* Clock.currentTimeMillis) - from)
      served++
    })
    const serving = yield* Effect.fork(Effect.repeat(other, Schedule.spaced("10 millis")))
    yield* until("the client to be cut off", Effect.sync(() => gateway.log().includes("unread")), "25 seconds")
    yield* Effect.sleep("100 millis")
    yield* Fiber.interrupt(serving)
    yield* other
    yield* socket.resume
    const { code, reason } = yield* socket.closed
    return { code, reason, peak: peak(), served, slowestMillis }
  }).pipe(quietly)

describe("a client that never reads", () => {
  it.scopedLive.each([12, 300])(
    "%s large files costs the gateway bounded memory, is cut off with a reason, and holds up nobody",
    (files) =>
      Effect.gen(function*() {
        const { code, peak, reason, served, slowestMillis } = yield* neverReading(files)
        assert.strictEqual(code, 1013)
        assert.include(reason, "unread")
        assert.isBelow(peak, 1024 * mebibyte)
        assert.isAbove(served, 2)
        assert.isBelow(slowestMillis, 3000)
      }),
    60_000
  )
})
