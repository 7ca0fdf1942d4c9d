import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import { Approvals, Capabilities } from "kruxos"
import * as CollectingTracer from "../support/collectingTracer.js"
import { until } from "../support/deadline.js"
import type * as TestGateway from "../support/gateway.js"
import { at } from "../support/json.js"
import * as Supervisor from "../support/supervisor.js"
import { path } from "./httpSupport.js"
import { capabilitiesOf, nativeGateway, success } from "./support.js"
import { attributes, collecting, ended, gateways } from "./tracingSupport.js"

describe("what a gateway is told of a trace", () => {
  const trace = "0123456789abcdef0123456789abcdef"
  const span = "0123456789abcdef"

  const tell = (human: TestGateway.TestGateway, meta: unknown, capability = "state.session.list", given = {}) =>
    Effect.promise(async (signal) => {
      const params = { capability, arguments: given, _meta: meta }
      const response = await fetch(human.rpc, {
        method: "POST",
        signal,
        headers: { authorization: `Bearer ${human.key}`, "content-type": "application/json" },
        body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "capabilities.invoke", params })
      })
      const body: unknown = await response.json()
      return at(at(body, "result"), "success")
    })

  it.scopedLive("is the parent where it is well-formed, and else ignored", () =>
    collecting((collected) =>
      Effect.gen(function*() {
        const { human } = yield* gateways("over HTTP")
        const parents = (meta: unknown) =>
          Effect.gen(function*() {
            const before = collected.named("kruxos.gateway.invoke").length
            assert.strictEqual(yield* tell(human, meta), true)
            const made = collected.named("kruxos.gateway.invoke").slice(before)
            return made.map((one) => CollectingTracer.parentId(one))
          })
        assert.deepStrictEqual(yield* parents({ traceparent: `00-${trace}-${span}-01` }), [span])
        // A later version may say more.
        assert.deepStrictEqual(yield* parents({ traceparent: `cc-${trace}-${span}-01-more` }), [span])
        // The caller's trace is not recorded.
        assert.deepStrictEqual(yield* parents({ traceparent: `00-${trace}-${span}-00` }), [])
        const malformed = [
          undefined,
          null,
          "00",
          [],
          { traceparent: 1 },
          { traceparent: "" },
          { traceparent: `00-${trace}-${span}` },
          { traceparent: `00-${trace}-${span}-01-more` },
          { traceparent: `ff-${trace}-${span}-01` },
          { traceparent: `00-${trace.toUpperCase()}-${span}-01` },
          { traceparent: `00-${"0".repeat(32)}-${span}-01` },
          { traceparent: `00-${trace}-${"0".repeat(16)}-01` },
          { traceparent: `00-${trace}-${span}-01\n` },
          { traceparent: "0".repeat(100_000) }
        ]
        for (const meta of malformed) assert.deepStrictEqual(yield* parents(meta), [undefined], JSON.stringify(meta))
      })
    ))

  it.scopedLive("is that nothing is recorded: then neither is what comes of an approval", () =>
    collecting((collected) =>
      Effect.gen(function*() {
        const { human, provided } = yield* gateways("over HTTP")
        yield* tell(human, { traceparent: `00-${trace}-${span}-00` }, "filesystem.delete", { path: "a.txt" })
        const requests = provided(Effect.flatMap(Approvals, ({ list }) => list()))
        const [request] = yield* requests
        yield* Supervisor.decide(human, request?.approvalId ?? "", "approve")
        yield* until("its end", Effect.map(requests, (all) => all.every(({ status }) => status === "approved")))
        assert.deepStrictEqual(collected.spans.map(({ name }) => name), [])
      })
    ))
})

/** What an exporter makes of a span that has failed. */
const toldOf = ({ status }: CollectingTracer.CollectedSpan) =>
  status._tag === "Ended" && Exit.isFailure(status.exit)
    ? Cause.pretty(status.exit.cause, { renderErrorCause: true })
    : assert.fail("it has not failed")

describe("a span of what has failed", () => {
  it.scopedLive("says no secret, no cause, and not where in the program that was", () =>
    collecting((collected) =>
      Effect.gen(function*() {
        const { provided } = yield* gateways("over a WebSocket")
        const path = "token=hunter2"
        yield* provided(Effect.flatMap(Capabilities, ({ invoke }) => Effect.exit(invoke("filesystem.read", { path }))))
        yield* ended(collected)
        const made = collected.spans.filter(({ name }) =>
          name.startsWith("kruxos.gateway") || name === "kruxos.handler"
        )
        assert.deepStrictEqual(made.map((span) => attributes(span)["error.type"]), ["FileNotFound", "FileNotFound"])
        for (const told of made.map(toldOf)) {
          assert.include(told, "FileNotFound: ")
          assert.notInclude(told, "hunter2")
          assert.notInclude(told, ".ts")
        }
      })
    ))

  it.scoped("says nothing of an output that does not fit", () =>
    collecting((collected) =>
      Effect.gen(function*() {
        const { invoke, invokeDynamic } = yield* capabilitiesOf(nativeGateway(() => success({ exists: "hunter2" })))
        const output = Schema.Struct({ exists: Schema.Number })
        for (
          const failure of [
            Effect.flip(invoke("filesystem.stat", { path })),
            Effect.flip(invokeDynamic("filesystem.stat", { path }, { output }))
          ]
        ) {
          const error = yield* failure
          assert.strictEqual(error._tag, "OutputMismatch")
          assert.include(error.message, "exists: Expected")
          assert.notInclude(error.message, "hunter2")
        }
        for (const told of collected.named("kruxos.invoke").map(toldOf)) {
          assert.include(told, "OutputMismatch: ")
          assert.notInclude(told, "hunter2")
        }
      })
    ))
})
