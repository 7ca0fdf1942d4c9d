import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as fs from "node:fs"
import { join } from "node:path"
import { digestOf } from "../../../src/local/approvals/digest.js"
import * as EffectChecks from "../../../src/local/recovery/EffectChecks.js"
import * as Turns from "../../../src/local/recovery/Turns.js"
import { Workspaces } from "../../../src/local/sessions/Workspaces.js"
import { ApprovalRequests } from "../../../src/local/store/Approvals.js"
import { AuditPages } from "../../../src/local/store/AuditPages.js"
import { KeyedInvocations } from "../../../src/local/store/KeyedInvocations.js"
import { PersistentState } from "../../../src/local/store/PersistentState.js"
import { until } from "../../support/deadline.js"
import { folders } from "../../support/gateway.js"
import { at } from "../../support/json.js"
import { rpc } from "../../support/rawHttp.js"
import { initialized, type RawSocket } from "../../support/rawSocket.js"
import { serveCore, type Serving } from "../protocol/customGateway.js"

interface Call {
  readonly capability: string
  readonly input: { readonly [name: string]: unknown }
}

const agent = "agent"

const sourceOf = (key: string) => `run of ${key}`

/** A gateway that is stopped without a word in the middle of what it is told to have begun, and the next one on its data. */
const cutOff = Effect.gen(function*() {
  const used = yield* folders
  const scope = yield* Scope.make()
  const first = yield* Scope.extend(serveCore({}, Effect.succeed(used)), scope)
  const { shared: workspace } = Context.get(first.services, Workspaces)
  const checks = yield* EffectChecks.EffectChecks.pipe(
    Effect.provide(Layer.provide(EffectChecks.layer, Turns.layer)),
    Effect.provide(first.services)
  )
  const records = Context.get(first.services, KeyedInvocations)

  /** As far as a gateway comes whose handler has not begun. */
  const waits = (key: string, { capability, input }: Call) =>
    Effect.flatMap(digestOf(input), (digest) => records.begin({ agent, idempotencyKey: key }, { capability, digest }))

  /** As far as one comes whose handler begins. */
  const begins = (key: string, call: Call, root = workspace.root) =>
    Effect.gen(function*() {
      yield* waits(key, call)
      const check = checks.get(call.capability)
      const source = sourceOf(key)
      const journal = check === undefined ? undefined : {
        arguments: call.input,
        workspace: root,
        source,
        before: yield* check.before(call.input, { agent, workspace, source })
      }
      yield* records.enter({ agent, idempotencyKey: key }, journal)
    })

  const host = (path: string) => join(used.workspace, path)
  return {
    first,
    waits,
    begins,
    host,
    text: (path: string) => fs.readFileSync(host(path), "utf8"),
    next: Effect.zipRight(Scope.close(scope, Exit.void), serveCore({}, Effect.succeed(used)))
  }
})

const outcome = (socket: RawSocket, key: string) =>
  Effect.map(socket.call("capabilities.outcome", { idempotency_key: key }), (answer) => at(answer, "result"))

const invoke = (socket: RawSocket, key: string, { capability, input }: Call) =>
  Effect.map(
    socket.call("capabilities.invoke", { capability, arguments: input, idempotency_key: key }),
    (answer) => at(answer, "result")
  )

const done = (data: unknown) => ({ status: "done", result: { success: true, data } })

/** What the audit log says of the invocations that were cut off, by their keys. */
const resolved = ({ services }: Serving, count: number) =>
  Effect.gen(function*() {
    let found: ReadonlyArray<readonly [string | null, unknown]> = []
    const pages = Context.get(services, AuditPages)
    yield* until(
      "the audit log to tell of them",
      Effect.map(pages.page({}, { limit: 100, offset: 0 }), (entries) => {
        found = entries.flatMap(({ details, idempotencyKey, kind }) =>
          kind === "invocation_resolved" ? [[idempotencyKey, JSON.parse(details)] as const] : []
        )
        return found.length === count
      }).pipe(Effect.orDie)
    )
    return Object.fromEntries(found)
  })

const append: Call = { capability: "filesystem.append", input: { path: "log", content: "a whole line\n" } }

