import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { Capabilities, Gateway } from "kruxos"
import * as fs from "node:fs"
import { AuthenticationFailed } from "../../src/errors/gateway.js"
import { Recorder } from "../../src/testing/recorder/Recorder.js"
import * as Http from "../services/httpSupport.js"
import { success } from "../services/support.js"
import { within } from "../support/deadline.js"
import { at } from "../support/json.js"
import { rpcServer } from "../support/realServers.js"
import { initialized, make, native, settled } from "../support/scriptedGateway.js"
import { cassettePath } from "./recorderGateways.js"
import { record, replay } from "./recorderSupport.js"

const read = Effect.flatMap(Capabilities, ({ invoke }) => invoke("filesystem.read", { path: "a.txt" }))

const write = Effect.flatMap(Capabilities, ({ invoke }) => invoke("filesystem.write", { path: "a.txt", content: "x" }))

const answers: { readonly [capability: string]: object } = {
  "filesystem.read": { content: "x", size: 1, encoding: "utf-8", modified: "2026-01-02T03:04:05Z" },
  "filesystem.write": { path: "/workspace/a.txt", size: 1, checksum: "0".repeat(64) }
}

const dataOf = (params: unknown) => success(answers[String(at(params, "capability"))])

const serving = (experimental: object = native) =>
  initialized(({ id, params }, server) => server.answer(id, dataOf(params)), experimental)

/** Ends the connection when it is to write. */
const dropping = (experimental: object = native) =>
  initialized(
    ({ id, params }, server) =>
      at(params, "capability") === "filesystem.write" ? server.close() : server.answer(id, dataOf(params)),
    experimental
  )

/** All that a value says. */
const told = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

/** What a program does twice is the same, errors and all. */
const holds = <A, E>(
  gateway: Parameters<typeof record>[0],
  program: Effect.Effect<A, E, Capabilities | Gateway | Recorder>
) =>
  Effect.gen(function*() {
    const recorded = yield* record(gateway, program)
    const replayed = yield* replay(recorded.file, Effect.zipLeft(program, Recorder.verify))
    assert.deepStrictEqual(told(replayed), told(recorded.result))
    return recorded
  })

