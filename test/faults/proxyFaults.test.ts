import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import { until, within } from "../support/deadline.js"
import { type Fault, type FloodKind, FloodKind as FloodKinds, serve } from "../support/faultProxyScript.js"
import { clientThrough, standing, took } from "./proxySupport.js"

const names = Array.from({ length: 40 }, (_, index) => `file-${index}`)

const readAll = (client: Effect.Effect.Success<ReturnType<typeof clientThrough>>) =>
  Effect.forEach(names, (name) => client.read(name), { concurrency: "unbounded" })

const contentOf = (name: string) => `${name} ${name.repeat(300)}`

const after = (...faults: ReadonlyArray<Fault>) =>
  Effect.gen(function*() {
    const place = yield* standing({ steps: [serve(...faults)] })
    for (const name of names) place.write(name, contentOf(name))
    return place
  })

const heartbeat = 500

// What a machine that is busy adds.
const slack = 400

describe("a socket that is half-open", () => {
  const silent: ReadonlyArray<readonly [string, Fault]> = [
    ["nothing comes", { _tag: "Blackhole", direction: "toClient", afterBytes: 1, both: false }],
    ["nothing arrives", { _tag: "Blackhole", direction: "toServer", afterBytes: 1, both: false }],
    ["nothing comes and nothing arrives", { _tag: "Blackhole", direction: "toClient", afterBytes: 1, both: true }],
    ["the other side is gone without a word", {
      _tag: "HalfOpen",
      direction: "toServer",
      afterBytes: 1,
      open: "client"
    }]
  ]

  it.scopedLive("is found within two intervals of the heartbeat", () =>
    Effect.gen(function*() {
      const { gateway, proxy } = yield* standing()
      const client = yield* clientThrough(proxy, gateway.key, { heartbeat })
      const times = (status: string) => client.seen.filter((tag) => tag === status).length
      const found: Array<number> = []
      for (let index = 0; index < 3; index++) {
        // Soon after a sign of life, which is the worst time: the interval in which it came does not count.
        yield* Effect.sleep("100 millis")
        const before = times("Reconnecting")
        proxy.connections.at(-1)?.lose("toClient")
        found.push(yield* took(until("the loss", Effect.sync(() => times("Reconnecting") > before))))
        yield* until("the return", Effect.sync(() => client.seen.at(-1) === "Connected"))
      }
      assert.isAtMost(Math.min(...found), 2 * heartbeat + slack)
    }).pipe(within("the losses", "18 seconds")))

  it.scopedLive.each(silent)("is not waited for: %s", ([, fault]) =>
    Effect.gen(function*() {
      const { gateway, proxy, write } = yield* standing({ steps: [serve(fault)] })
      write("one", "the right one")
      // The first attempt to connect never gets an answer.
      const first = yield* Effect.either(clientThrough(proxy, gateway.key, { requestTimeout: "300 millis" }))
      assert.strictEqual(Either.isLeft(first) ? first.left._tag : "", "ConnectionFailed")
      const client = yield* clientThrough(proxy, gateway.key)
      assert.strictEqual(yield* client.read("one"), "the right one")
    }).pipe(within("the answer", "15 seconds")))
})