describe("an invocation that was cut off", () => {
  it.scopedLive("is answered from the record where it took effect, and does not run again", () =>
    Effect.gen(function*() {
      const { begins, host, next, text } = yield* cutOff
      yield* begins("k", append)
      fs.writeFileSync(host("log"), "a whole line\n")
      const serving = yield* next
      const socket = yield* initialized(serving.gateway)
      const output = { path: "/workspace/log", new_size: 13 }
      assert.deepStrictEqual(yield* outcome(socket, "k"), done(output))
      assert.deepStrictEqual(yield* invoke(socket, "k", append), { success: true, data: output })
      assert.strictEqual(text("log"), "a whole line\n")
      assert.deepStrictEqual(yield* resolved(serving, 1), { k: { outcome: "done" } })
    }))

  it.scopedLive("is forgotten where it did nothing, and a repeat runs it", () =>
    Effect.gen(function*() {
      const { begins, next, text, waits } = yield* cutOff
      yield* begins("k", append)
      yield* waits("waits", { capability: "test.run", input: { text: "any" } })
      yield* waits("session", { capability: "state.session.set", input: { key: "a", value: 1 } })
      const serving = yield* next
      const socket = yield* initialized(serving.gateway)
      for (const key of ["k", "waits", "session"]) {
        assert.deepStrictEqual(yield* outcome(socket, key), { status: "not_found" }, key)
      }
      assert.deepInclude(yield* invoke(socket, "k", append), { success: true })
      assert.strictEqual(text("log"), "a whole line\n")
      const nothing = { outcome: "not_done" }
      assert.deepStrictEqual(yield* resolved(serving, 3), { k: nothing, waits: nothing, session: nothing })
    }))

  it.scopedLive("is finished where it was cut off in the middle", () =>
    Effect.gen(function*() {
      const { begins, host, next, text } = yield* cutOff
      yield* begins("k", append)
      fs.writeFileSync(host("log"), "a who")
      const serving = yield* next
      const socket = yield* initialized(serving.gateway)
      assert.deepStrictEqual(yield* outcome(socket, "k"), done({ path: "/workspace/log", new_size: 13 }))
      assert.strictEqual(text("log"), "a whole line\n")
      assert.deepStrictEqual(yield* resolved(serving, 1), { k: { outcome: "finished" } })
    }))

  it.scopedLive("stays unknown where that cannot be told, and does not run again", () =>
    Effect.gen(function*() {
      const { begins, host, next, text } = yield* cutOff
      yield* begins("changed", append)
      fs.writeFileSync(host("log"), "somebody else's")
      const write: Call = { capability: "filesystem.write", input: { path: "b", content: "x" } }
      yield* begins("moved", write, "/another/workspace")
      const run: Call = { capability: "test.run", input: { text: "any" } }
      yield* begins("pack", run)
      const serving = yield* next
      const socket = yield* initialized(serving.gateway)
      for (const [key, call] of Object.entries({ changed: append, moved: write, pack: run })) {
        assert.deepStrictEqual(yield* outcome(socket, key), { status: "unknown" }, key)
        assert.deepInclude(at(yield* invoke(socket, key, call), "error"), { type: "OutcomeUnknown" }, key)
      }
      assert.strictEqual(text("log"), "somebody else's")
      assert.isFalse(fs.existsSync(host("b")))
      assert.deepStrictEqual(yield* resolved(serving, 3), {
        changed: {
          outcome: "unknown",
          reason: "/workspace/log is neither as it was nor as it would be: somebody else changed it"
        },
        moved: { outcome: "unknown", reason: "its workspace is no longer there" },
        pack: { outcome: "unknown", reason: "its effect cannot be told" }
      })
    }))

  it.scopedLive("is told from an equal one by what it wrote into the state", () =>
    Effect.gen(function*() {
      const { begins, first, next } = yield* cutOff
      const set: Call = { capability: "state.persistent.set", input: { key: "a", value: 1 } }
      const state = Context.get(first.services, PersistentState)
      const write = (source: string) => state.set("a", "1", { agent, source, at: 0 })
      yield* write("an earlier one")
      yield* begins("one", set)
      yield* begins("two", set)
      yield* write(sourceOf("one"))
      const socket = yield* initialized((yield* next).gateway)
      assert.deepStrictEqual(yield* outcome(socket, "one"), done({ version: 2, previous_version: 1 }))
      assert.deepStrictEqual(yield* outcome(socket, "two"), { status: "not_found" })
    }))

  it.scopedLive("tells the story of its request, where it was asking for approval", () =>
    Effect.gen(function*() {
      const { first, host, next, waits } = yield* cutOff
      const remove: Call = { capability: "filesystem.delete", input: { path: "/workspace/a" } }
      fs.writeFileSync(host("a"), "x")
      const { approvalId } = yield* Context.get(first.services, ApprovalRequests).request({
        agent,
        capability: remove.capability,
        arguments: remove.input,
        digest: yield* digestOf(remove.input),
        rule: "a rule",
        idempotencyKey: "k",
        expiresAt: DateTime.add(yield* DateTime.now, { hours: 1 })
      })
      yield* waits("k", remove)
      const serving = yield* next
      const socket = yield* initialized(serving.gateway)
      const pending = yield* outcome(socket, "k")
      assert.deepInclude(at(pending, "result", "error"), { type: "ApprovalPending" })
      assert.strictEqual(at(pending, "result", "error", "context", "approval_id"), approvalId)
      assert.deepStrictEqual(yield* resolved(serving, 1), { k: { outcome: "asked" } })
      const { api, supervisorToken } = serving.gateway
      yield* Effect.promise(() =>
        fetch(`${api}/approvals/${approvalId}/approve`, {
          method: "POST",
          headers: { authorization: `Bearer ${supervisorToken}`, "content-type": "application/json" },
          body: "{}"
        })
      )
      yield* until(
        "the outcome of what was approved",
        Effect.map(
          rpc(serving.gateway, "capabilities.outcome", { idempotency_key: "k" }),
          (found) => at(found, "result", "result", "success") === true
        )
      )
      assert.isFalse(fs.existsSync(host("a")))
    }))

  it.scopedLive("is not answered by a request that was made with its key for something else, long before", () =>
    Effect.gen(function*() {
      const { first, next, waits } = yield* cutOff
      const old = { path: "/workspace/old" }
      yield* Context.get(first.services, ApprovalRequests).request({
        agent,
        capability: "filesystem.delete",
        arguments: old,
        digest: yield* digestOf(old),
        rule: "a rule",
        idempotencyKey: "k",
        expiresAt: DateTime.add(yield* DateTime.now, { hours: 1 })
      })
      yield* waits("k", { capability: "filesystem.delete", input: { path: "/workspace/new" } })
      const serving = yield* next
      assert.deepStrictEqual(yield* outcome(yield* initialized(serving.gateway), "k"), { status: "not_found" })
      assert.deepStrictEqual(yield* resolved(serving, 1), { k: { outcome: "not_done" } })
    }))

  it.scopedLive("leaves none of its arguments in the store", () =>
    Effect.gen(function*() {
      const { begins, host, next } = yield* cutOff
      const secret = (path: string): Call => ({ capability: "filesystem.write", input: { path, content: "a secret" } })
      for (const each of ["done", "not", "changed"]) yield* begins(each, secret(each))
      fs.writeFileSync(host("done"), "a secret")
      fs.writeFileSync(host("changed"), "somebody else's")
      const { services } = yield* next
      const rows = yield* Context.get(services, SqlClient.SqlClient)`SELECT * FROM keyed_invocations`
      assert.lengthOf(rows, 2)
      assert.notInclude(JSON.stringify(rows), "secret")
    }))
})

