import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import { Capabilities } from "kruxos"
import { NodeGateway } from "kruxos/node"
import * as fs from "node:fs"
import { join } from "node:path"
import { quietly } from "../support/gateway.js"
import { clientOf, peakResidentBytes, startProcess } from "../support/gatewayProcess.js"
import { at } from "../support/json.js"
import { post } from "../support/rawHttp.js"
import { socketServer } from "../support/realServers.js"
import { runs } from "../support/runs.js"
import { initialized, native } from "../support/scriptedGateway.js"

const mebibyte = 1024 * 1024
const limit = 16 * mebibyte

// Room for what a message has besides the content.
const fitting = limit - 2048

const content = "x".repeat(fitting)

const atOnce = 4
const rounds = runs(3)

const transports = ["websocket", "http"] as const

describe("frames of 16 MiB", () => {
  it.scopedLive(
    "pass both ways over WebSocket and HTTP; what is larger is a typed error, and ends no connection",
    () =>
      Effect.gen(function*() {
        const gateway = yield* startProcess()
        fs.writeFileSync(join(gateway.workspace, "over"), "x".repeat(limit))
        // Six characters each, as JSON.
        fs.writeFileSync(join(gateway.workspace, "over as JSON"), "\u0001".repeat(4 * mebibyte))
        for (const transport of transports) {
          const { invoke } = yield* clientOf(gateway, { transport })
          const { session_id } = yield* invoke("agent.session")
          yield* invoke("filesystem.write", { path: transport, content })
          assert.strictEqual((yield* invoke("filesystem.read", { path: transport })).content, content)

          const unsent = yield* Effect.flip(
            invoke("filesystem.write", { path: transport, content: `${content}${"y".repeat(2040)}` })
          )
          assert.strictEqual(unsent._tag, "InvalidInput")
          assert.include(unsent.message, "16 MiB")
          for (const path of ["over", "over as JSON"]) {
            const failure = yield* Effect.flip(invoke("filesystem.read", { path }))
            assert.strictEqual(failure._tag, "ResourceExhausted")
            assert.include(failure.message, `more than the ${limit}`)
          }
          assert.strictEqual(fs.readFileSync(join(gateway.workspace, transport), "utf8"), content)
          assert.strictEqual((yield* invoke("agent.session")).session_id, session_id)
        }
        const refused = yield* post(gateway, "x".repeat(limit + 1))
        assert.strictEqual(refused.status, 413)
        assert.strictEqual(at(refused.body, "error", "data", "error_type"), "ResourceExhausted")
      }).pipe(quietly),
    60_000
  )

  it.scopedLive(
    `pass ${atOnce} at once, and leave no memory behind`,
    () =>
      Effect.gen(function*() {
        // Were it not bounded, the process would end.
        const gateway = yield* startProcess({ maximumHeapMebibytes: 512 })
        const clients = yield* Effect.forEach(transports, (transport) => clientOf(gateway, { transport }))
        const before = yield* gateway.memory
        const peak = yield* peakResidentBytes(gateway)
        for (let round = 0; round < rounds; round++) {
          yield* Effect.forEach(
            Array.from({ length: atOnce }, (_, index) => index),
            (index) =>
              Effect.gen(function*() {
                const { invoke } = clients[index % clients.length] ?? (yield* Effect.dieMessage("no client"))
                const path = `${index}.txt`
                yield* invoke("filesystem.write", { path, content })
                assert.strictEqual((yield* invoke("filesystem.read", { path })).content.length, fitting)
              }),
            { concurrency: "unbounded", discard: true }
          )
        }
        const after = yield* gateway.memory
        assert.isBelow(peak(), 1024 * mebibyte)
        assert.isBelow(after.heapUsed - before.heapUsed, 4 * mebibyte)
        assert.isBelow(after.external - before.external, 4 * mebibyte)
      }).pipe(quietly),
    60_000
  )
})

describe("an answer of more than 16 MiB", () => {
  it.scopedLive("fails its call, and the next one finds a connection again", () =>
    Effect.gen(function*() {
      const server = yield* socketServer(
        initialized(({ id, params }, connection) => {
          const isLarge = at(params, "arguments", "path") === "large"
          connection.answer(id, {
            success: true,
            data: { content: isLarge ? "x".repeat(limit) : "small", size: 5, size_bytes: 5 }
          })
        }, native),
        { key: "key" }
      )
      const failure = yield* Effect.gen(function*() {
        const { invoke } = yield* Capabilities
        const failed = yield* Effect.flip(invoke("filesystem.read", { path: "large" }))
        assert.strictEqual((yield* invoke("filesystem.read", { path: "small" })).content, "small")
        return failed
      }).pipe(Effect.provide(NodeGateway.layer({
        host: server.host,
        apiKey: Redacted.make("key"),
        reconnect: Schedule.spaced("10 millis")
      })))
      assert.strictEqual(failure._tag, "ConnectionFailed")
      assert.strictEqual(server.connections.length, 3)
    }).pipe(quietly))
})
