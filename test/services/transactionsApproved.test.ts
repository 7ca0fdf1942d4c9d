import { assert, describe, it } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { Approvals, Capabilities, Capability, Catalogue, Transaction } from "kruxos"
import { LocalGateway } from "kruxos/local"
import { NodeGateway } from "kruxos/node"
import { makeWorkspace } from "../suites/GatewayLayer.js"
import { within } from "../support/deadline.js"
import { decide } from "../support/supervisor.js"

const catalogue = Catalogue.make(
  Capability.make("shop.order", {
    tier: "autonomous",
    tags: ["shop"],
    inputs: { item: Schema.String },
    outputs: { order: Schema.Number },
    errors: {},
    sideEffects: ["not reversible"]
  }),
  Capability.make("shop.cancel", {
    tier: "autonomous",
    tags: ["shop"],
    inputs: { order: Schema.Number },
    outputs: {},
    errors: {},
    sideEffects: ["not reversible"]
  })
)

const path = "/workspace/notes/one.txt"

const quiet = Logger.minimumLogLevel(LogLevel.Warning)

/** A gateway with a shop, an agent over the given transport, and a human. */
const served = (transport: "websocket" | "http") =>
  Effect.gen(function*() {
    const workspace = yield* makeWorkspace
    const orders: Array<string> = []
    const shop = LocalGateway.pack(catalogue, {
      "shop.order": ({ item }) => Effect.sync(() => ({ order: orders.push(item) })),
      "shop.cancel": ({ order }) =>
        Effect.sync(() => {
          orders[order - 1] = "cancelled"
          return {}
        })
    })
    const gateway = yield* LocalGateway.serve({ workspace, dataDirectory: ":memory:", port: 0, packs: [shop] }).pipe(
      Effect.provide(quiet)
    )
    const human = { api: gateway.api, supervisorToken: Redacted.value(gateway.supervisorToken) }
    const services = yield* Layer.build(NodeGateway.layer({ host: gateway.url, apiKey: gateway.apiKey, transport }))
    const provided = <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.provide(self, services)
    const next = Effect.flatMap(Approvals, (approvals) => approvals.list({ status: "pending" })).pipe(
      Effect.flatMap((all) => Arr.head(all.map(({ approvalId }) => approvalId))),
      Effect.retry(Schedule.spaced("20 millis")),
      within("a request"),
      provided
    )
    const exists = Effect.flatMap(Capabilities, ({ invoke }) => invoke("filesystem.stat", { path })).pipe(
      Effect.map((stat) => stat.exists),
      provided
    )
    return {
      provided,
      orders,
      exists,
      judge: (verdict: "approve" | "reject") => Effect.flatMap(next, (id) => decide(human, id, verdict))
    }
  })

const replace = Effect.gen(function*() {
  const { invoke } = yield* Capabilities
  yield* invoke("filesystem.write", { path: "/workspace/new.txt", content: "new" })
  yield* invoke("filesystem.delete", { path })
})

describe.each(["websocket", "http"] as const)("a transaction over %s", (transport) => {
  it.scopedLive(
    "has what a human approves among its steps, and the time for it does not count",
    () =>
      Effect.gen(function*() {
        const { exists, judge, provided } = yield* served(transport)
        const run = <A, E>(more: Effect.Effect<A, E>) =>
          replace.pipe(
            Effect.zipRight(more),
            Approvals.awaitApproval(),
            (self) => Transaction.run(self, { timeout: "2 seconds" }),
            provided
          )
        const failing = yield* Effect.fork(Effect.flip(run(Effect.fail("no"))))
        yield* Effect.sleep("2200 millis")
        yield* judge("approve")
        assert.strictEqual(yield* Fiber.join(failing), "no")
        assert.isTrue(yield* exists)

        const running = yield* Effect.fork(run(Effect.void))
        yield* judge("approve")
        yield* Fiber.join(running)
        assert.isFalse(yield* exists)
      }),
    60_000
  )

  it.scopedLive("is rolled back when a human refuses a step", () =>
    Effect.gen(function*() {
      const { exists, judge, provided } = yield* served(transport)
      const running = yield* replace.pipe(
        Approvals.awaitApproval(),
        Transaction.run,
        Effect.flip,
        provided,
        Effect.fork
      )
      yield* judge("reject")
      assert.strictEqual((yield* Fiber.join(running))._tag, "ApprovalRejected")
      assert.isTrue(yield* exists)
      const { invoke } = yield* provided(Capabilities)
      assert.isFalse((yield* invoke("filesystem.stat", { path: "/workspace/new.txt" })).exists)
    }))

  it.scopedLive("does not order what cannot be cancelled, unless it is told how to", () =>
    Effect.gen(function*() {
      const { orders, provided } = yield* served(transport)
      const { invoke } = yield* provided(Capabilities.withCatalogue(catalogue))
      const plain = Transaction.run(invoke("shop.order", { item: "book" }))
      assert.strictEqual((yield* provided(Effect.flip(plain)))._tag, "NotReversible")
      assert.deepStrictEqual(orders, [])
      const order = invoke("shop.order", { item: "book" }, {
        compensate: ({ order }) => invoke("shop.cancel", { order })
      })
      yield* provided(Transaction.run(order))
      assert.strictEqual(
        yield* Transaction.run(Effect.zipRight(order, Effect.fail("no"))).pipe(Effect.flip, provided),
        "no"
      )
      assert.deepStrictEqual(orders, ["book", "cancelled"])
    }))
})
