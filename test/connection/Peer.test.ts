import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { type CloseInfo, type Duplex, maximumFrameBytes } from "../../src/connection/Duplex.js"
import { makePair } from "../../src/connection/memory.js"
import * as Peer from "../../src/connection/Peer.js"
import { notified, requests, serveOn, settled } from "../support/scriptedGateway.js"

const silent: Peer.PeerHandlers = {
  onRequest: () => {},
  onNotification: () => {},
  onOther: () => {},
  onClose: () => {}
}

/** A peer over one end of a pair in memory; the other end records what comes, and says what the test tells it to. */
const connected = (handlers: Partial<Peer.PeerHandlers> = {}) =>
  Effect.gen(function*() {
    const [client, other] = makePair()
    const server = serveOn(other, () => {})
    const peer = yield* Peer.make(client, () => ({ ...silent, ...handlers }))
    return { peer, server, client }
  })

const asks = (peer: Peer.Peer, timeoutMillis = 1000) =>
  Effect.fork(Effect.either(peer.request("m", { a: 1 }, timeoutMillis))).pipe(Effect.tap(settled))

describe("Peer", () => {
  it.scoped("asks, and is answered by id, whatever the order", () =>
    Effect.gen(function*() {
      const { peer, server } = yield* connected()
      const fibers = yield* Effect.forEach([0, 1, 2], () => asks(peer))
      const [first, second, third] = requests(server)
      assert.deepStrictEqual(first?.params, { a: 1 })
      server.answer(third?.id ?? 0, "third")
      server.answer(first?.id ?? 0, "first")
      server.answer(second?.id ?? 0, "second")
      const answers = yield* Effect.forEach(fibers, (fiber) => Effect.flatten(Fiber.join(fiber)))
      assert.deepStrictEqual(answers, ["first", "second", "third"])
    }))

  it.scoped("ignores answers to nothing: other ids, ids as text, id 0, no id, a second answer", () =>
    Effect.gen(function*() {
      const { peer, server } = yield* connected()
      const fiber = yield* asks(peer)
      const id = requests(server)[0]?.id ?? 0
      server.answer(0, "zero")
      server.answer(`${id}`, "text")
      server.answer(99, "other")
      server.refuse(null, { code: -32700, message: "whose?" })
      server.send(JSON.stringify({ jsonrpc: "2.0", result: "nobody's" }))
      yield* settled
      assert.strictEqual(yield* Fiber.poll(fiber).pipe(Effect.map((exit) => exit._tag)), "None")
      server.answer(id, "right")
      server.answer(id, "again")
      server.refuse(id, { code: 1, message: "again" })
      assert.strictEqual(yield* Effect.flatten(Fiber.join(fiber)), "right")
    }))

  it.scoped("gives an error as it came, also one without a message", () =>
    Effect.gen(function*() {
      const { peer, server } = yield* connected()
      const fiber = yield* asks(peer)
      server.send(JSON.stringify({ jsonrpc: "2.0", id: requests(server)[0]?.id, error: { code: -32000 } }))
      const failure = yield* Effect.flip(Effect.flatten(Fiber.join(fiber)))
      assert.strictEqual(failure._tag, "RpcFailure")
      assert.deepStrictEqual(failure._tag === "RpcFailure" ? failure.error : undefined, {
        code: -32000,
        message: "",
        data: undefined
      })
    }))

  it.scoped("gives up at the deadline, tells the other side, and ignores what comes later", () =>
    Effect.gen(function*() {
      const { peer, server } = yield* connected()
      const fiber = yield* asks(peer, 1000)
      const id = requests(server)[0]?.id ?? 0
      yield* TestClock.adjust("999 millis")
      assert.strictEqual(yield* Fiber.poll(fiber).pipe(Effect.map((exit) => exit._tag)), "None")
      assert.deepStrictEqual(notified(server, "notifications/cancelled"), [])
      yield* TestClock.adjust("1 millis")
      const failure = yield* Effect.flip(Effect.flatten(Fiber.join(fiber)))
      assert.deepInclude(failure, { _tag: "DeadlinePassed", timeoutMillis: 1000, sent: true })
      yield* settled
      assert.deepStrictEqual(notified(server, "notifications/cancelled"), [
        { requestId: id, reason: "the deadline has passed" }
      ])
      server.answer(id, "late")
      yield* settled
    }))

  it.scoped("keeps every deadline, however many and in whatever order they are set", () =>
    Effect.gen(function*() {
      const { peer } = yield* connected()
      const order: Array<number> = []
      const times = [5000, 100, 3000, 100, 20, 60_000]
      const fibers = yield* Effect.forEach(times, (time) =>
        Effect.fork(Effect.ensuring(
          Effect.either(peer.request("m", {}, time)),
          Effect.sync(() => order.push(time))
        )).pipe(
          Effect.tap(settled)
        ))
      yield* TestClock.adjust("20 millis")
      yield* settled
      assert.deepStrictEqual(order, [20])
      yield* TestClock.adjust("80 millis")
      yield* settled
      assert.deepStrictEqual(order, [20, 100, 100])
      yield* TestClock.adjust("1 minute")
      yield* Fiber.joinAll(fibers)
      assert.deepStrictEqual(order, [20, 100, 100, 3000, 5000, 60_000])
    }))

  it.scoped("tells the other side when the caller gives up", () =>
    Effect.gen(function*() {
      const { peer, server } = yield* connected()
      const fiber = yield* asks(peer)
      yield* Fiber.interrupt(fiber)
      yield* settled
      const id = requests(server)[0]?.id
      assert.deepStrictEqual(notified(server, "notifications/cancelled"), [
        { requestId: id, reason: "the caller no longer waits" }
      ])
    }))

  it.scoped("tells nobody when the answer was there before the caller gave up", () =>
    Effect.gen(function*() {
      const { peer, server } = yield* connected()
      const fiber = yield* asks(peer)
      server.answer(requests(server)[0]?.id ?? 0, 1)
      yield* settled
      yield* Fiber.interrupt(fiber)
      yield* settled
      assert.deepStrictEqual(notified(server, "notifications/cancelled"), [])
    }))

  it.scoped("drops what was sent when the other side closes, and sends nothing after", () =>
    Effect.gen(function*() {
      const order: Array<string> = []
      const { peer, server } = yield* connected({ onClose: () => order.push("closed") })
      const fiber = yield* Effect.fork(Effect.either(Effect.tapError(
        peer.request("m", {}, 1000),
        () => Effect.sync(() => order.push("dropped"))
      )))
      yield* settled
      server.close(1001, "going away")
      const failure = yield* Effect.flip(Effect.flatten(Fiber.join(fiber)))
      assert.deepInclude(failure, { _tag: "Dropped", sent: true, info: { code: 1001, reason: "going away" } })
      assert.deepStrictEqual(order, ["closed", "dropped"])
      const later = yield* Effect.flip(peer.request("m", {}, 1000))
      assert.deepInclude(later, { _tag: "Dropped", sent: false })
    }))

  it.scoped("drops all in flight when one of the answers makes the handler close", () =>
    Effect.gen(function*() {
      const { peer, server } = yield* connected()
      const first = yield* Effect.fork(Effect.either(
        Effect.tap(peer.request("m", {}, 1000), () => Effect.sync(() => peer.close(1000, "enough")))
      ))
      const second = yield* asks(peer)
      server.answer(requests(server)[0]?.id ?? 0, 1)
      assert.isTrue((yield* Fiber.join(first))._tag === "Right")
      const failure = yield* Effect.flip(Effect.flatten(Fiber.join(second)))
      assert.strictEqual(failure._tag, "Dropped")
    }))

  it.effect("drops what is in flight when its scope closes", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const { peer } = yield* Scope.extend(connected(), scope)
      const fiber = yield* asks(peer)
      yield* Scope.close(scope, Exit.void)
      const failure = yield* Effect.flip(Effect.flatten(Fiber.join(fiber)))
      assert.deepInclude(failure, { _tag: "Dropped", sent: true })
      const later = yield* Effect.flip(peer.request("m", {}, 1000))
      assert.deepInclude(later, { _tag: "Dropped", sent: false })
    }))

  it.scoped("tells the other side to stop what is still asked when it closes", () =>
    Effect.gen(function*() {
      const { peer, server } = yield* connected()
      const [first, second] = [yield* asks(peer), yield* asks(peer)]
      const ids = requests(server).map(({ id }) => id)
      server.answer(ids[0] ?? 0, "answered")
      yield* settled
      peer.close(1000, "enough")
      yield* settled
      assert.deepStrictEqual(notified(server, "notifications/cancelled"), [
        { requestId: ids[1], reason: "the connection is being closed" }
      ])
      assert.isTrue(server.isClosed())
      assert.strictEqual(yield* Effect.flatten(Fiber.join(first)), "answered")
      assert.strictEqual((yield* Effect.flip(Effect.flatten(Fiber.join(second))))._tag, "Dropped")
    }))

  it.scoped("says of what a closing socket did not take that it was not sent", () =>
    Effect.gen(function*() {
      let close: (info: CloseInfo) => void = () => {}
      const closing: Duplex = {
        send: () => false,
        bufferedBytes: () => 0,
        close: () => {},
        abort: () => {},
        ping: undefined,
        listen: ({ onClose }) => {
          close = onClose
        }
      }
      const peer = yield* Peer.make(closing, () => silent)
      const fiber = yield* asks(peer)
      assert.strictEqual(yield* Fiber.poll(fiber).pipe(Effect.map((exit) => exit._tag)), "None")
      close({ code: 1000, reason: "" })
      const failure = yield* Effect.flip(Effect.flatten(Fiber.join(fiber)))
      assert.deepInclude(failure, { _tag: "Dropped", sent: false })
    }))

  it.scoped("refuses what is no JSON, and what is too large, and sends neither", () =>
    Effect.gen(function*() {
      const { peer, server } = yield* connected()
      const cyclic: Record<string, unknown> = {}
      cyclic["self"] = cyclic
      const throwing = { toJSON: () => assert.fail("on purpose") }
      const large = "x".repeat(maximumFrameBytes)
      // Few enough characters, and too many bytes.
      const wide = "ä".repeat(maximumFrameBytes / 2 + 1)
      for (const params of [{ n: 1n }, cyclic, throwing, { large }, { wide }]) {
        const failure = yield* Effect.flip(peer.request("m", params, 1000))
        assert.strictEqual(failure._tag, "Unsendable")
      }
      yield* settled
      assert.deepStrictEqual(server.received, [])
    }))

  it.scoped("sends what just fits", () =>
    Effect.gen(function*() {
      const { peer, server } = yield* connected()
      const frame = (text: string) => JSON.stringify({ jsonrpc: "2.0", id: 1, method: "m", params: { text } })
      const text = "x".repeat(maximumFrameBytes - frame("").length)
      const fiber = yield* Effect.fork(peer.request("m", { text }, 1000))
      yield* settled
      server.answer(1, "fits")
      assert.strictEqual(yield* Fiber.join(fiber), "fits")
    }))

  it.scoped("hands on requests, notifications, and what is neither", () =>
    Effect.gen(function*() {
      const seen: Array<string> = []
      const { server } = yield* connected({
        onRequest: ({ id, method }) => seen.push(`request ${id} ${method}`),
        onNotification: ({ method }) => seen.push(`notification ${method}`),
        onOther: (frame) => seen.push(frame === "binary" ? frame : frame._tag)
      })
      server.ask(0, "zero")
      server.ask("a", "letter")
      server.notify("told")
      server.send("nonsense")
      server.send("[{\"jsonrpc\":\"2.0\",\"method\":\"m\"}]")
      yield* settled
      assert.deepStrictEqual(seen, ["request 0 zero", "request a letter", "notification told", "Invalid", "Batch"])
    }))

  it.scoped("leaves no timer when it is idle", () =>
    Effect.gen(function*() {
      const { peer, server } = yield* connected()
      yield* settled
      assert.strictEqual(Chunk.size(yield* TestClock.sleeps()), 0)
      const fiber = yield* asks(peer, 1000)
      assert.strictEqual(Chunk.size(yield* TestClock.sleeps()), 1)
      server.answer(requests(server)[0]?.id ?? 0, 1)
      yield* Fiber.join(fiber)
      yield* TestClock.adjust("1 second")
      yield* settled
      assert.strictEqual(Chunk.size(yield* TestClock.sleeps()), 0)
    }))

  it.scoped("has one timer for calls that end one after another", () =>
    Effect.gen(function*() {
      const { peer } = yield* connected()
      yield* Effect.forEach(Array.from({ length: 50 }, (_, index) => 1000 + index), (time) => asks(peer, time))
      assert.strictEqual(Chunk.size(yield* TestClock.sleeps()), 1)
    }))

  it.scoped("waits without end when told to", () =>
    Effect.gen(function*() {
      const { peer, server } = yield* connected()
      const fiber = yield* asks(peer, Infinity)
      yield* TestClock.adjust("365 days")
      server.answer(requests(server)[0]?.id ?? 0, "at last")
      assert.strictEqual(yield* Effect.flatten(Fiber.join(fiber)), "at last")
    }))
})