it.scopedLive("what leaves nothing behind is not on record as begun, so that it is known to have done nothing", () =>
  Effect.gen(function*() {
    const { gateway, services } = yield* serveCore({})
    const sql = Context.get(services, SqlClient.SqlClient)
    yield* sql`CREATE TABLE begun (capability TEXT)`
    yield* sql`
      CREATE TRIGGER begins AFTER UPDATE OF stage ON keyed_invocations WHEN NEW.stage = 'begun'
      BEGIN INSERT INTO begun VALUES (NEW.capability); END`
    const socket = yield* initialized(gateway)
    const calls: ReadonlyArray<Call> = [
      { capability: "filesystem.write", input: { path: "a", content: "text" } },
      { capability: "filesystem.read", input: { path: "a" } },
      { capability: "filesystem.search_content", input: { path: ".", pattern: "text" } },
      { capability: "state.session.set", input: { key: "a", value: 1 } }
    ]
    for (const call of calls) {
      assert.deepInclude(yield* invoke(socket, call.capability, call), { success: true }, call.capability)
    }
    assert.deepStrictEqual(yield* sql`SELECT capability FROM begun`, [{ capability: "filesystem.write" }])
  }))

describe("two equal appends that are cut off at once", () => {
  it.scopedLive("are one that has begun and one that waits for it", () =>
    Effect.gen(function*() {
      const { begins, host, next, text, waits } = yield* cutOff
      fs.writeFileSync(host("log"), "a whole line\n")
      yield* begins("one", append)
      fs.appendFileSync(host("log"), "a whole line\n")
      yield* waits("two", append)
      const socket = yield* initialized((yield* next).gateway)
      assert.deepStrictEqual(yield* outcome(socket, "one"), done({ path: "/workspace/log", new_size: 26 }))
      assert.deepStrictEqual(yield* outcome(socket, "two"), { status: "not_found" })
      assert.strictEqual(text("log"), "a whole line\n".repeat(2))
    }))
})