describe("answers", () => {
  const orders: ReadonlyArray<readonly [string, ReadonlyArray<Fault>]> = [
    ["in another order", [{ _tag: "Reorder", window: 12, milliseconds: 30 }]],
    ["twice", [{ _tag: "Duplicate", every: 1 }]],
    ["twice and in another order", [{ _tag: "Duplicate", every: 2 }, { _tag: "Reorder", window: 7, milliseconds: 20 }]],
    ["byte by byte", [{ _tag: "Trickle", direction: "toClient", bytes: 1, pieces: 4000 }]],
    ["to questions that come byte by byte", [{ _tag: "Trickle", direction: "toServer", bytes: 1, pieces: 4000 }]],
    ["late, and not alike", [{ _tag: "Delay", direction: "toClient", milliseconds: 5, jitter: 30 }]]
  ]

  it.scopedLive.each(orders)("that come %s belong to their calls", ([, faults]) =>
    Effect.gen(function*() {
      const { connection, gateway, proxy } = yield* after(...faults)
      const client = yield* clientThrough(proxy, gateway.key)
      assert.deepStrictEqual(yield* readAll(client), names.map(contentOf))
      assert.deepStrictEqual(yield* readAll(client), names.map(contentOf))
      assert.deepStrictEqual(client.seen, ["Connected"])
      assert.isTrue((yield* connection(0)).isOpen())
    }).pipe(within("the answers", "15 seconds")))

  it.scopedLive.each(["end", "reset"] as const)(
    "whose frame is cut off come again: %s",
    (how) =>
      Effect.gen(function*() {
        // In the middle of the answers, which are much longer than what comes before them.
        const { gateway, proxy } = yield* after({ _tag: "Cut", direction: "toClient", afterBytes: 30_000, how })
        const client = yield* clientThrough(proxy, gateway.key)
        assert.deepStrictEqual(yield* readAll(client), names.map(contentOf))
        assert.deepStrictEqual(client.seen, ["Connected", "Reconnecting", "Connected"])
      }).pipe(within("the answers", "15 seconds"))
  )

  it.scopedLive("whose chunk is truncated come again", () =>
    Effect.gen(function*() {
      const { gateway, proxy } = yield* after({ _tag: "Truncate", direction: "toClient", chunk: 2, keep: 40 })
      const client = yield* clientThrough(proxy, gateway.key)
      assert.deepStrictEqual(yield* readAll(client), names.map(contentOf))
      assert.deepStrictEqual(client.seen, ["Connected", "Reconnecting", "Connected"])
    }).pipe(within("the answers", "15 seconds")))
})

describe("a flood", () => {
  const harmless = FloodKinds.literals.filter((kind) => kind !== "broken")

  it.scopedLive.each(harmless)("of %s leaves the calls alone", (kind: FloodKind) =>
    Effect.gen(function*() {
      const faults = [1, 3, 5].map((afterFrames): Fault => ({ _tag: "Flood", afterFrames, messages: 3000, kind }))
      const { gateway, proxy } = yield* after(...faults)
      const client = yield* clientThrough(proxy, gateway.key, { heartbeat: "2 seconds" })
      const start = yield* Clock.currentTimeMillis
      assert.deepStrictEqual(yield* readAll(client), names.map(contentOf))
      assert.isBelow((yield* Clock.currentTimeMillis) - start, 5000)
      assert.deepStrictEqual(client.seen, ["Connected"])
    }).pipe(within("the answers", "15 seconds")))

  it.scopedLive("of what no WebSocket may send ends the connection, and calls go over the next one", () =>
    Effect.gen(function*() {
      const { gateway, proxy } = yield* after({ _tag: "Flood", afterFrames: 4, messages: 1, kind: "broken" })
      const client = yield* clientThrough(proxy, gateway.key)
      assert.deepStrictEqual(yield* readAll(client), names.map(contentOf))
      assert.deepStrictEqual(client.seen, ["Connected", "Reconnecting", "Connected"])
    }).pipe(within("the answers", "15 seconds")))
})

describe("calls that wait while nobody listens", () => {
  it.scopedLive("go over the one connection that is made when somebody does", () =>
    Effect.gen(function*() {
      const { connection, contents, gateway, proxy } = yield* standing({
        steps: [{ _tag: "Serve", faults: [], refuseAfter: 400 }]
      })
      const client = yield* clientThrough(proxy, gateway.key)
      const first = yield* connection(0)
      first.cut("reset")
      yield* until("the loss", Effect.sync(() => client.seen.at(-1) === "Reconnecting"))
      const calls = yield* Effect.fork(
        Effect.forEach(names, (name) => client.append("log", `${name}\n`), { concurrency: "unbounded" })
      )
      yield* Effect.sleep("100 millis")
      assert.strictEqual(contents("log"), "")
      yield* Fiber.join(calls)
      assert.deepStrictEqual(contents("log").split("\n").slice(0, -1).toSorted(), names.toSorted())
      assert.strictEqual(proxy.connections.length, 2)
    }).pipe(within("the effects", "15 seconds")))
})
