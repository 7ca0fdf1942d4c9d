import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { Capability, Catalogue } from "kruxos"
import { LocalGateway } from "kruxos/local"
import * as SocketLink from "../../src/connection/socketLink.js"
import { ServiceUnavailable } from "../../src/errors/general.js"
import { ApprovalQueue } from "../../src/local/approvals/ApprovalQueue.js"
import * as OwnAgent from "../../src/local/data/ownAgent.js"
import * as GatewayCore from "../../src/local/gatewayCore.js"
import * as Running from "../../src/local/running.js"
import { unwatched } from "../../src/local/runningTest.js"
import * as TemporaryWorkspace from "../../src/local/temporaryWorkspace.js"
import { layerOf } from "../../src/services/Gateway.js"
import { connectionOptions } from "../../src/services/GatewayOptions.js"
import { MockGateway } from "../../src/testing/MockGateway.js"
import type { Program, Verdict } from "./differentialPrograms.js"
import { run } from "./differentialRuns.js"

const files = { "a.txt": "one two\n", "notes/one.txt": "one\n", "notes/two.txt": "two\n" }

const policy = {
  tiers: {
    "comms.broadcast": "blocked",
    "process.*": "blocked",
    "state.persistent.delete": "approval_required",
    "shop.order": "approval_required"
  }
} as const

const shop = Catalogue.make(
  Capability.make("shop.price", {
    tier: "autonomous",
    tags: ["safe"],
    inputs: { item: Schema.String, currency: Capability.optional(Schema.String, "EUR") },
    outputs: { price: Schema.Number, currency: Schema.String },
    errors: {}
  }),
  Capability.make("shop.order", {
    tier: "autonomous",
    tags: ["shop"],
    inputs: { item: Schema.String },
    outputs: { order: Schema.String },
    errors: {},
    sideEffects: ["not reversible"]
  })
)

const soldOut = new ServiceUnavailable({ message: "The shop has none", service: "shop", retryable: false })

/** What is a pack's handlers for the one gateway is a script for the other. */
const handlers = {
  "shop.price": ({ currency, item }: { readonly item: string; readonly currency: string }) =>
    item === "nothing" ? Effect.fail(soldOut) : Effect.succeed({ price: 4.5, currency }),
  "shop.order": ({ item }: { readonly item: string }) =>
    item === "nothing" ? Effect.fail(soldOut) : Effect.succeed({ order: `order of ${item}` })
}

const quietly = Effect.provide(Logger.remove(Logger.defaultLogger))

/** What a program comes to on the mock, whose humans are told beforehand what to decide. */
export const mockResults = (program: Program) =>
  Effect.gen(function*() {
    const { humans } = yield* MockGateway
    const decide = {
      approve: () => humans.approve(() => true),
      reject: () => humans.reject(() => true, "no"),
      expire: () => humans.expire(() => true)
    }
    for (const verdict of program.verdicts) yield* decide[verdict]()
    yield* humans.reject(() => true, "no", { times: Infinity })
    return yield* run(program)
  }).pipe(
    Effect.provide(MockGateway.layer({ files, policy, catalogue: shop, capabilities: handlers })),
    quietly
  )

/** Decides one request after the other, as they come. */
const supervise = (verdicts: ReadonlyArray<Verdict>) =>
  Effect.gen(function*() {
    const queue = yield* ApprovalQueue
    let next = 0
    const look = Effect.gen(function*() {
      const { approvals } = yield* queue.list({ status: "pending", limit: 100 })
      for (const { approvalId } of approvals) {
        const verdict = verdicts[next++] ?? "reject"
        yield* verdict === "expire"
          ? queue.expire(approvalId)
          : queue.decide(approvalId, { verdict, by: "human", ...(verdict === "reject" ? { reason: "no" } : {}) })
      }
    })
    yield* Effect.forkScoped(Effect.repeat(look, Schedule.spaced("5 millis")))
  })

/** What a program comes to on the local gateway in memory, whose supervisor decides what there is. */
export const localResults = (program: Program) =>
  Effect.gen(function*() {
    const connection = connectionOptions({}, Redacted.make(""), 0)
    const workspace = yield* TemporaryWorkspace.make(files)
    const services = yield* Layer.build(GatewayCore.layer({
      workspace,
      database: ":memory:",
      dataDirectory: undefined,
      policy,
      packs: [LocalGateway.pack(shop, handlers)]
    }))
    const link = Effect.gen(function*() {
      const { name } = yield* OwnAgent.withoutKey({ name: "agent", data: Option.none() })
      return yield* SocketLink.make(yield* Running.dialOf(name), connection)
    })
    const client = yield* Layer.build(layerOf(Effect.provide(link, services), connection, Option.none()))
    yield* Effect.provide(supervise(program.verdicts), services)
    return yield* Effect.provide(run(program), Context.merge(client, Context.empty()))
  }).pipe(unwatched, Effect.scoped, quietly)
