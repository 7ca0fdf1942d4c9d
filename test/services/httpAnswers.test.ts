import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { Gateway } from "kruxos"
import { NodeGateway } from "kruxos/node"
import type { ServerResponse } from "node:http"
import { within } from "../support/deadline.js"
import { rpcServer } from "../support/realServers.js"
import { gateway, key, layer, methods, stat, success, write } from "./httpSupport.js"

describe("HTTP fails", () => {
  it.scopedLive("with a refusal of what stands before the gateway: nothing was run", () =>
    Effect.gen(function*() {
      let refuse = (response: ServerResponse) => response.writeHead(413).end("<html>Request Entity Too Large</html>")
      const server = yield* rpcServer((text, response) => {
        if (text.includes("capabilities.invoke")) refuse(response)
        else gateway(() => success({}))(text, response)
      })
      yield* Effect.gen(function*() {
        for (const failure of [Effect.flip(write), Effect.flip(stat)]) {
          const tooLarge = yield* failure
          assert.strictEqual(tooLarge._tag, "InvalidInput")
          assert.include(tooLarge.message, "HTTP 413")
        }
        refuse = (response) => response.writeHead(429, { "retry-after": "120" }).end("slow down")
        for (const failure of [Effect.flip(write), Effect.flip(stat)]) {
          const limited = yield* failure
          assert.deepStrictEqual([limited._tag, limited.retryAfter], ["RateLimited", Duration.minutes(2)])
        }
        for (const wait of ["-1", "soon", "Wed, 21 Oct 2015 07:28:00 GMT", ""]) {
          refuse = (response) => response.writeHead(429, { "retry-after": wait }).end()
          const limited = yield* Effect.flip(write)
          assert.deepStrictEqual([limited._tag, limited.retryAfter], ["RateLimited", undefined])
        }
      }).pipe(Effect.provide(layer(server)))
      assert.strictEqual(methods(server).filter((method) => method === "capabilities.invoke").length, 8)
    }).pipe(within("the failures")))

  it.scopedLive("where it is sent elsewhere: nobody else is told what was asked, or the key", () =>
    Effect.gen(function*() {
      const elsewhere = yield* rpcServer(gateway(() => success({ exists: true })))
      const server = yield* rpcServer((text, response) => {
        if (!text.includes("capabilities.invoke")) return gateway(() => success({}))(text, response)
        response.writeHead(307, { location: `${elsewhere.host}/rpc` }).end()
      })
      const options = { host: server.host, apiKey: Redacted.make(key), transport: "http" } as const
      for (const made of [NodeGateway.layer(options), Gateway.layer(options)]) {
        const error = yield* Effect.flip(Effect.provide(stat, made))
        assert.strictEqual(error._tag, "ConnectionFailed")
        assert.include(error.message, "HTTP 307")
      }
      assert.deepStrictEqual(elsewhere.requests, [])
    }).pipe(within("the failures")))

  it.scopedLive.each(["its length is said", "it goes on and on"])(
    "with an answer that is larger than a message may be, whether %s",
    (how) =>
      Effect.gen(function*() {
        const mebibyte = Buffer.alloc(1024 * 1024, " ")
        let written = 0
        const server = yield* rpcServer((text, response) => {
          if (!text.includes("capabilities.invoke")) return gateway(() => success({}))(text, response)
          response.writeHead(200, how === "its length is said" ? { "content-length": 1024 * mebibyte.length } : {})
          const more = () => {
            while (!response.destroyed && written++ < 1024 && response.write(mebibyte));
          }
          response.on("drain", more)
          more()
        })
        assert.strictEqual((yield* Effect.flip(write).pipe(Effect.provide(layer(server))))._tag, "OutcomeUnknown")
        assert.isBelow(written, 100)
      }).pipe(within("the failure"))
  )
})
