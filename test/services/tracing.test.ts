import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { Approvals, Capabilities, Transaction } from "kruxos"
import * as CollectingTracer from "../support/collectingTracer.js"
import { until, within } from "../support/deadline.js"
import { at } from "../support/json.js"
import { rpcServer } from "../support/realServers.js"
import { requests } from "../support/scriptedGateway.js"
import * as Supervisor from "../support/supervisor.js"
import { gateway as httpGateway, invocations, layer as httpLayer, path, success as httpSuccess } from "./httpSupport.js"
import { capabilitiesOf, json, mcpGateway, nativeGateway, success } from "./support.js"
import { attributes, type Collected, collecting, ended, gateways, transports } from "./tracingSupport.js"

const write = Effect.flatMap(Capabilities, ({ invoke }) => invoke("filesystem.write", { path, content: "notes\n" }))

const remove = Effect.flatMap(Capabilities, ({ invoke }) => invoke("filesystem.delete", { path }))

/** The spans of a trace, those of the database left out. */
const traceOf = ({ spans }: Collected, of: CollectingTracer.CollectedSpan | undefined) =>
  spans.filter(({ name, traceId }) => traceId === of?.traceId && !name.startsWith("sql."))

describe("the trace of an approved invocation", () => {
  it.scopedLive.each(transports)(
    "%s: client, gateway, policy, approval, handler",
    (how) =>
      collecting((collected) =>
        Effect.gen(function*() {
          const { human, provided } = yield* gateways(how)
          yield* provided(write)
          const asking = yield* remove.pipe(
            Approvals.awaitApproval({ timeout: "10 seconds" }),
            Effect.withSpan("program"),
            provided,
            Effect.fork
          )
          const pending = provided(Effect.flatMap(Approvals, (approvals) => approvals.list({ status: "pending" })))
          yield* until("the request", Effect.map(pending, ({ length }) => length === 1))
          const [request] = yield* pending
          const approval = request?.approvalId ?? ""
          yield* Supervisor.decide(human, approval, "approve")
          yield* Fiber.join(asking).pipe(within("the end of the invocation"))
          yield* ended(collected)

          const [invoked] = collected.named("kruxos.invoke filesystem.delete")
          const spans = traceOf(collected, invoked)
          assert.deepStrictEqual(CollectingTracer.treeOf(spans), [
            "program",
            "  kruxos.invoke filesystem.delete",
            "    kruxos.gateway.invoke",
            "      kruxos.policy",
            "      kruxos.gateway.approval",
            "      kruxos.gateway.carry_out",
            "        kruxos.policy",
            "        kruxos.handler",
            "    kruxos.approval"
          ])
          const [, client, gateway, policy, waited, carriedOut, again, handler, wait] = CollectingTracer.inTree(spans)
          assert.deepStrictEqual([client?.kind, gateway?.kind], ["client", "server"])
          const session = attributes(client)["kruxos.session"]
          assert.isString(session)
          const key = attributes(client)["kruxos.idempotency_key"]
          const { "kruxos.request.bytes": sent, "kruxos.response.bytes": received, ...told } = attributes(client)
          assert.deepStrictEqual(told, {
            "kruxos.capability": "filesystem.delete",
            "kruxos.tier": "approval_required",
            "kruxos.idempotency_key": key,
            "kruxos.session": session,
            "kruxos.outcome": "ok"
          })
          assert.isAbove(Number(sent), 100)
          if (how !== "over HTTP") assert.isAbove(Number(received), 100)
          assert.deepStrictEqual(attributes(gateway), {
            "kruxos.capability": "filesystem.delete",
            "kruxos.agent": "agent",
            "kruxos.session": session,
            "kruxos.idempotency_key": key,
            "kruxos.tier": "approval_required",
            "kruxos.outcome": "ApprovalRequired",
            "error.type": "ApprovalRequired"
          })
          for (const decision of [policy, again]) {
            assert.strictEqual(attributes(decision)["kruxos.decision"], "approval_required")
            assert.isString(attributes(decision)["kruxos.rule"])
          }
          assert.deepInclude(attributes(waited), {
            "kruxos.approval": approval,
            "kruxos.outcome": "approved"
          })
          assert.deepInclude(attributes(carriedOut), { "kruxos.approval": approval, "kruxos.outcome": "ok" })
          assert.deepStrictEqual(attributes(handler), { "kruxos.outcome": "ok" })
          assert.deepStrictEqual(attributes(wait), {
            "kruxos.capability": "filesystem.delete",
            "kruxos.approval": approval,
            "kruxos.outcome": "approved"
          })
        })
      )
  )
})

