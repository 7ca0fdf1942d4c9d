import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as fs from "node:fs"
import { join } from "node:path"
import { builtIn } from "../../../src/catalogue/builtIn.js"
import * as LocalGateway from "../../../src/local/LocalGateway.js"
import { Agents } from "../../../src/local/store/Agents.js"
import { until } from "../../support/deadline.js"
import * as TestGateway from "../../support/gateway.js"
import { at, listAt, textAt } from "../../support/json.js"
import { rpc } from "../../support/rawHttp.js"
import { initialized, type RawSocket } from "../../support/rawSocket.js"

/** A gateway whose organization has this policy. */
const withPolicy = (text: string, ofEve = "") =>
  Effect.gen(function*() {
    const used = yield* TestGateway.folders
    fs.mkdirSync(join(used.dataDirectory, "policies", "agents"), { recursive: true })
    fs.writeFileSync(join(used.dataDirectory, "policies", "organization.yaml"), text)
    if (ofEve !== "") fs.writeFileSync(join(used.dataDirectory, "policies", "agents", "eve.yaml"), ofEve)
    return TestGateway.testGateway(yield* LocalGateway.serve({ ...used, port: 0 }), used)
  }).pipe(Effect.orDie, TestGateway.quietly)

const invoke = (socket: RawSocket, capability: string, input: object = {}) =>
  Effect.map(
    socket.call("capabilities.invoke", { capability, arguments: input }),
    (answer) => at(answer, "result")
  )

const listed = (socket: RawSocket) =>
  Effect.map(
    socket.call("capabilities.list"),
    (answer) => listAt(answer, "result", "capabilities").map((one) => textAt(one, "name"))
  )

