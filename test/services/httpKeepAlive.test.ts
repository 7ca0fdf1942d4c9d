import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Capabilities } from "kruxos"
import type { IncomingMessage } from "node:http"
import { within } from "../support/deadline.js"
import { rpcServer } from "../support/realServers.js"
import { gateway, layer, path, stat, success, write } from "./httpSupport.js"

const known = gateway(() => success({ exists: true, path, size: 0, checksum: "0".repeat(64) }))

/** A gateway that destroys the socket of the first invocation that comes over a socket which was used before. */
const closingKept = Effect.suspend(() => {
  const used = new Set<IncomingMessage["socket"]>()
  let destroyed = 0
  const server = rpcServer((text, response, request) => {
    const { socket } = request
    if (text.includes("capabilities.invoke") && used.has(socket) && destroyed++ === 0) socket.destroy()
    else known(text, response)
    used.add(socket)
  })
  return Effect.map(server, (each) => ({ ...each, destroyed: () => destroyed }))
})

describe("HTTP over kept sockets", () => {
  it.scopedLive("asks one after another over one", () =>
    Effect.gen(function*() {
      const sockets = new Set<number | undefined>()
      const server = yield* rpcServer((text, response, request) => {
        sockets.add(request.socket.remotePort)
        known(text, response)
      })
      yield* Effect.provide(Effect.all([stat, stat, stat]), layer(server))
      assert.strictEqual(server.requests.length, 5)
      assert.strictEqual(sockets.size, 1)
    }).pipe(within("the answers")))

  it.scopedLive("asks again what may be repeated, when the gateway closes one as it is used", () =>
    Effect.gen(function*() {
      const server = yield* closingKept
      const answer = yield* Effect.provide(stat, layer(server))
      assert.isTrue(answer.exists)
      assert.isAbove(server.destroyed(), 0)
    }).pipe(within("the answer")))

  it.scopedLive("does not know the outcome of what may not, and never sends it twice", () =>
    Effect.gen(function*() {
      const server = yield* closingKept
      const error = yield* Effect.flip(write).pipe(Effect.provide(layer(server)))
      assert.strictEqual(error._tag, "OutcomeUnknown")
      assert.strictEqual(server.requests.filter(({ text }) => text.includes("capabilities.invoke")).length, 1)
    }).pipe(within("the failure")))

  it.scopedLive("sends nothing over one that the gateway has closed already", () =>
    Effect.gen(function*() {
      const sockets: Array<IncomingMessage["socket"]> = []
      const server = yield* rpcServer((text, response, request) => {
        sockets.push(request.socket)
        known(text, response)
      })
      yield* Effect.gen(function*() {
        for (let index = 0; index < 20; index++) {
          sockets.at(-1)?.destroy()
          yield* write
        }
      }).pipe(Effect.provide(layer(server)))
      assert.strictEqual(new Set(sockets).size, 21)
    }).pipe(within("the answers")))

  it.scopedLive("waits for an answer for longer than a socket is kept", () =>
    Effect.gen(function*() {
      const server = yield* rpcServer((text, response) => {
        if (text.includes("capabilities.invoke")) setTimeout(() => known(text, response), 3500)
        else known(text, response)
      })
      const { exists } = yield* Effect.flatMap(Capabilities, ({ invoke }) => invoke("filesystem.stat", { path })).pipe(
        Effect.provide(layer(server))
      )
      assert.isTrue(exists)
    }).pipe(within("the answer", "10 seconds")))
})
