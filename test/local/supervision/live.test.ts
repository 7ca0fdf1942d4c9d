import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as fs from "node:fs"
import { join } from "node:path"
import { builtIn } from "../../../src/catalogue/builtIn.js"
import { ApprovalQueue } from "../../../src/local/approvals/ApprovalQueue.js"
import { Audit } from "../../../src/local/audit/Audit.js"
import * as HealthCheck from "../../../src/local/capabilities/system/healthCheck.js"
import * as Sampler from "../../../src/local/capabilities/system/Sampler.js"
import * as Policy from "../../../src/local/policy/Policy.js"
import { Methods } from "../../../src/local/protocol/methods.js"
import { maximumAtATime, Sessions } from "../../../src/local/sessions/Sessions.js"
import * as Workspaces from "../../../src/local/sessions/Workspaces.js"
import { Agents } from "../../../src/local/store/Agents.js"
import { AuditLog } from "../../../src/local/store/AuditLog.js"
import * as Store from "../../../src/local/store/Store.js"
import { activityOf } from "../../../src/local/supervision/eventOf.js"
import * as HealthMonitor from "../../../src/local/supervision/healthMonitor.js"
import * as Supervision from "../../../src/local/supervision/Supervision.js"
import { until } from "../../support/deadline.js"
import { folders, quietly } from "../../support/gateway.js"
import { at, textAt } from "../../support/json.js"
import { madeUp, on } from "../capabilities/system/support.js"
import { customCore, type CustomOptions } from "../protocol/customGateway.js"

const catalogue = Policy.catalogueTiers(Object.values(builtIn))

/** As the catalogue says, but for what a test needs. */
const policy: Policy.PolicyService = {
  ...catalogue,
  decide: (agent, capability, input, now) => {
    const decision = catalogue.decide(agent, capability, input, now)
    switch (capability.name) {
      case "system.health":
        return {
          ...decision,
          tier: "blocked",
          rule: "organization:system.*.rate_limit",
          exceeded: { limit: 1, windowSeconds: 60, retryAfterMillis: 1500 }
        }
      case "system.info":
        return {
          ...decision,
          tier: "blocked",
          rule: "organization:system.info",
          reason: "the password=hunter2 is secret"
        }
      case "filesystem.delete":
        return { ...decision, reason: "Deleting is for ever" }
      default:
        return decision
    }
  }
}

/** What supervisors are told from now on: each time, what is new. */
const follow = (supervision: Supervision.SupervisionService) =>
  Effect.map(Effect.orDie(supervision.cursor(Option.none(), {})), (cursor) =>
    Effect.sync(() => {
      const events: Array<unknown> = []
      while (!cursor.isAtEnd()) for (const { json } of cursor.take().events) events.push(JSON.parse(json))
      return events
    }))

const coreOf = (options: CustomOptions = {}) =>
  Effect.gen(function*() {
    const { dataDirectory, workspace } = yield* folders
    const services = yield* Layer.build(
      customCore({ policy, ...options }, { database: join(dataDirectory, "gateway.db"), workspace })
    )
    const agents = Context.get(services, Agents)
    yield* agents.create({ name: "agent", purpose: "tidies up" })
    const agent = Option.getOrThrow(yield* agents.get("agent"))
    const open: Effect.Effect<Effect.Effect.Success<ReturnType<typeof sessions.open>>, never, Scope.Scope> = Effect
      .suspend(() => Effect.orDie(sessions.open(agent, { transport: "memory" })))
    const sessions = Context.get(services, Sessions)
    const { call } = Context.get(services, Methods)
    const session = yield* open
    return {
      services,
      workspace,
      open,
      session,
      next: yield* follow(Context.get(services, Supervision.Supervision)),
      invoke: (capability: string, input?: unknown, key?: string) =>
        Effect.orDie(call(session, "capabilities.invoke", { capability, arguments: input, idempotency_key: key }))
    }
  }).pipe(Effect.orDie)

const typesOf = (events: ReadonlyArray<unknown>) => events.map((event) => at(event, "type"))