describe("What goes wrong is replayed:", () => {
  it.scoped("a lost connection, and what was on its way", () =>
    Effect.gen(function*() {
      const program = Effect.gen(function*() {
        const { status } = yield* Gateway
        const seen = yield* Effect.fork(Stream.runCollect(Stream.take(status, 3)))
        yield* read
        const error = yield* Effect.flip(write)
        yield* read
        const statuses = Chunk.toReadonlyArray(yield* Fiber.join(seen))
        return {
          error: error._tag,
          statuses: statuses.map((one) => one._tag === "Connected" ? one.lost?.calls ?? "new" : one._tag)
        }
      })
      const { result, text } = yield* holds(make(dropping(), serving()), program)
      assert.deepStrictEqual(result, { error: "OutcomeUnknown", statuses: ["new", "Reconnecting", 1] })
      assert.include(text, "\"dropped\": {")
    }))

  it.scoped("a lost connection, and what is sent again", () =>
    Effect.gen(function*() {
      const keyed = { ...native, idempotency: { record_id: "one" } }
      const program = Effect.all([write, read])
      const { entries } = yield* holds(make(dropping(keyed), serving(keyed)), program)
      assert.strictEqual(entries.filter((entry) => at(entry, "params", "capability") === "filesystem.write").length, 2)
    }))

  it.scoped("the end of all connections", () =>
    Effect.gen(function*() {
      const refused = new AuthenticationFailed({ message: "The agent is revoked" })
      const program = Effect.gen(function*() {
        const { status } = yield* Gateway
        yield* Effect.flip(write)
        yield* Stream.runDrain(status)
        return (yield* Effect.flip(read))._tag
      })
      const { result } = yield* holds(make(dropping(), refused), program)
      assert.strictEqual(result, "AuthenticationFailed")
    }))

  it.scoped("a deadline that passes, by the Clock", () =>
    Effect.gen(function*() {
      const program = Effect.gen(function*() {
        const reading = yield* Effect.fork(Effect.either(read))
        yield* settled
        yield* TestClock.adjust("29 seconds")
        assert.strictEqual((yield* Fiber.poll(reading))._tag, "None")
        yield* TestClock.adjust("2 minutes")
        const result = yield* Fiber.join(reading)
        return Either.isLeft(result) ? result.left._tag : "read"
      })
      const { entries, result } = yield* holds(make(initialized(() => {}, native)), program)
      assert.strictEqual(result, "GatewayTimeout")
      assert.strictEqual(at(entries[1], "answer", "abandoned"), "deadline")
    }))

  it.scoped("an interruption", () =>
    Effect.gen(function*() {
      const program = Effect.gen(function*() {
        const reading = yield* Effect.fork(read)
        yield* settled
        yield* Fiber.interrupt(reading)
        return (yield* write).size
      })
      const gateway = make(initialized(({ id, params }, server) => {
        if (at(params, "capability") === "filesystem.write") server.answer(id, dataOf(params))
      }, native))
      const { entries, result } = yield* holds(gateway, program)
      assert.strictEqual(result, 1)
      assert.strictEqual(at(entries[1], "answer", "abandoned"), "interrupted")
    }))

  it.scoped("what is not JSON, which is not sent and not recorded", () =>
    Effect.gen(function*() {
      const program = Effect.gen(function*() {
        const { invokeDynamic } = yield* Capabilities
        return (yield* Effect.flip(invokeDynamic("pack.run", { big: 1n })))._tag
      })
      const { entries, result } = yield* holds(make(serving()), program)
      assert.strictEqual(result, "InvalidInput")
      assert.strictEqual(entries.filter((entry) => at(entry, "request") !== undefined).length, 0)
    }))

  it.scopedLive("a session that is over, over HTTP", () =>
    Effect.gen(function*() {
      let sessions = 0
      let invocations = 0
      const expired = { error: { code: -32050, message: "over", data: { type: "SessionExpired", message: "over" } } }
      const server = yield* rpcServer(Http.answering((method, params) => {
        if (method === "session.create") return Http.session(`s-${++sessions}`)
        if (method !== "capabilities.invoke") return { result: {} }
        return ++invocations === 2 ? expired : { result: dataOf(params) }
      }))
      const program = Effect.gen(function*() {
        const { session, status } = yield* Gateway
        const before = (yield* session).id
        yield* read
        yield* write
        const now = yield* Stream.runHead(status)
        return { before, now, after: (yield* session).id }
      })
      const file = yield* cassettePath
      const recorded = yield* Effect.provide(program, Recorder.layer(file, Http.layer(server)))
      assert.deepInclude(recorded, { before: "s-1", after: "s-2" })
      const replayed = yield* replay(file, Effect.zipLeft(program, Recorder.verify))
      assert.deepStrictEqual(told(replayed), told(recorded))
      assert.notInclude(fs.readFileSync(file, "utf8"), Http.key)
    }).pipe(within("the replay")))
})

describe("Progress", () => {
  it.scoped("is replayed to the invocation that it is of", () =>
    Effect.gen(function*() {
      const gateway = make(initialized(({ id, params }, server) => {
        const progressToken = at(params, "_meta", "progressToken")
        for (const progress of [1, 2]) {
          server.notify("notifications/progress", {
            progressToken,
            progress,
            message: `${String(at(params, "arguments", "name"))} ${progress}`
          })
        }
        server.answer(id, success({ done: at(params, "arguments", "name") }))
      }, { ...native, progress: {} }))
      const events = (name: string) =>
        Effect.flatMap(
          Capabilities,
          ({ invokeDynamicStream }) => Stream.runCollect(invokeDynamicStream("pack.run", { name }))
        )
      const program = (...names: ReadonlyArray<string>) =>
        Effect.map(
          Effect.forEach(names, events, { concurrency: "unbounded" }),
          (all) =>
            all.map((one) => Chunk.toReadonlyArray(one).map((event) => "message" in event ? event.message : event._tag))
        )
      const { file, result } = yield* record(gateway, program("a", "b"))
      assert.deepStrictEqual(result.map((one) => one.at(-1)), ["Completed", "Completed"])
      // Their tokens change places.
      const replayed = yield* replay(file, Effect.zipLeft(program("b", "a"), Recorder.verify))
      assert.deepStrictEqual(replayed.toReversed(), result)
      assert.include(JSON.stringify(result), "a 2")
    }))
})
