import * as SqlClient from "@effect/sql/SqlClient"
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
import { verify } from "../../../src/local/audit/verify.js"
import type { HandlerFailure } from "../../../src/local/capabilities/Handler.js"
import type { CoreServices } from "../../../src/local/gatewayCore.js"
import * as Policy from "../../../src/local/policy/Policy.js"
import { Methods } from "../../../src/local/protocol/methods.js"
import { Sessions } from "../../../src/local/sessions/Sessions.js"
import { Agents } from "../../../src/local/store/Agents.js"
import { type AuditEntry, AuditLog } from "../../../src/local/store/AuditLog.js"
import type * as Store from "../../../src/local/store/Store.js"
import { until } from "../../support/deadline.js"
import { folders, quietly } from "../../support/gateway.js"
import { at, textAt } from "../../support/json.js"
import { customCore, type CustomOptions } from "../protocol/customGateway.js"

const catalogue = Policy.catalogueTiers(Object.values(builtIn))

/** As the catalogue says, but for what a test needs. */
const policy: Policy.PolicyService = {
  ...catalogue,
  decide: (agent, capability, input, now) => {
    const decision = catalogue.decide(agent, capability, input, now)
    if (capability.name === "system.health") {
      return { ...decision, tier: "blocked", exceeded: { limit: 1, windowSeconds: 60, retryAfterMillis: 1000 } }
    }
    return capability.name === "system.info" ? { ...decision, tier: "blocked", rule: "test:info" } : decision
  },
  listedTier: (agent, capability) =>
    capability.name === "system.metrics" ? "blocked" : catalogue.listedTier(agent, capability)
}

interface Core {
  readonly invoke: (capability: string, input?: unknown, key?: string) => Effect.Effect<unknown>
  readonly entries: Effect.Effect<ReadonlyArray<AuditEntry>>
  readonly services: Context.Context<CoreServices | Store.Store>
}

const coreOn = (
  database: string,
  workspace: string,
  options: CustomOptions = {}
): Effect.Effect<Core, never, Scope.Scope> =>
  Effect.gen(function*() {
    const services = yield* Layer.build(customCore({ policy, ...options }, { database, workspace }))
    const agents = Context.get(services, Agents)
    yield* Effect.ignore(agents.create({ name: "agent" }))
    const agent = Option.getOrThrow(yield* agents.get("agent"))
    const session = yield* Context.get(services, Sessions).open(agent, { transport: "memory" })
    const { call } = Context.get(services, Methods)
    const log = Context.get(services, AuditLog)
    return {
      invoke: (capability: string, input?: unknown, key?: string) =>
        Effect.orDie(call(session, "capabilities.invoke", { capability, arguments: input, idempotency_key: key })),
      entries: Effect.orDie(log.list({ limit: 100_000 })),
      services
    }
  }).pipe(Effect.orDie)

const coreOf = (options?: CustomOptions) =>
  Effect.flatMap(
    folders,
    ({ dataDirectory, workspace }) =>
      Effect.map(coreOn(join(dataDirectory, "gateway.db"), workspace, options), (core) => ({ ...core, workspace }))
  )

const detailsOf = (entry: AuditEntry | undefined): unknown => JSON.parse(entry?.details ?? "null")

const pick = (entries: ReadonlyArray<AuditEntry>) =>
  entries.map(({ capability, details, kind }) => {
    const parsed: unknown = JSON.parse(details)
    return [kind, capability, at(parsed, "error") ?? at(parsed, "outcome") ?? at(parsed, "decision")]
  })

const written = TestClock.adjust("100 millis")