describe("supervisors", () => {
  it.scoped("are told of every invocation at once, and as the protocol says", () =>
    Effect.gen(function*() {
      const { invoke, next, session } = yield* coreOf({ run: (text) => Effect.as(Effect.sleep(20), text) })
      yield* invoke("system.time")
      const time = yield* next
      assert.deepStrictEqual(time, [
        {
          type: "capability_invoked",
          timestamp: "1970-01-01T00:00:00.000Z",
          agent: "agent",
          session_id: session.id,
          data: { capability: "system.time", arguments: {}, permission_tier: "autonomous", duration_ms: 0 }
        },
        {
          type: "capability_result",
          timestamp: "1970-01-01T00:00:00.000Z",
          agent: "agent",
          session_id: session.id,
          data: { capability: "system.time", success: true, duration_ms: 0 }
        }
      ])

      const running = yield* Effect.fork(invoke("test.run", { text: "password=hunter2" }, "key"))
      const timed = yield* Effect.fork(Effect.forever(Effect.zipRight(TestClock.adjust(1), Effect.yieldNow())))
      yield* Fiber.join(running)
      yield* Fiber.interrupt(timed)
      yield* invoke("test.run", { text: "password=hunter2" }, "key")
      const ran = yield* next
      assert.deepStrictEqual(typesOf(ran), ["capability_invoked", "capability_result", "capability_result"])
      assert.deepStrictEqual(at(ran[0], "data", "arguments"), { text: "password=[secret]" })
      assert.isAtLeast(Number(at(ran[1], "data", "duration_ms")), 20)
      assert.deepInclude(at(ran[2], "data"), { success: true, answered: true })

      yield* invoke("filesystem.read", { path: "missing" })
      yield* invoke("filesystem.write", { path: 1 })
      yield* invoke("no.such_thing", { a: 1 })
      const failed = yield* next
      assert.deepStrictEqual(typesOf(failed), [
        "capability_invoked",
        "capability_error",
        "capability_error",
        "capability_error"
      ])
      assert.deepInclude(at(failed[1], "data"), { capability: "filesystem.read", error_type: "FileNotFound" })
      assert.strictEqual(at(failed[1], "data", "tier"), "autonomous")
      assert.isNotEmpty(textAt(failed[1], "data", "message"))
      assert.deepInclude(at(failed[2], "data"), { error_type: "InvalidInput", tier: null, arguments: { path: 1 } })
      assert.deepInclude(at(failed[3], "data"), { capability: "no.such_thing", error_type: "CapabilityNotFound" })

      yield* invoke("system.info")
      yield* invoke("system.health")
      const refused = yield* next
      assert.deepStrictEqual(refused.map((event) => [at(event, "type"), at(event, "data")]), [
        ["policy_violation", {
          capability: "system.info",
          rule: "organization:system.info",
          reason: "the password=[secret] is secret",
          tier: "blocked",
          arguments: {}
        }],
        ["rate_limit_hit", {
          capability_pattern: "system.*",
          limit: 1,
          window: 60,
          retry_after_seconds: 1.5,
          capability: "system.health",
          rule: "organization:system.*.rate_limit",
          arguments: {}
        }]
      ])
    }).pipe(quietly))

  it.scoped("are told how long an invocation waited for its turn", () =>
    Effect.gen(function*() {
      const { invoke, next } = yield* coreOf({ run: (text) => Effect.as(Effect.sleep("1 second"), text) })
      const count = maximumAtATime + 1
      const running = yield* Effect.forkAll(Array.from({ length: count }, () => invoke("test.run", { text: "a" })))
      const timed = yield* Effect.fork(Effect.forever(Effect.zipRight(TestClock.adjust(100), Effect.yieldNow())))
      yield* Fiber.join(running)
      yield* Fiber.interrupt(timed)
      const waits = (yield* next)
        .filter((event) => at(event, "type") === "capability_invoked")
        .map((event) => Number(at(event, "data", "duration_ms")))
      assert.lengthOf(waits, count)
      assert.lengthOf(waits.filter((wait) => wait >= 1000), 1)
    }).pipe(quietly))

  it.scopedLive("are told of requests for approval, of decisions and of what came of them", () =>
    Effect.gen(function*() {
      const { invoke, next, services, workspace } = yield* coreOf()
      const queue = Context.get(services, ApprovalQueue)
      const ask = (path: string) =>
        Effect.map(invoke("filesystem.delete", { path }), (answer) => textAt(answer, "error", "context", "approval_id"))
      fs.writeFileSync(join(workspace, "a"), "a")
      const a = yield* ask("a")
      const [requested] = yield* next
      assert.deepInclude(requested, { type: "approval_requested", agent: "agent" })
      assert.deepStrictEqual(at(requested, "data"), {
        approval_id: a,
        capability: "filesystem.delete",
        arguments: { path: "a" },
        reason: "Deleting is for ever",
        rule: "catalogue:filesystem.delete"
      })
      yield* queue.decide(a, { verdict: "approve", by: "alice" })
      const seen: Array<unknown> = []
      yield* until("the end", Effect.map(next, (more) => seen.push(...more) === 3))
      assert.deepStrictEqual(typesOf(seen), ["approval_resolved", "capability_invoked", "capability_result"])
      assert.deepInclude(at(seen[0], "data"), { approval_id: a, decision: "approved", decided_by: "alice" })
      assert.strictEqual(at(seen[0], "data", "decided_at"), at(seen[0], "timestamp"))
      assert.deepInclude(at(seen[1], "data"), { approval_id: a, arguments: { path: "a" } })
      assert.deepInclude(at(seen[2], "data"), { approval_id: a, success: true })

      const b = yield* ask("b")
      yield* queue.decide(b, { verdict: "reject", by: "bob", reason: "no" })
      const c = yield* ask("c")
      yield* queue.withdraw("agent", c)
      const others = yield* next
      assert.deepStrictEqual(typesOf(others), [
        "approval_requested",
        "approval_resolved",
        "approval_requested",
        "approval_resolved"
      ])
      assert.deepInclude(at(others[1], "data"), { decision: "rejected", decided_by: "bob", reason: "no" })
      assert.deepInclude(at(others[3], "data"), { decision: "withdrawn", decided_by: "agent" })

      yield* Context.get(services, Audit).supervised("agent_paused", "agent", "alice")
      const [paused] = yield* next
      assert.deepInclude(paused, { type: "agent_paused", agent: "agent", data: { by: "alice" } })
      const log = Context.get(services, AuditLog)
      yield* until(
        "its entry",
        Effect.map(log.list({ limit: 1 }), (entries) => entries.some(({ kind }) => kind === "agent_paused"))
      )
      const activity = (yield* log.list({})).map((entry) => activityOf(entry).event.type)
      assert.deepStrictEqual(activity, [
        "approval_requested",
        ...typesOf(seen),
        ...typesOf(others),
        "agent_paused"
      ])
    }).pipe(quietly))

  it.scoped("are told of sessions", () =>
    Effect.gen(function*() {
      const { invoke, next, open, session } = yield* coreOf()
      const id = yield* Effect.scoped(Effect.gen(function*() {
        const opened = yield* open
        yield* TestClock.adjust("1500 millis")
        opened.countInvocation()
        return opened.id
      }))
      const [started, ended] = yield* next
      assert.notStrictEqual(id, session.id)
      assert.deepInclude(started, { type: "session_started", agent: "agent", session_id: id })
      assert.deepStrictEqual(at(started, "data"), { session_id: id, agent_purpose: "tidies up" })
      assert.deepInclude(ended, { type: "session_ended", timestamp: "1970-01-01T00:00:01.500Z", session_id: id })
      assert.deepStrictEqual(at(ended, "data"), { session_id: id, duration_seconds: 1.5, capabilities_invoked: 1 })
      yield* invoke("system.time")
      assert.lengthOf(yield* next, 2)
    }).pipe(quietly))

  it.scoped("are told when a part of the gateway's health changes, and only then", () =>
    Effect.gen(function*() {
      const { workspace } = yield* folders
      const machine = madeUp()
      const services = yield* Layer.build(
        HealthMonitor.layer.pipe(
          Layer.provide(HealthCheck.layer),
          Layer.provide(Sampler.layer),
          Layer.provideMerge(Supervision.layer()),
          Layer.provide([Workspaces.layer(workspace, undefined), Store.layer({ filename: ":memory:" })])
        )
      ).pipe(on(machine))
      const next = yield* follow(Context.get(services, Supervision.Supervision))
      const later = Effect.zipRight(TestClock.adjust("30 seconds"), next)
      assert.deepStrictEqual(yield* later, [])
      machine.fileSystem = { total: 1000, available: 30 }
      const [alert, ...more] = yield* later
      assert.deepStrictEqual(more, [])
      assert.deepStrictEqual(alert, {
        type: "health_alert",
        timestamp: "1970-01-01T00:01:00.000Z",
        agent: null,
        data: {
          component: "disk",
          severity: "warning",
          message: "3 % of the workspace's disk is free",
          threshold: "5 % free, or 1 %",
          status: "degraded"
        }
      })
      assert.deepStrictEqual(yield* later, [])
      machine.fileSystem = { total: 1000, available: 5 }
      machine.directoryUsable = false
      const severe = yield* later
      assert.deepStrictEqual(
        severe.map((event) => [at(event, "data", "component"), at(event, "data", "severity")]),
        [["workspace", "critical"], ["disk", "critical"]]
      )
      // What cannot be looked at at all is no change.
      const { reading } = machine
      machine.reading = undefined
      assert.deepStrictEqual(yield* later, [])
      Object.assign(machine, { reading, directoryUsable: true, fileSystem: { total: 1000, available: 500 } })
      assert.deepStrictEqual(
        (yield* later).map((event) => [at(event, "data", "component"), at(event, "data", "severity")]),
        [["workspace", "info"], ["disk", "info"]]
      )
    }).pipe(Effect.orDie, quietly))
})
