import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { within } from "../support/deadline.js"
import type { TestGateway } from "../support/gateway.js"
import { at } from "../support/json.js"
import { initializeParams, open } from "../support/rawSocket.js"
import { clientThrough, standing } from "./proxySupport.js"

/** Ids that are easily mistaken for each other, and for none. */
const ids = [0, 1, "0", "1", -1, "", 0.5, 9_007_199_254_740_991, "null", "constructor", "__proto__"] as const

/** Asks for one file with each id, all at once, and gives the answers by id. */
const askAll = (gateway: TestGateway, url: string, key: string, whose: string) =>
  Effect.gen(function*() {
    const socket = yield* Effect.orDie(open(url, { key }))
    // The session itself is asked for with the id 0 too.
    yield* socket.send({ jsonrpc: "2.0", id: 0, method: "initialize", params: initializeParams() })
    assert.strictEqual(at(yield* socket.receive, "id"), 0, gateway.url)
    const ask = (id: unknown, index: number) =>
      socket.send({
        jsonrpc: "2.0",
        id,
        method: "capabilities.invoke",
        params: { capability: "filesystem.read", arguments: { path: `/workspace/${whose}-${index}` } }
      })
    yield* Effect.forEach(ids, ask, { concurrency: "unbounded" })
    const answers = new Map<unknown, unknown>()
    for (const _ of ids) {
      const answer = yield* socket.receive
      assert.isFalse(answers.has(at(answer, "id")), `${String(at(answer, "id"))} has two answers`)
      answers.set(at(answer, "id"), at(answer, "result", "data", "content"))
    }
    return answers
  })

describe("two clients with two keys", () => {
  for (const way of ["straight", "through one proxy"] as const) {
    it.scopedLive(`get their own replies only, whatever the ids of both: ${way}`, () =>
      Effect.gen(function*() {
        const { gateway, proxy, write } = yield* standing()
        const second = yield* gateway.addAgent("second")
        for (const whose of ["first", "second"]) {
          ids.forEach((_, index) => write(`${whose}-${index}`, `${whose} ${index}`))
        }
        const url = way === "straight" ? gateway.url : proxy.url
        for (let round = 0; round < 10; round++) {
          const [ofFirst, ofSecond] = yield* Effect.all(
            [askAll(gateway, url, gateway.key, "first"), askAll(gateway, url, second, "second")],
            { concurrency: "unbounded" }
          ).pipe(Effect.scoped)
          ids.forEach((id, index) => {
            assert.strictEqual(ofFirst.get(id), `first ${index}`)
            assert.strictEqual(ofSecond.get(id), `second ${index}`)
          })
        }
      }).pipe(within("the answers", "15 seconds")))
  }

  it.scopedLive("of this SDK, whose ids are the same, get their own through every fault and return", () =>
    Effect.gen(function*() {
      const { contents, gateway, proxy, write } = yield* standing()
      const second = yield* gateway.addAgent("second")
      const numbers = Array.from({ length: 60 }, (_, index) => index)
      for (const whose of ["first", "second"]) {
        numbers.forEach((number) => write(`${whose}-${number}`, `${whose} ${number}`))
      }
      const clients = [
        ["first", yield* clientThrough(proxy, gateway.key)],
        ["second", yield* clientThrough(proxy, second)]
      ] as const
      for (let round = 0; round < 4; round++) {
        yield* Effect.forEach(
          clients,
          ([whose, { invoke, read }]) =>
            Effect.forEach(numbers, (number) =>
              Effect.gen(function*() {
                assert.strictEqual(yield* read(`${whose}-${number}`), `${whose} ${number}`)
                const { path } = yield* invoke("filesystem.append", {
                  path: `/workspace/log-${whose}-${number}`,
                  content: `${round}`
                })
                assert.strictEqual(path, `/workspace/log-${whose}-${number}`)
              }), { concurrency: "unbounded" }),
          { concurrency: "unbounded" }
        )
        proxy.plan({
          _tag: "Serve",
          faults: [{ _tag: "Reorder", window: 5, milliseconds: 10 }, { _tag: "Duplicate", every: 3 }],
          refuseAfter: 0
        })
        for (const connection of proxy.connections) connection.cut("reset")
        for (const [, client] of clients) yield* client.reconnected(round + 1)
      }
      for (const whose of ["first", "second"]) {
        for (const number of numbers) assert.strictEqual(contents(`log-${whose}-${number}`), "0123")
      }
      const agents = yield* Effect.forEach(
        clients,
        ([, { gateway }]) => Effect.map(gateway.session, ({ agent }) => agent)
      )
      assert.deepStrictEqual(agents, ["agent", "second"])
    }).pipe(within("the answers", "15 seconds")))
})
