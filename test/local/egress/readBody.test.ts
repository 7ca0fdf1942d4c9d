import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Buffer } from "node:buffer"
import * as zlib from "node:zlib"
import type { Incoming } from "../../../src/local/egress/exchange.js"
import { mostBody, readBody } from "../../../src/local/egress/readBody.js"

const incomingOf = (pieces: Iterator<Uint8Array>, headers: Incoming["headers"] = {}): Incoming => ({
  status: 200,
  url: new URL("http://example.com/"),
  headers,
  next: Effect.sync(() => {
    const { done, value } = pieces.next()
    return done === true ? undefined : value
  })
})

const packers = { gzip: zlib.gzipSync, deflate: zlib.deflateSync, br: zlib.brotliCompressSync } as const

describe("readBody", () => {
  it.effect("puts the pieces together, however long they are", () =>
    Effect.gen(function*() {
      const whole = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251))
      for (const size of [1, 7, 16_384, 16_385, 100_000, 300_000]) {
        const pieces = Array.from(
          { length: Math.ceil(whole.length / size) },
          (_, index) => whole.subarray(index * size, (index + 1) * size)
        )
        assert.isTrue(Buffer.from(yield* readBody(incomingOf(pieces.values()))).equals(whole), String(size))
      }
      assert.strictEqual((yield* readBody(incomingOf([].values()))).length, 0)
    }))

  it.effect("keeps no more of a body in memory than it is, also where single bytes come", () =>
    Effect.gen(function*() {
      let most = 0
      const before = process.memoryUsage()
      const kept = function*() {
        for (let count = 0; count < 400_000; count++) {
          // As they come from a socket: each is a part of something larger.
          yield Buffer.alloc(1024).subarray(0, 1)
          if (count % 10_000 === 0) most = Math.max(most, process.memoryUsage().arrayBuffers)
        }
      }
      assert.strictEqual((yield* readBody(incomingOf(kept()))).length, 400_000)
      assert.isBelow(most - before.arrayBuffers, 200 * 1024 * 1024)
    }))

  it.effect.each(Object.entries(packers))(
    "unpacks %s, but never to more than 10 MiB",
    ([encoding, pack]) =>
      Effect.gen(function*() {
        const read = (bytes: Uint8Array) =>
          readBody(incomingOf([bytes].values(), { "content-encoding": ` ${encoding.toUpperCase()} ` }))
        assert.strictEqual(Buffer.from(yield* read(pack("packed"))).toString(), "packed")
        assert.strictEqual((yield* read(pack(Buffer.alloc(mostBody)))).length, mostBody)
        assert.deepInclude(yield* Effect.flip(read(pack(Buffer.alloc(mostBody + 1)))), {
          _tag: "ResourceExhausted",
          resource: "response body",
          limit: mostBody
        })
        assert.deepInclude(yield* Effect.flip(read(Buffer.from("not packed at all"))), {
          _tag: "NoAnswer",
          reason: "broken_off"
        })
        assert.deepInclude(yield* Effect.flip(read(pack("packed").subarray(0, 5))), { _tag: "NoAnswer" })
      })
  )
})
