import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { InvocationEvent } from "kruxos"
import { collected } from "../connection/linkSupport.js"
import { at } from "../support/json.js"
import {
  type Asked,
  initialized,
  make,
  native,
  notified,
  requests,
  type ServerSide,
  settled
} from "../support/scriptedGateway.js"
import { capabilitiesOf, failure, json, mcpGateway, success } from "./support.js"

const path = "/workspace/a.txt"
const output = { exists: true }
const completed = InvocationEvent.Completed({ output })

const counted = (progress: number, total?: number, message?: string) =>
  InvocationEvent.Progress({ progress, total, message })

/** A gateway that can tell progress, whose answers to invocations are the test's. */
const telling = (
  onInvoke: (request: Asked, server: ServerSide, token: unknown) => void = () => {},
  features: object = { ...native, progress: {} }
) =>
  make(
    initialized((request, server) => onInvoke(request, server, at(request.params, "_meta", "progressToken")), features)
  )

const tell = (server: ServerSide | undefined, progressToken: unknown, params: object) =>
  server?.notify("notifications/progress", { progressToken, ...params })

const eventsOf = <A, E>(stream: Stream.Stream<A, E>) => Effect.map(Stream.runCollect(stream), Chunk.toReadonlyArray)

describe("invokeStream", () => {
  it.scoped("gives progress as it comes, and then the output", () =>
    Effect.gen(function*() {
      const gateway = telling()
      const { invokeStream } = yield* capabilitiesOf(gateway)
      const { fiber, seen } = yield* collected(invokeStream("filesystem.stat", { path }))
      const [server] = gateway.connections
      const [request] = requests(server)
      const token = at(request?.params, "_meta", "progressToken")
      tell(server, token, { progress: 1 })
      yield* settled
      assert.deepStrictEqual(seen, [counted(1)])
      tell(server, token, { progress: 2, total: 4, message: "a line" })
      tell(server, token, { progress: 3, total: null, message: null })
      yield* settled
      assert.deepStrictEqual(seen, [counted(1), counted(2, 4, "a line"), counted(3)])
      server?.answer(request?.id ?? "", success(output))
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(seen.slice(3), [completed])
    }))

  it.scoped("ends with the failure of the invocation", () =>
    Effect.gen(function*() {
      const { invokeStream } = yield* capabilitiesOf(telling((request, server, token) => {
        tell(server, token, { progress: 1 })
        server.answer(request.id, failure({ error_type: "FileNotFound", message: "none" }))
      }))
      const seen: Array<unknown> = []
      const error = yield* Effect.flip(
        Stream.runForEach(invokeStream("filesystem.stat", { path }), (event) => Effect.sync(() => seen.push(event)))
      )
      assert.strictEqual(error.type, "FileNotFound")
      assert.deepStrictEqual(seen, [counted(1)])
      const refused = yield* Effect.flip(eventsOf(invokeStream("filesystem.read", { path, offset: -1 })))
      assert.strictEqual(refused._tag, "InvalidInput")
    }))

  it.scoped("ignores what is malformed, does not grow, or is of another call", () =>
    Effect.gen(function*() {
      const gateway = telling((request, server, token) => {
        tell(server, token, { progress: 5 })
        const hostile: ReadonlyArray<unknown> = [
          undefined,
          null,
          [],
          7,
          {},
          { progressToken: token },
          ...[4, 5, "6", null, Number.NaN, {}].map((progress) => ({ progressToken: token, progress })),
          ...["1", {}, true].map((total) => ({ progressToken: token, progress: 6, total })),
          ...[7, {}, ["x"]].map((message) => ({ progressToken: token, progress: 6, message })),
          ...[String(token), Number(token) + 1, -1, null, {}].map((progressToken) => ({
            progressToken,
            progress: 6
          }))
        ]
        for (const params of hostile) server.notify("notifications/progress", params)
        server.send(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1e999}}`)
        tell(server, token, { progress: 6.5, unknown: true })
        server.answer(request.id, success(output))
      })
      const { invoke, invokeStream } = yield* capabilitiesOf(gateway)
      const events = yield* eventsOf(invokeStream("filesystem.stat", { path }))
      assert.deepStrictEqual(events.slice(-1), [completed])
      assert.deepStrictEqual(events.slice(0, -1), [counted(6.5)])
      const [server] = gateway.connections
      tell(server, at(requests(server)[0]?.params, "_meta", "progressToken"), { progress: 100 })
      // The connection has taken no harm.
      assert.strictEqual((yield* invoke("filesystem.stat", { path })).exists, true)
    }))

  it.scoped("gives every call a token of its own", () =>
    Effect.gen(function*() {
      const gateway = telling()
      const { invokeStream } = yield* capabilitiesOf(gateway)
      const calls = yield* Effect.forEach([1, 2, 3], () => collected(invokeStream("filesystem.stat", { path })))
      const [server] = gateway.connections
      const tokens = requests(server).map(({ params }) => at(params, "_meta", "progressToken"))
      assert.strictEqual(new Set(tokens).size, 3)
      for (const token of tokens) tell(server, token, { progress: Number(token) })
      for (const { id } of requests(server)) server?.answer(id, success(output))
      for (const { fiber } of calls) yield* Fiber.join(fiber)
      assert.deepStrictEqual(calls.map(({ seen }) => seen), tokens.map((token) => [counted(Number(token)), completed]))
    }))

  it.scoped("asks for nothing unless it is run, and nothing of a gateway that cannot tell", () =>
    Effect.gen(function*() {
      const gateway = telling((request, server) => server.answer(request.id, success(output)), native)
      const { invoke, invokeStream } = yield* capabilitiesOf(gateway)
      const stream = invokeStream("filesystem.stat", { path })
      assert.deepStrictEqual(requests(gateway.connections[0]), [])
      assert.deepStrictEqual([yield* eventsOf(stream), yield* eventsOf(stream)], [[completed], [completed]])
      yield* invoke("filesystem.stat", { path })
      const asked = requests(gateway.connections[0])
      assert.deepStrictEqual(asked.map(({ params }) => at(params, "_meta")), [undefined, undefined, undefined])
    }))

  it.scoped("invokes tools of MCP too, and `invoke` never asks for progress", () =>
    Effect.gen(function*() {
      const plain = mcpGateway({ call: { filesystem__stat: () => json(output) } })
      const { invokeStream } = yield* capabilitiesOf(plain)
      assert.deepStrictEqual(yield* eventsOf(invokeStream("filesystem.stat", { path })), [completed])
      assert.strictEqual(at(requests(plain.connections[0])[0]?.params, "_meta"), undefined)
      const gateway = telling((request, server, token) => {
        tell(server, token, { progress: 1 })
        server.answer(request.id, json(output))
      }, { progress: {} })
      const able = yield* capabilitiesOf(gateway)
      assert.deepStrictEqual(yield* eventsOf(able.invokeStream("filesystem.stat", { path })), [counted(1), completed])
      yield* able.invoke("filesystem.stat", { path })
      const [first, second] = requests(gateway.connections[0]).map(({ params }) => at(params, "_meta"))
      assert.notStrictEqual(first, undefined)
      assert.strictEqual(second, undefined)
    }))

  it.scoped("stops the invocation when nobody reads any more", () =>
    Effect.gen(function*() {
      const gateway = telling((_request, server, token) => tell(server, token, { progress: 1 }))
      const { invokeStream } = yield* capabilitiesOf(gateway)
      const { fiber } = yield* collected(invokeStream("filesystem.stat", { path }))
      yield* Fiber.interrupt(fiber)
      const first = yield* eventsOf(Stream.take(invokeStream("filesystem.stat", { path }), 1))
      assert.deepStrictEqual(first, [counted(1)])
      // A region that cannot be interrupted does not make the invocation so.
      const last = yield* Effect.uninterruptible(Stream.runHead(invokeStream("filesystem.stat", { path })))
      assert.strictEqual(last._tag, "Some")
      yield* settled
      const [server] = gateway.connections
      assert.deepStrictEqual(
        notified(server, "notifications/cancelled").map((params) => at(params, "requestId")),
        requests(server).map(({ id }) => id)
      )
    }))

  it.scoped("keeps the deadline of its options", () =>
    Effect.gen(function*() {
      const gateway = telling()
      const { invokeStream } = yield* capabilitiesOf(gateway)
      const stream = invokeStream("filesystem.stat", { path }, { timeout: "3 seconds" })
      const waiting = yield* Effect.fork(Effect.flip(eventsOf(stream)))
      yield* settled
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual((yield* Fiber.join(waiting))._tag, "GatewayTimeout")
    }))

  it.scoped("misses what is not read in time, and holds nobody up", () =>
    Effect.gen(function*() {
      const gateway = telling()
      const { invoke, invokeStream } = yield* capabilitiesOf(gateway)
      const [reading, goOn] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const seen: Array<InvocationEvent<unknown>> = []
      const fiber = yield* Effect.fork(Stream.runForEach(
        invokeStream("filesystem.stat", { path }),
        (event) =>
          Effect.sync(() => seen.push(event)).pipe(
            Effect.zipRight(Deferred.succeed(reading, undefined)),
            Effect.zipRight(Deferred.await(goOn))
          )
      ))
      yield* settled
      const [server] = gateway.connections
      const [request] = requests(server)
      const token = at(request?.params, "_meta", "progressToken")
      tell(server, token, { progress: 1 })
      yield* Deferred.await(reading)
      for (let progress = 2; progress <= 1000; progress++) tell(server, token, { progress })
      for (let progress = 1001; progress <= 2000; progress++) tell(server, token, { progress, message: `${progress}` })
      for (let progress = 2001; progress <= 3000; progress++) tell(server, token, { progress })
      const other = yield* Effect.fork(invoke("filesystem.stat", { path }))
      yield* settled
      for (const { id } of requests(server)) server?.answer(id, success(output))
      yield* Fiber.join(other)
      yield* Deferred.succeed(goOn, undefined)
      yield* Fiber.join(fiber)
      const [first, ...rest] = seen.map((event) => event._tag === "Progress" ? event.progress : undefined)
      assert.strictEqual(first, 1)
      assert.deepStrictEqual(rest, [...Array.from({ length: 255 }, (_, index) => 1746 + index), 3000, undefined])
      assert.deepStrictEqual(seen.at(-1), completed)
    }))

  it.scoped("keeps at most 1 Mi characters that are not read, and at least the last line", () =>
    Effect.gen(function*() {
      const gateway = telling((request, server, token) => {
        for (let progress = 1; progress <= 20; progress++) {
          tell(server, token, { progress, message: "x".repeat(400_000) })
        }
        if (at(request.params, "arguments", "path") === "large") {
          tell(server, token, { progress: 21, message: "x".repeat(2_000_000) })
        }
        server.answer(request.id, success(output))
      })
      const { invokeStream } = yield* capabilitiesOf(gateway)
      const progressOf = (of: string) =>
        Effect.map(
          eventsOf(invokeStream("filesystem.stat", { path: of })),
          (events) => events.map((event) => event._tag === "Progress" ? event.progress : undefined)
        )
      assert.deepStrictEqual(yield* progressOf("small"), [19, 20, undefined])
      assert.deepStrictEqual(yield* progressOf("large"), [21, undefined])
    }))

  it.scoped("goes on over the next connection, with a token of that", () =>
    Effect.gen(function*() {
      const gateway = make(
        initialized((_request, server) => server.close(), { ...native, progress: {} }),
        initialized((request, server) => {
          tell(server, at(request.params, "_meta", "progressToken"), { progress: 1 })
          server.answer(request.id, success(output))
        }, { ...native, progress: {} })
      )
      const { invokeStream } = yield* capabilitiesOf(gateway)
      assert.deepStrictEqual(yield* eventsOf(invokeStream("filesystem.stat", { path })), [counted(1), completed])
    }))

  it.scoped("takes names that are known at run time only", () =>
    Effect.gen(function*() {
      const { invokeDynamicStream } = yield* capabilitiesOf(telling((request, server, token) => {
        tell(server, token, { progress: 1 })
        server.answer(request.id, success({ any: "thing" }))
      }))
      assert.deepStrictEqual(yield* eventsOf(invokeDynamicStream("pack.anything")), [
        counted(1),
        InvocationEvent.Completed<unknown>({ output: { any: "thing" } })
      ])
    }))
})
