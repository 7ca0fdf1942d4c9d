import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { Capabilities } from "kruxos"
import type { ServerResponse } from "node:http"
import { until, within } from "../support/deadline.js"
import { at } from "../support/json.js"
import { rpcServer } from "../support/realServers.js"
import {
  answering,
  bodiesOfInvocations,
  cancellations,
  created,
  gateway,
  invocations,
  keyedGateway,
  layer,
  methods,
  path,
  stat,
  success,
  write
} from "./httpSupport.js"

const known = success({ exists: true, path, size: 0, checksum: "0".repeat(64) })

const tagOf = <A, R>(call: Effect.Effect<A, { readonly _tag: string }, R>) =>
  Effect.match(call, { onSuccess: () => "answered", onFailure: ({ _tag }) => _tag })

/** Two that may be repeated and two that may not. */
const four = [tagOf(stat), tagOf(write), tagOf(stat), tagOf(write)]

const mixed = Effect.all(four, { concurrency: "unbounded" })

const statWithin = (timeout: "5 seconds" | "100 millis") =>
  Effect.flatMap(Capabilities, ({ invoke }) => invoke("filesystem.stat", { path }, { timeout }))

const capabilitiesOf = (invoked: ReadonlyArray<unknown>) => invoked.map((each) => at(each, "params", "capability"))

const isArray = (text: string) => text.startsWith("[")

describe("one of a batch over HTTP", () => {
  const holding = Effect.suspend(() => {
    const held: Array<() => void> = []
    const server = rpcServer((text, response) => {
      const answer = () => gateway(() => known)(text, response)
      if (text.includes("capabilities.invoke")) held.push(answer)
      else if (text.includes("notifications/cancelled")) response.writeHead(204).end()
      else answer()
    })
    return Effect.map(server, (each) => ({ ...each, held }))
  })

  it.scopedLive("has a deadline of its own, of which the gateway is told", () =>
    Effect.gen(function*() {
      const server = yield* holding
      yield* Effect.gen(function*() {
        const slow = yield* Effect.fork(statWithin("5 seconds"))
        const quick = yield* Effect.fork(Effect.flip(statWithin("100 millis")))
        assert.strictEqual((yield* Fiber.join(quick))._tag, "GatewayTimeout")
        yield* until("the cancellation", Effect.sync(() => cancellations(server).length === 1))
        server.held.forEach((answer) => answer())
        assert.isTrue((yield* Fiber.join(slow)).exists)
      }).pipe(Effect.provide(layer(server)))
      assert.strictEqual(bodiesOfInvocations(server), 1)
      assert.deepStrictEqual(cancellations(server), [{
        requestId: at(invocations(server)[1], "id"),
        session_id: "s-1"
      }])
      assert.strictEqual(server.aborted(), 0)
    }).pipe(within("the answers", "4 seconds")))

  it.scopedLive("is interrupted by itself: the gateway is told, and the others are answered", () =>
    Effect.gen(function*() {
      const server = yield* holding
      yield* Effect.gen(function*() {
        const fibers = yield* Effect.forEach([1, 2, 3], () => Effect.fork(stat))
        yield* until("the request", Effect.sync(() => invocations(server).length === 3))
        const [first, second, third] = fibers
        if (second !== undefined) yield* Fiber.interrupt(second)
        yield* until("the cancellation", Effect.sync(() => cancellations(server).length === 1))
        server.held.forEach((answer) => answer())
        for (const fiber of [first, third]) {
          assert.isTrue(fiber !== undefined && (yield* Fiber.join(fiber)).exists)
        }
      }).pipe(Effect.provide(layer(server)))
      assert.deepStrictEqual(cancellations(server), [{
        requestId: at(invocations(server)[1], "id"),
        session_id: "s-1"
      }])
      assert.strictEqual(server.aborted(), 0)
      assert.strictEqual(bodiesOfInvocations(server), 1)
    }).pipe(within("the answers")))

  it.scopedLive("is not sent when its caller gives up in the same moment", () =>
    Effect.gen(function*() {
      const server = yield* holding
      yield* Effect.gen(function*() {
        const alone = yield* Effect.fork(stat)
        yield* Effect.yieldNow()
        yield* Fiber.interrupt(alone)
        const [kept, dropped] = yield* Effect.all([Effect.fork(stat), Effect.fork(write)])
        yield* Effect.yieldNow()
        yield* Fiber.interrupt(dropped)
        yield* until("the request", Effect.sync(() => server.held.length === 1))
        server.held.forEach((answer) => answer())
        yield* Fiber.join(kept)
      }).pipe(Effect.provide(layer(server)))
      assert.deepStrictEqual(methods(server), ["session.create", "capabilities.invoke", "session.end"])
      assert.deepStrictEqual(capabilitiesOf(invocations(server)), ["filesystem.stat"])
    }).pipe(within("the answers")))

  it.scopedLive("and all the others are given up: the request ends, and one message tells of what has a key", () =>
    Effect.gen(function*() {
      const server = yield* keyedGateway(() => "silence")
      yield* Effect.gen(function*() {
        const fibers = yield* Effect.forEach(four, (each) => Effect.fork(each))
        yield* until("the request", Effect.sync(() => invocations(server).length === 4))
        yield* Fiber.interruptAll(fibers)
        yield* until("the end of the request", Effect.sync(() => server.aborted() >= 1))
        yield* until("the cancellations", Effect.sync(() => cancellations(server).length === 2))
      }).pipe(Effect.provide(layer(server)))
      const keyed = invocations(server).filter((each) => at(each, "params", "idempotency_key") !== undefined)
      assert.deepStrictEqual(
        cancellations(server),
        keyed.map((each) => ({ requestId: at(each, "id"), session_id: "s-1" }))
      )
      assert.deepStrictEqual(methods(server)[2], ["notifications/cancelled", "notifications/cancelled"])
    }).pipe(within("the end")))
})