describe("the audit log of a gateway", () => {
  it.scoped("has what ran and what did not", () =>
    Effect.gen(function*() {
      const { entries, invoke } = yield* coreOf()
      yield* invoke("system.time")
      yield* invoke("filesystem.read", { path: "missing" })
      yield* invoke("filesystem.write", { path: "a.txt", content: "a" }, "key-1")
      yield* invoke("filesystem.write", { path: "a.txt", content: "a" }, "key-1")
      yield* invoke("filesystem.write", { path: "../a.txt", content: "a" })
      yield* invoke("filesystem.write", { path: 1 })
      yield* invoke("filesystem.write", [])
      yield* invoke("no.such_thing", { a: 1 })
      yield* invoke("system.metrics")
      yield* invoke("system.info")
      yield* invoke("system.health")
      yield* written
      const all = yield* entries
      assert.deepStrictEqual(pick(all), [
        ["invocation", "system.time", "success"],
        ["invocation", "filesystem.read", "FileNotFound"],
        ["invocation_started", "filesystem.write", undefined],
        ["invocation_ended", "filesystem.write", "success"],
        ["invocation_answered", "filesystem.write", "success"],
        ["invocation_started", "filesystem.write", undefined],
        ["invocation_ended", "filesystem.write", "PathOutOfScope"],
        ["refused", "filesystem.write", "InvalidInput"],
        ["refused", "filesystem.write", "InvalidInput"],
        ["refused", "no.such_thing", "CapabilityNotFound"],
        ["refused", "system.metrics", "PolicyDenied"],
        ["refused", "system.info", "PolicyDenied"],
        ["refused", "system.health", "RateLimited"]
      ])
      const [time, , started, ended] = all
      assert.include(time, { agent: "agent", tier: "autonomous", rule: "catalogue:system.time", approvalId: null })
      assert.include(started, { tier: "notify", idempotencyKey: "key-1" })
      assert.deepStrictEqual(at(detailsOf(started), "arguments"), { path: "a.txt", content: "a" })
      assert.strictEqual(at(detailsOf(started), "invocation"), at(detailsOf(ended), "invocation"))
      assert.strictEqual(at(detailsOf(ended), "duration_ms"), 0)
      assert.strictEqual(new Set(all.map(({ sessionId }) => sessionId)).size, 1)
      const info = all.find(({ capability }) => capability === "system.info")
      assert.include(info, { tier: "blocked", rule: "test:info" })
    }).pipe(quietly))

  it.scoped("has the entry of what is not safe to repeat before it begins, and of what is safe soon after", () =>
    Effect.gen(function*() {
      const seen: Array<ReadonlyArray<unknown>> = []
      let read: Effect.Effect<ReadonlyArray<AuditEntry>> = Effect.succeed([])
      const run = (text: string): Effect.Effect<string, HandlerFailure> =>
        Effect.map(read, (found) => {
          seen.push(pick(found))
          return text
        })
      const { entries, invoke } = yield* coreOf({ run })
      read = entries
      yield* invoke("test.run", { text: "a" })
      assert.deepStrictEqual(seen, [[["invocation_started", "test.run", undefined]]])
      yield* invoke("system.time")
      assert.lengthOf(yield* entries, 1)
      yield* written
      assert.lengthOf(yield* entries, 3)
    }).pipe(quietly))

  it.scopedLive("has what was interrupted, and what met a bug", () =>
    Effect.gen(function*() {
      const { entries, invoke } = yield* coreOf({
        run: (text) => text === "bug" ? Effect.die("a bug") : Effect.never
      })
      yield* Effect.exit(invoke("test.run", { text: "bug" }))
      const running = yield* Effect.fork(invoke("test.run", { text: "for ever" }))
      yield* until("its start", Effect.map(entries, (found) => found.length === 3))
      yield* Fiber.interrupt(running)
      yield* until("its end", Effect.map(entries, (found) => found.length === 4))
      assert.deepStrictEqual(pick(yield* entries), [
        ["invocation_started", "test.run", undefined],
        ["invocation_ended", "test.run", "defect"],
        ["invocation_started", "test.run", undefined],
        ["invocation_ended", "test.run", "interrupted"]
      ])
    }).pipe(quietly))

  it.scopedLive("has what a human decided, who it was, and what came of it", () =>
    Effect.gen(function*() {
      const { entries, invoke, services, workspace } = yield* coreOf()
      const queue = Context.get(services, ApprovalQueue)
      const sql = Context.get(services, SqlClient.SqlClient)
      const ask = (path: string) =>
        Effect.map(invoke("filesystem.delete", { path }), (answer) => textAt(answer, "error", "context", "approval_id"))
      for (const name of ["a", "b", "c", "d"]) fs.writeFileSync(join(workspace, name), name)

      const a = yield* ask("a")
      yield* queue.decide(a, { verdict: "approve", by: "alice", reason: "the password=hunter2 is old" })
      yield* until("the end of it", Effect.sync(() => !fs.existsSync(join(workspace, "a"))))
      yield* until("its entry", Effect.map(entries, (found) => found.length >= 4))
      yield* invoke("filesystem.delete", { path: "a" })
      const b = yield* ask("b")
      yield* queue.decide(b, { verdict: "reject", by: "bob" })
      const c = yield* ask("c")
      yield* queue.withdraw("agent", c)
      const d = yield* ask("d")
      yield* sql`UPDATE approvals SET expires_at = 1 WHERE approval_id = ${d}`
      yield* until("the last entry", Effect.map(entries, (found) => found.length >= 11))
      const all = yield* entries
      assert.deepStrictEqual(pick(all), [
        ["approval_requested", "filesystem.delete", undefined],
        ["approval_decided", "filesystem.delete", "approved"],
        ["invocation_started", "filesystem.delete", undefined],
        ["approval_carried_out", "filesystem.delete", "success"],
        ["invocation_answered", "filesystem.delete", "success"],
        ["approval_requested", "filesystem.delete", undefined],
        ["approval_decided", "filesystem.delete", "rejected"],
        ["approval_requested", "filesystem.delete", undefined],
        ["approval_decided", "filesystem.delete", "withdrawn"],
        ["approval_requested", "filesystem.delete", undefined],
        ["approval_decided", "filesystem.delete", "expired"]
      ])
      assert.deepStrictEqual(all.map(({ approvalId }) => approvalId), [a, a, a, a, null, b, b, c, c, d, d])
      assert.deepStrictEqual(all.map(({ rule }) => rule), all.map(() => "catalogue:filesystem.delete"))
      assert.deepStrictEqual(
        all.filter(({ kind }) => kind === "approval_decided").map((entry) => at(detailsOf(entry), "by")),
        ["alice", "bob", "agent", "time"]
      )
      assert.strictEqual(at(detailsOf(all[1]), "reason"), "the password=[secret] is old")
      assert.deepStrictEqual(at(detailsOf(all[2]), "arguments"), { path: "a" })
    }).pipe(quietly))

  it.scoped("has what a paused agent tried", () =>
    Effect.gen(function*() {
      const { entries, invoke, services } = yield* coreOf()
      yield* Context.get(services, Agents).pause("agent")
      yield* TestClock.adjust("1 second")
      yield* invoke("system.time", {}, "key")
      yield* written
      assert.deepStrictEqual(pick(yield* entries), [["refused", "system.time", "SessionPaused"]])
    }).pipe(quietly))

  it.scoped("holds no secret, whichever way it came in", () =>
    Effect.gen(function*() {
      const marker = "s3cr3t-m4rk3r-0f-th3-t3st"
      const { dataDirectory, workspace } = yield* folders
      const database = join(dataDirectory, "gateway.db")
      const found = yield* Effect.scoped(Effect.gen(function*() {
        const { entries, invoke } = yield* coreOn(database, workspace, { run: () => Effect.succeed("ran") })
        const attempts: ReadonlyArray<readonly [string, unknown]> = [
          ["network.http_request", {
            url: `https://me:${marker}@x.org/?token=${marker}`,
            headers: { Authorization: marker }
          }],
          ["network.http_request", { url: "https://x.org", method: "POST", body: `password=${marker}` }],
          ["process.run", { command: `deploy --token ${marker}`, environment: { API_KEY: marker } }],
          ["process.run", { command: "mysql", args: ["--password", marker] }],
          ["test.run", { text: `Authorization: Bearer ${marker}` }],
          ["test.run", { text: `${"x".repeat(5000)}${marker}` }],
          ["test.run", { text: "a", password: marker }],
          ["no.such_thing", { secret: [marker] }],
          [`no.such_thing?password=${marker}`, {}],
          ["system.info", { cookie: marker }],
          ["system.metrics", { client_secret: marker }]
        ]
        for (const [capability, input] of attempts) {
          yield* invoke(capability, input)
          yield* invoke(capability, input, `key of ${capability.slice(0, 10)} ${JSON.stringify(input).length}`)
        }
        yield* written
        return yield* entries
      }))
      assert.isAtLeast(found.length, 22)
      const files = fs.readdirSync(dataDirectory)
      assert.include(files, "gateway.db")
      for (const file of files) {
        assert.isFalse(fs.readFileSync(join(dataDirectory, file)).includes(marker), `it is in ${file}`)
      }
    }).pipe(quietly))

  it.scopedLive("is one chain where several gateways write it at once", () =>
    Effect.gen(function*() {
      const { dataDirectory, workspace } = yield* folders
      const database = join(dataDirectory, "gateway.db")
      const gateways = yield* Effect.all(Array.from({ length: 3 }, () => coreOn(database, workspace)))
      yield* Effect.forEach(gateways, ({ invoke }, gateway) =>
        Effect.forEach(
          Array.from({ length: 40 }, (_, index) => index),
          (index) =>
            Effect.zipRight(
              invoke("filesystem.append", { path: `file-${gateway}`, content: `${gateway}-${index}\n` }),
              invoke("system.time")
            ),
          { concurrency: 8 }
        ), { concurrency: "unbounded" })
      const [first] = gateways
      if (first === undefined) return assert.fail("there is no gateway")
      yield* until("all entries", Effect.map(first.entries, (found) => found.length === 3 * 40 * 3))
      const found = yield* verify(Context.get(first.services, AuditLog), [])
      assert.deepStrictEqual(found.damage, Option.none())
      assert.strictEqual(found.entries, 360)
      const sessions = new Set((yield* first.entries).map(({ sessionId }) => sessionId))
      assert.strictEqual(sessions.size, 3)
    }).pipe(quietly), 30_000)
})