describe("spans", () => {
  it.scopedLive("a keyed invocation keeps its parent, what handlers do is below them, and no other work is traced", () =>
    collecting((collected) =>
      Effect.gen(function*() {
        const { provided } = yield* gateways("over a WebSocket")
        yield* provided(Effect.flatMap(Transaction, () => Transaction.run(write)))
        yield* provided(
          Effect.flatMap(Capabilities, ({ invoke }) => invoke("state.persistent.set", { key: "a", value: 1 }))
        )
        yield* provided(Effect.flatMap(Capabilities, ({ invokeDynamic }) => Effect.exit(invokeDynamic("no.such"))))
        yield* ended(collected)
        const trees = collected.named("kruxos.invoke").map((span) => CollectingTracer.treeOf(traceOf(collected, span)))
        const ran = ["  kruxos.gateway.invoke", "    kruxos.policy", "    kruxos.handler"]
        assert.deepStrictEqual(trees, [
          ["kruxos.invoke filesystem.write", ...ran],
          ["kruxos.invoke state.persistent.set", ...ran],
          ["kruxos.invoke no.such", "  kruxos.gateway.invoke"]
        ])
        const [stepped] = collected.named("kruxos.invoke filesystem.write")
        assert.isString(attributes(stepped)["kruxos.transaction"])
        const [, , failed] = collected.named("kruxos.gateway.invoke")
        assert.deepInclude(attributes(failed), { "kruxos.outcome": "CapabilityNotFound" })
        const known = new Set(collected.named("kruxos.invoke").map(({ traceId }) => traceId))
        assert.deepStrictEqual(collected.spans.filter(({ traceId }) => !known.has(traceId)), [])
        const handlers = new Set(collected.named("kruxos.handler").map(({ spanId }) => spanId))
        const query = collected.named("sql.execute").find((span) => handlers.has(CollectingTracer.parentId(span) ?? ""))
        assert.isDefined(query)
      })
    ))

  it.scoped("is sent to a gateway natively", () =>
    collecting((collected) =>
      Effect.gen(function*() {
        const gateway = nativeGateway(() => success({ value: 1, found: true }))
        const { invoke } = yield* capabilitiesOf(gateway)
        yield* invoke("state.session.get", { key: "a" })
        const [span] = collected.spans
        const [asked] = requests(gateway.connections[0], "capabilities.invoke")
        assert.deepStrictEqual(at(asked?.params, "_meta"), {
          traceparent: `00-${span?.traceId}-${span?.spanId}-01`
        })
        assert.strictEqual(collected.spans.length, 1)
      })
    ))

  it.scoped("is sent along with a tool", () =>
    collecting((collected) =>
      Effect.gen(function*() {
        const gateway = mcpGateway({ call: { state__session__get: () => json({ value: 1, found: true }) } })
        const { invoke } = yield* capabilitiesOf(gateway)
        yield* invoke("state.session.get", { key: "a" })
        const [span] = collected.spans
        const [asked] = requests(gateway.connections[0], "tools/call")
        assert.deepStrictEqual(at(at(asked?.params, "_meta"), "traceparent"), `00-${span?.traceId}-${span?.spanId}-01`)
      })
    ))

  it.scopedLive("each of a batch over HTTP has its own", () =>
    collecting((collected) =>
      Effect.gen(function*() {
        const server = yield* rpcServer(httpGateway(() => httpSuccess({ value: 1, found: true })))
        const services = yield* Layer.build(httpLayer(server))
        yield* Effect.flatMap(
          Capabilities,
          ({ invoke }) =>
            Effect.forEach(["a", "b", "c"], (key) => invoke("state.session.get", { key }), { concurrency: 3 })
        ).pipe(
          Effect.provide(services)
        )
        assert.deepStrictEqual(
          invocations(server).map((call) => at(at(at(call, "params"), "_meta"), "traceparent")),
          collected.named("kruxos.invoke").map(({ spanId, traceId }) => `00-${traceId}-${spanId}-01`)
        )
        assert.strictEqual(collected.spans.length, 3)
        assert.strictEqual(server.requests.length, 2)
      })
    ))
})

describe("where nobody traces", () => {
  const invoked = Effect.gen(function*() {
    const gateway = nativeGateway(() => success({ value: 1, found: true }))
    const { invoke } = yield* capabilitiesOf(gateway)
    yield* invoke("state.session.get", { key: "a" })
    const [asked] = requests(gateway.connections[0], "capabilities.invoke")
    return Object.keys(Object(asked?.params))
  })

  it.scoped("nothing is sent without a tracer, also in a span of Effect's own", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* Effect.withSpan(invoked, "program"), ["capability", "arguments"])
    }))

  it.scoped("nothing is sent, and no span is made, where tracing is switched off", () =>
    collecting((collected) =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* Effect.withTracerEnabled(invoked, false), ["capability", "arguments"])
        assert.deepStrictEqual(collected.spans, [])
      })
    ))
})