describe("a batch over HTTP whose answer", () => {
  /** Spoils the answer to the first batch. */
  const spoiling = (spoil: (response: ServerResponse, text: string) => void, answer = gateway(() => known)) =>
    Effect.suspend(() => {
      let spoilt = false
      return rpcServer((text, response) => {
        if (!isArray(text) || spoilt) return answer(text, response)
        spoilt = true
        spoil(response, text)
      })
    })

  it.scopedLive("never comes: what may be repeated is sent again, together, and nothing else", () =>
    Effect.gen(function*() {
      const server = yield* spoiling((response) => response.destroy())
      const tags = yield* Effect.provide(mixed, layer(server))
      assert.deepStrictEqual(tags, ["answered", "OutcomeUnknown", "answered", "OutcomeUnknown"])
      assert.strictEqual(bodiesOfInvocations(server), 2)
      assert.deepStrictEqual(capabilitiesOf(invocations(server).slice(4)), ["filesystem.stat", "filesystem.stat"])
    }).pipe(within("the answers")))

  it.scopedLive("never comes: what has a key is sent again with it", () =>
    Effect.gen(function*() {
      const server = yield* spoiling(
        (response) => response.destroy(),
        answering((method) =>
          method === "session.create"
            ? { result: { ...created().result, features: { native: {}, idempotency: { record_id: "r" } } } }
            : known
        )
      )
      const tags = yield* Effect.provide(mixed, layer(server))
      assert.deepStrictEqual(tags, ["answered", "answered", "answered", "answered"])
      const keys = invocations(server).map((each) => at(each, "params", "idempotency_key"))
      assert.strictEqual(keys.length, 8)
      assert.deepStrictEqual(keys.slice(4), keys.slice(0, 4))
      assert.strictEqual(new Set(keys).size, 3)
    }).pipe(within("the answers")))

  it.scopedLive("refuses arrays: all go by themselves from then on, once each, for nothing was run", () =>
    Effect.gen(function*() {
      const server = yield* rpcServer((text, response) => {
        if (!isArray(text)) return gateway(() => known)(text, response)
        response.end(JSON.stringify({ jsonrpc: "2.0", id: null, error: { code: -32600, message: "no batches here" } }))
      })
      const tags = yield* Effect.provide(Effect.zip(mixed, mixed), layer(server))
      assert.deepStrictEqual(tags.flat(), Array.from({ length: 8 }, () => "answered"))
      assert.strictEqual(server.requests.filter(({ text }) => isArray(text)).length, 1)
      assert.strictEqual(bodiesOfInvocations(server), 1 + 8)
    }).pipe(within("the answers")))

  it.scopedLive("is no array, nor a refusal: nothing that is not safe is repeated, and from then on all go by themselves", () =>
    Effect.gen(function*() {
      const server = yield* spoiling((response) => response.writeHead(400).end("<html>Bad Request</html>"))
      const [first, second] = yield* Effect.provide(Effect.zip(mixed, mixed), layer(server))
      assert.deepStrictEqual(first, ["answered", "OutcomeUnknown", "answered", "OutcomeUnknown"])
      assert.deepStrictEqual(second, Array.from({ length: 4 }, () => "answered"))
      assert.strictEqual(bodiesOfInvocations(server), 1 + 2 + 4)
      assert.strictEqual(server.requests.filter(({ text }) => isArray(text)).length, 1)
    }).pipe(within("the answers")))

  it.scopedLive("is that of one of them: that one has it", () =>
    Effect.gen(function*() {
      const server = yield* spoiling((response, text) => {
        const [, call]: ReadonlyArray<unknown> = JSON.parse(text)
        response.end(JSON.stringify({ jsonrpc: "2.0", id: at(call, "id"), ...known }))
      })
      const tags = yield* Effect.provide(mixed, layer(server))
      assert.deepStrictEqual(tags, ["answered", "answered", "answered", "OutcomeUnknown"])
    }).pipe(within("the answers")))

  it.scopedLive("has more than answers to them: each has the first that is its own", () =>
    Effect.gen(function*() {
      const server = yield* spoiling((response, text) => {
        const calls: ReadonlyArray<unknown> = JSON.parse(text)
        const answers = calls.flatMap((call) => {
          const of = { jsonrpc: "2.0", id: at(call, "id") }
          return [{ ...of, method: "ping" }, { ...of, ...known }, { ...of, error: { code: -32603, message: "twice" } }]
        })
        const strangers = [{ jsonrpc: "2.0", id: 999, ...known }, { jsonrpc: "2.0", id: null, ...known }, 7, null]
        response.end(JSON.stringify([...strangers, ...answers, ...strangers]))
      })
      const tags = yield* Effect.provide(mixed, layer(server))
      assert.deepStrictEqual(tags, Array.from({ length: 4 }, () => "answered"))
      assert.strictEqual(bodiesOfInvocations(server), 1)
    }).pipe(within("the answers")))

  it.scopedLive("says that there are too many: nothing was run, and what may be asked again is, when that is said", () =>
    Effect.gen(function*() {
      const server = yield* spoiling((response) => response.writeHead(429, { "retry-after": "1" }).end("<html>"))
      const [first, second] = yield* Effect.provide(Effect.zip(mixed, mixed), layer(server))
      assert.deepStrictEqual(first, ["answered", "RateLimited", "answered", "RateLimited"])
      assert.deepStrictEqual(second, Array.from({ length: 4 }, () => "answered"))
      // Each waits by itself, so that they need not go together.
      assert.strictEqual(invocations(server).length, 4 + 2 + 4)
    }).pipe(within("the answers")))

  it.scopedLive("is said in between: the next ones go together again", () =>
    Effect.gen(function*() {
      const server = yield* spoiling((response) => response.writeHead(502).end("<html>Bad Gateway</html>"))
      const [first, second] = yield* Effect.provide(Effect.zip(mixed, mixed), layer(server))
      assert.deepStrictEqual(first, ["answered", "OutcomeUnknown", "answered", "OutcomeUnknown"])
      assert.deepStrictEqual(second, Array.from({ length: 4 }, () => "answered"))
      assert.strictEqual(bodiesOfInvocations(server), 3)
    }).pipe(within("the answers")))

  it.scopedLive("is an error about all of them: each fails with it", () =>
    Effect.gen(function*() {
      const error = { code: -32603, message: "no", data: { type: "SessionPaused", message: "paused" } }
      const server = yield* spoiling((response) => response.end(JSON.stringify({ jsonrpc: "2.0", id: null, error })))
      const [first, second] = yield* Effect.provide(Effect.zip(mixed, mixed), layer(server))
      assert.deepStrictEqual(first, Array.from({ length: 4 }, () => "SessionPaused"))
      assert.deepStrictEqual(second, Array.from({ length: 4 }, () => "answered"))
      assert.strictEqual(bodiesOfInvocations(server), 2)
    }).pipe(within("the answers")))

  it.scopedLive("refuses the key: nobody is asked again", () =>
    Effect.gen(function*() {
      const server = yield* spoiling((response) => response.writeHead(401).end())
      const tags = yield* Effect.provide(mixed, layer(server))
      assert.deepStrictEqual(tags, Array.from({ length: 4 }, () => "AuthenticationFailed"))
      assert.strictEqual(bodiesOfInvocations(server), 1)
    }).pipe(within("the failures")))
})