describe("a gateway with a policy", () => {
  it.scopedLive("lists what is not blocked, with the tier that holds for the agent", () =>
    Effect.gen(function*() {
      const gateway = yield* withPolicy(
        "capabilities:\n  git.*: { tier: blocked, reason: no git }\n  filesystem.read: { tier: notify }\n",
        "capabilities: { filesystem.read: { tier: approval_required } }\n"
      )
      const eve = yield* gateway.addAgent("eve")
      const socket = yield* initialized(gateway)
      const expected = Object.keys(builtIn)
        .filter((name) => !name.startsWith("git.") && name !== "email.bulk_delete").sort()
      assert.deepStrictEqual(yield* listed(socket), expected)
      const tools = listAt(yield* socket.call("tools/list"), "result", "tools").map((one) => textAt(one, "name"))
      assert.deepStrictEqual(tools, expected.map((name) => name.replaceAll(".", "__")))
      const tierOf = (key?: string) =>
        Effect.map(
          rpc(gateway, "capabilities.describe", { name: "filesystem.read" }, key),
          (answer) => at(answer, "result", "permission_tier")
        )
      assert.strictEqual(yield* tierOf(), "notify")
      assert.strictEqual(yield* tierOf(eve), "approval_required")
      assert.strictEqual(yield* tierOf(), "notify")
      assert.deepInclude(yield* invoke(socket, "git.log", { path: "a" }), { success: false })
      assert.deepInclude(at(yield* invoke(socket, "git.log", { path: "a" }), "error", "context"), {
        rule: "organization:git.*",
        reason: "no git"
      })
    }))

  it.scopedLive("says to agent.policy what holds", () =>
    Effect.gen(function*() {
      const gateway = yield* withPolicy(
        "defaults: { tier: approval_required }\ncapabilities:\n  agent.*: { tier: autonomous }\n"
          + "  system.time: { tier: notify, reason: gently, rate_limit: { max: 3, window: 60 } }\n"
      )
      const shown = yield* invoke(yield* initialized(gateway), "agent.policy")
      assert.strictEqual(at(shown, "data", "default_tier"), "approval_required")
      assert.deepInclude(listAt(shown, "data", "rules").find((rule) => at(rule, "capability") === "system.time"), {
        tier: "notify",
        reason: "gently",
        rate_limit: { max: 3, window: 60, on_exceed: null }
      })
    }))

  it.scopedLive("answers what exceeds a rate limit with when to come back, and does not run it", () =>
    Effect.gen(function*() {
      const gateway = yield* withPolicy(
        "capabilities:\n  filesystem.append: { tier: autonomous, rate_limit: { max: 2, window: 3600 } }\n"
      )
      const socket = yield* initialized(gateway)
      const append = invoke(socket, "filesystem.append", { path: "a", content: "x" })
      fs.writeFileSync(join(gateway.workspace, "a"), "")
      // What is not understood does not count.
      assert.deepInclude(yield* invoke(socket, "filesystem.append", { path: "a" }), { success: false })
      assert.deepInclude(yield* append, { success: true })
      assert.deepInclude(yield* append, { success: true })
      const refused = yield* append
      assert.deepInclude(at(refused, "error"), { type: "RateLimited", retryable: true })
      const context = at(refused, "error", "context")
      assert.deepInclude(context, { limit: 2, window_seconds: 3600, rule: "organization:filesystem.append.rate_limit" })
      const after = at(refused, "error", "retry_after")
      assert.isTrue(typeof after === "number" && after > 3500 && after <= 3600)
      assert.strictEqual(fs.readFileSync(join(gateway.workspace, "a"), "utf8"), "xx")
    }))

  it.scopedLive("lets through no more than a rate limit, however many come at once", () =>
    Effect.gen(function*() {
      const gateway = yield* withPolicy(
        "capabilities:\n  filesystem.write: { tier: autonomous, rate_limit: { max: 7, window: 3600 } }\n"
      )
      const answers = yield* Effect.forEach(
        Array.from({ length: 40 }, (_, index) => index),
        (index) =>
          rpc(gateway, "capabilities.invoke", {
            capability: "filesystem.write",
            arguments: { path: `file-${index}`, content: "" }
          }),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(answers.filter((answer) => at(answer, "result", "success") === true).length, 7)
      assert.strictEqual(fs.readdirSync(gateway.workspace).filter((name) => name.startsWith("file-")).length, 7)
    }))
})

describe("a paused agent", () => {
  it.scopedLive("stays paused when its key is replaced, and cannot be resumed once it is revoked", () =>
    Effect.gen(function*() {
      const gateway = yield* TestGateway.serve()
      const outcome = yield* gateway.inStore(Effect.gen(function*() {
        const agents = yield* Agents
        yield* agents.pause("agent")
        yield* agents.rotate("agent")
        const paused = yield* agents.standing("agent")
        yield* agents.revoke("agent")
        const failures = yield* Effect.all([
          Effect.flip(agents.resume("agent")),
          Effect.flip(agents.pause("agent")),
          Effect.flip(agents.pause("nobody"))
        ])
        return { paused, tags: failures.map(({ _tag }) => _tag) }
      }))
      assert.deepStrictEqual(outcome, {
        paused: { status: "paused", keyGeneration: 2 },
        tags: ["AgentRevoked", "AgentRevoked", "AgentNotFound"]
      })
    }))

  it.scopedLive("invokes nothing until it is resumed, stays connected, and may connect", () =>
    Effect.gen(function*() {
      const gateway = yield* TestGateway.serve()
      const socket = yield* initialized(gateway)
      const change = (what: "pause" | "resume" | "revoke") =>
        gateway.inStore(Effect.flatMap(Agents, (agents) => agents[what]("agent"))).pipe(Effect.orDie)
      assert.deepInclude(yield* invoke(socket, "system.time"), { success: true })
      const isPaused = Effect.map(
        invoke(socket, "system.time"),
        (answer) => at(answer, "error", "type") === "SessionPaused"
      )
      yield* change("pause")
      yield* change("pause")
      yield* until("the pause", isPaused)
      const tool = yield* socket.call("tools/call", { name: "system__time", arguments: {} })
      assert.strictEqual(at(tool, "result", "isError"), true)
      assert.include(textAt(tool, "result", "content", 0, "text"), "SessionPaused")
      assert.deepInclude(at(yield* invoke(yield* initialized(gateway), "system.time"), "error"), {
        type: "SessionPaused"
      })
      assert.isAbove((yield* listed(socket)).length, 0)
      const keyed = yield* socket.call("capabilities.invoke", { capability: "system.time", idempotency_key: "k" })
      assert.deepInclude(at(keyed, "result", "error"), { type: "SessionPaused" })
      yield* change("resume")
      yield* until(
        "the end of the pause",
        Effect.map(invoke(socket, "system.time"), (answer) => at(answer, "success") === true)
      )
      const again = yield* socket.call("capabilities.invoke", { capability: "system.time", idempotency_key: "k" })
      assert.deepInclude(at(again, "result"), { success: true })
      yield* change("pause")
      yield* change("revoke")
      // Whatever it asks for then, it is not answered.
      yield* socket.send({ jsonrpc: "2.0", id: 1, method: "capabilities.list" }).pipe(
        Effect.repeat(Schedule.spaced("20 millis")),
        Effect.forkScoped
      )
      assert.strictEqual((yield* socket.closed).code, 1008)
    }))
})
