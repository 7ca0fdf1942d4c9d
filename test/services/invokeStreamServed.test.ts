import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { Approvals, Capabilities, type InvocationEvent, Transaction } from "kruxos"
import { NodeGateway } from "kruxos/node"
import { letOthersRun } from "../../src/local/letOthersRun.js"
import { serveCustom } from "../local/protocol/customGateway.js"
import { until, within } from "../support/deadline.js"
import { serve, type TestGateway } from "../support/gateway.js"
import { at } from "../support/json.js"
import { decide } from "../support/supervisor.js"

const connected = ({ key, url }: TestGateway, transport: "websocket" | "http" = "websocket") =>
  Layer.build(NodeGateway.layer({ host: url, apiKey: Redacted.make(key), transport }))

const completedOf = (event: InvocationEvent<unknown> | undefined) =>
  event?._tag === "Completed" ? at(event.output, "text") : assert.fail("it has not completed")

const lines = 20_000

/** Reports more, and longer, lines than fit into what may be unsent, as fast as it can, and then says that it is done. */
const talking = (onDone: () => void = () => {}) =>
  serveCustom({
    builtIn: false,
    run: (text, { progress }) =>
      text !== "talk" ? Effect.succeed(text) : Effect.gen(function*() {
        for (let line = 1; line <= lines; line++) {
          progress?.({ progress: line, total: lines, message: `${line} ${"x".repeat(1000)}` })
          if (line % 100 === 0) yield* letOthersRun
        }
        onDone()
        return text
      })
  })

describe("invokeStream over a WebSocket", () => {
  it.scopedLive(
    "gives lines in their order, and holds nobody up for who does not read them",
    () =>
      Effect.gen(function*() {
        let isDone = false
        const services = yield* connected(
          yield* talking(() => {
            isDone = true
          })
        )
        const { invokeDynamic, invokeDynamicStream } = yield* Effect.provide(Capabilities, services)
        const [reading, goOn] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
        const seen: Array<InvocationEvent<unknown>> = []
        const fiber = yield* Effect.fork(Stream.runForEach(
          invokeDynamicStream("test.run", { text: "talk" }),
          (event) =>
            Effect.sync(() => seen.push(event)).pipe(
              Effect.zipRight(Deferred.succeed(reading, undefined)),
              Effect.zipRight(Deferred.await(goOn))
            )
        ))
        yield* within("the first line")(Deferred.await(reading))
        assert.deepStrictEqual(
          yield* within("another answer")(invokeDynamic("test.run", { text: "other" })),
          { text: "other" }
        )
        yield* until("the end of the work", Effect.sync(() => isDone))
        yield* Deferred.succeed(goOn, undefined)
        yield* within("the end")(Fiber.join(fiber))
        assert.strictEqual(completedOf(seen.at(-1)), "talk")
        const counts = seen.flatMap((event) => event._tag === "Progress" ? [event.progress] : [])
        assert.deepStrictEqual(counts, counts.toSorted((one, other) => one - other))
        assert.strictEqual(counts.at(-1), lines)
        assert.isBelow(counts.length, 1000)
        for (const event of seen) {
          if (event._tag === "Progress") {
            assert.strictEqual(event.total, lines)
            assert.match(event.message ?? "", new RegExp(`^${event.progress} x+$|messages are left out`))
          }
        }
      }),
    20_000
  )

  it.scopedLive("stops what runs when nobody reads any more", () =>
    Effect.gen(function*() {
      const ended: Array<string> = []
      const served = yield* serveCustom({
        builtIn: false,
        run: (text, { progress }) => {
          progress?.({ progress: 1 })
          return Effect.ensuring(Effect.never, Effect.sync(() => ended.push(text)))
        }
      })
      const { invokeDynamicStream } = yield* Effect.provide(Capabilities, yield* connected(served))
      yield* within("the first event")(Stream.runHead(invokeDynamicStream("test.run", { text: "taken" })))
      yield* until("its end", Effect.sync(() => ended.includes("taken")))
    }))
})

describe("invokeStream over HTTP", () => {
  it.scopedLive("gives the output, and nothing else", () =>
    Effect.gen(function*() {
      const { invokeDynamicStream } = yield* Effect.provide(Capabilities, yield* connected(yield* talking(), "http"))
      const events = Chunk.toReadonlyArray(
        yield* within("the end")(Stream.runCollect(invokeDynamicStream("test.run", { text: "talk" })))
      )
      assert.deepStrictEqual(events.map((event) => event._tag), ["Completed"])
      assert.strictEqual(completedOf(events[0]), "talk")
    }))
})

describe("invokeStream in a region", () => {
  it.scopedLive("is a step of the transaction that it is run in", () =>
    Effect.gen(function*() {
      const services = yield* connected(yield* serve())
      yield* Effect.gen(function*() {
        const { invoke, invokeStream } = yield* Capabilities
        const write = (path: string) => Stream.runLast(invokeStream("filesystem.write", { path, content: "x" }))
        const exists = (path: string) => Effect.map(invoke("filesystem.stat", { path }), (status) => status.exists)
        yield* Transaction.run(write("kept.txt"))
        const failed = yield* Effect.either(
          Transaction.run(Effect.zipRight(write("undone.txt"), Effect.fail("enough")))
        )
        assert.strictEqual(failed._tag, "Left")
        assert.deepStrictEqual([yield* exists("kept.txt"), yield* exists("undone.txt")], [true, false])
      }).pipe(Effect.provide(services))
    }), 20_000)

  it.scopedLive(
    "waits for approval inside awaitApproval, around the stream or around what runs it",
    () =>
      Effect.gen(function*() {
        const served = yield* serve()
        const services = yield* connected(served)
        const approved = Effect.gen(function*() {
          const { list } = yield* Approvals
          const pending = list({ status: "pending" })
          yield* until("a request", Effect.map(pending, ({ length }) => length === 1))
          yield* Effect.forEach(yield* pending, ({ approvalId }) => decide(served, approvalId, "approve"))
        })
        yield* Effect.gen(function*() {
          const { invoke, invokeStream } = yield* Capabilities
          const removal = invokeStream("filesystem.delete", { path: "a.txt" })
          for (
            const waiting of [
              removal.pipe(Approvals.awaitApproval({ timeout: "10 seconds" }), Stream.runLast),
              removal.pipe(Stream.runLast, Approvals.awaitApproval({ timeout: "10 seconds" }))
            ]
          ) {
            yield* invoke("filesystem.write", { path: "a.txt", content: "x" })
            const [last] = yield* Effect.all([waiting, approved], { concurrency: "unbounded" })
            assert.strictEqual(last._tag === "Some" ? last.value._tag : undefined, "Completed")
            assert.isFalse((yield* invoke("filesystem.stat", { path: "a.txt" })).exists)
          }
        }).pipe(Effect.provide(services))
      }),
    30_000
  )
})
