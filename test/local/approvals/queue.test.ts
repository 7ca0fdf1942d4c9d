import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as TestClock from "effect/TestClock"
import { masked } from "../../../src/local/approvals/maskSecrets.js"
import { at, listAt, textAt } from "../../support/json.js"
import { approving, errorType } from "./support.js"

const approve = { verdict: "approve", by: "supervisor" } as const

const reject = { verdict: "reject", by: "supervisor" } as const

describe("a request for approval", () => {
  it.scoped("runs once when it is approved, and its agent has the result", () =>
    Effect.gen(function*() {
      const { ask, call, queue, ran, run, sessionOf, settled } = yield* approving()
      const session = yield* sessionOf("one")
      const id = yield* ask(session, "a", { idempotency_key: "k" })
      assert.deepInclude(yield* call(session, "approvals.check", { approval_id: id }), {
        approval_id: id,
        capability: "test.run",
        status: "pending"
      })
      assert.deepStrictEqual(ran, [])
      const decided = yield* queue.decide(id, { ...approve, reason: "looks good" })
      assert.strictEqual(decided.status, "running")
      assert.strictEqual(yield* settled(id), "approved")
      const checked = yield* call(session, "approvals.check", { approval_id: id })
      const outcome = { success: true, data: { text: "a, done" } }
      assert.deepInclude(checked, {
        status: "approved",
        decided_by: "supervisor",
        reason: "looks good",
        result: outcome
      })
      assert.deepStrictEqual(yield* run(session, "a", { idempotency_key: "k" }), outcome)
      assert.deepInclude(yield* call(session, "capabilities.outcome", { idempotency_key: "k" }), { result: outcome })
      assert.deepStrictEqual(ran, ["a"])
    }))

  it.scoped("tells a plain client the statuses that it knows", () =>
    Effect.gen(function*() {
      const gate = yield* Effect.makeLatch()
      const { ask, call, queue, sessionOf, settled } = yield* approving({ run: (text) => Effect.as(gate.await, text) })
      const session = yield* sessionOf("one")
      const plain = (id: string) =>
        Effect.map(call(session, "kruxos/checkApproval", { request_id: id }), (answer) => textAt(answer, "status"))
      const id = yield* ask(session, "a")
      assert.strictEqual(yield* plain(id), "pending")
      yield* queue.decide(id, approve)
      assert.strictEqual(at(yield* call(session, "approvals.check", { approval_id: id }), "status"), "running")
      assert.strictEqual(yield* plain(id), "pending")
      yield* gate.open
      yield* settled(id)
      assert.strictEqual(yield* plain(id), "approved")
      const other = yield* ask(session, "b")
      yield* call(session, "approvals.withdraw", { approval_id: other })
      assert.strictEqual(yield* plain(other), "expired")
    }))

  it.scoped("is its agent's alone, and no decision is shared with an equal one of another", () =>
    Effect.gen(function*() {
      const { ask, call, queue, ran, run, sessionOf, settled } = yield* approving()
      const [one, two] = [yield* sessionOf("one"), yield* sessionOf("two")]
      for (const more of [{}, { idempotency_key: "same" }]) {
        const ids = [yield* ask(one, "a", more), yield* ask(two, "a", more)] as const
        assert.notStrictEqual(ids[0], ids[1])
        yield* queue.decide(ids[0], approve)
        yield* settled(ids[0])
        assert.strictEqual(errorType(yield* run(two, "a", more)), "ApprovalPending")
        const foreign = yield* Effect.exit(call(two, "approvals.check", { approval_id: ids[0] }))
        assert.include(String(foreign), "There is no request for approval")
        assert.include(
          String(yield* Effect.exit(call(two, "approvals.withdraw", { approval_id: ids[0] }))),
          "no request"
        )
        yield* queue.decide(ids[1], reject)
        assert.strictEqual(at(yield* run(one, "a", more), "success"), true)
      }
      assert.deepStrictEqual(ran, ["a", "a"])
      const listed = listAt(yield* call(two, "approvals.list"), "approvals")
      assert.deepStrictEqual(listed.map((item) => at(item, "status")), ["rejected", "rejected"])
    }))

  it.scoped("stands for its arguments: others are refused under its key, and are another request without", () =>
    Effect.gen(function*() {
      const { ask, queue, ran, run, sessionOf, settled } = yield* approving()
      const session = yield* sessionOf("one")
      const id = yield* ask(session, "a", { idempotency_key: "k" })
      assert.strictEqual(yield* ask(session, "a", { idempotency_key: "k" }), id)
      assert.strictEqual(errorType(yield* run(session, "b", { idempotency_key: "k" })), "InvalidInput")
      yield* queue.decide(id, approve)
      yield* settled(id)
      assert.strictEqual(errorType(yield* run(session, "b", { idempotency_key: "k" })), "InvalidInput")
      const unkeyed = yield* ask(session, "c")
      assert.strictEqual(yield* ask(session, "c"), unkeyed)
      assert.notStrictEqual(yield* ask(session, "d"), unkeyed)
      assert.deepStrictEqual(ran, ["a"])
    }))

  it.scoped("runs nothing when its arguments are not those that were shown", () =>
    Effect.gen(function*() {
      const { ask, call, inStore, queue, ran, sessionOf, settled } = yield* approving()
      const session = yield* sessionOf("one")
      const id = yield* ask(session, "a")
      yield* inStore(Effect.flatMap(
        SqlClient.SqlClient,
        (sql) => sql`UPDATE approvals SET arguments = ${"{\"text\":\"b\"}"} WHERE approval_id = ${id}`
      ))
      yield* queue.decide(id, approve)
      yield* settled(id)
      assert.strictEqual(
        errorType(at(yield* call(session, "approvals.check", { approval_id: id }), "result")),
        "InvalidInput"
      )
      assert.deepStrictEqual(ran, [])
    }))

  it.scoped("runs nothing when the policy or the agent's standing has changed meanwhile", () =>
    Effect.gen(function*() {
      const { agents, ask, call, decree, queue, ran, run, sessionOf, settled } = yield* approving()
      const session = yield* sessionOf("one")
      const approved = (key: string, change: Effect.Effect<void, unknown>) =>
        Effect.gen(function*() {
          const id = yield* ask(session, key, { idempotency_key: key })
          yield* change
          yield* queue.decide(id, approve)
          yield* settled(id)
          return id
        })
      const result = (id: string) =>
        Effect.map(call(session, "approvals.check", { approval_id: id }), (answer) => errorType(at(answer, "result")))

      const blocked = yield* approved("blocked", Effect.sync(() => decree("blocked")))
      assert.strictEqual(yield* result(blocked), "PolicyDenied")
      decree("approval_required")
      assert.strictEqual(errorType(yield* run(session, "blocked", { idempotency_key: "blocked" })), "PolicyDenied")

      const paused = yield* approved("paused", agents.pause("one"))
      yield* agents.resume("one")
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* result(paused), "SessionPaused")

      const revoked = yield* approved("revoked", agents.revoke("one"))
      const { result: kept } = yield* queue.get(revoked)
      assert.include(JSON.stringify(kept), "auth.agent_revoked")
      assert.deepStrictEqual(ran, [])
    }))

  it.scoped("expires, and cannot be decided any more", () =>
    Effect.gen(function*() {
      const { ask, call, queue, ran, run, sessionOf } = yield* approving()
      const session = yield* sessionOf("one")
      const id = yield* ask(session, "a", { idempotency_key: "k" })
      yield* TestClock.adjust("23 hours")
      assert.strictEqual((yield* queue.get(id)).status, "pending")
      yield* TestClock.adjust("1 hour")
      const refused = yield* Effect.flip(queue.decide(id, approve))
      assert.deepInclude(refused, { _tag: "ApprovalDecided", status: "expired" })
      yield* TestClock.adjust("1 second")
      assert.strictEqual(at(yield* call(session, "approvals.check", { approval_id: id }), "status"), "expired")
      assert.strictEqual(errorType(yield* run(session, "a", { idempotency_key: "k" })), "ApprovalExpired")
      assert.deepStrictEqual(listAt(yield* call(session, "approvals.list", { status: "pending" }), "approvals"), [])
      assert.lengthOf(listAt(yield* call(session, "approvals.list", { status: "expired" }), "approvals"), 1)
      assert.deepStrictEqual(ran, [])
    }))

  it.scoped("stays as it was decided", () =>
    Effect.gen(function*() {
      const { ask, call, queue, ran, run, sessionOf, settled } = yield* approving()
      const session = yield* sessionOf("one")
      const rejected = yield* ask(session, "a", { idempotency_key: "a" })
      yield* queue.decide(rejected, { ...reject, reason: "  \n" })
      assert.deepInclude(yield* Effect.flip(queue.decide(rejected, approve)), { status: "rejected" })
      const answer = yield* run(session, "a", { idempotency_key: "a" })
      assert.strictEqual(errorType(answer), "ApprovalRejected")
      assert.include(JSON.stringify(answer), "The supervisor gave no reason")

      const withdrawn = yield* ask(session, "b", { idempotency_key: "b" })
      assert.deepInclude(yield* call(session, "approvals.withdraw", { approval_id: withdrawn }), {
        status: "withdrawn"
      })
      assert.deepInclude(yield* Effect.flip(queue.decide(withdrawn, approve)), { status: "withdrawn" })
      assert.deepInclude(yield* call(session, "approvals.withdraw", { approval_id: withdrawn }), {
        status: "withdrawn"
      })
      assert.strictEqual(errorType(yield* run(session, "b", { idempotency_key: "b" })), "ApprovalExpired")

      const approved = yield* ask(session, "c")
      yield* queue.decide(approved, approve)
      yield* settled(approved)
      assert.deepInclude(yield* Effect.flip(queue.decide(approved, reject)), { status: "approved" })
      assert.deepInclude(yield* call(session, "approvals.withdraw", { approval_id: approved }), {
        status: "approved",
        result: { success: true, data: { text: "c, done" } }
      })
      assert.strictEqual((yield* Effect.flip(queue.decide("apr-unknown", approve)))._tag, "ApprovalNotFound")
      assert.deepStrictEqual(ran, ["c"])
    }))

  it.scoped("is decided by exactly one of many", () =>
    Effect.gen(function*() {
      const { ask, queue, ran, sessionOf, settled } = yield* approving()
      const session = yield* sessionOf("one")
      for (const text of ["a", "b", "c"]) {
        const id = yield* ask(session, text)
        const decisions = yield* Effect.all([
          ...Array.from({ length: 20 }, () => Effect.either(queue.decide(id, approve))),
          Effect.either(queue.withdraw("one", id)),
          ...Array.from({ length: 20 }, () => Effect.either(queue.decide(id, reject)))
        ], { concurrency: "unbounded" })
        assert.lengthOf(decisions.filter(Either.isRight), 1)
        const status = yield* settled(id)
        assert.strictEqual(ran.includes(text), status === "approved")
      }
    }))

  it.scoped("without a key gives its result once, to whoever comes first", () =>
    Effect.gen(function*() {
      const { ask, call, queue, ran, run, sessionOf, settled } = yield* approving()
      const session = yield* sessionOf("one")
      const decided = (text: string) =>
        Effect.gen(function*() {
          const id = yield* ask(session, text)
          yield* queue.decide(id, approve)
          yield* settled(id)
          return id
        })
      const asked = yield* decided("a")
      assert.deepInclude(yield* run(session, "a"), { data: { text: "a, done" } })
      assert.notStrictEqual(yield* ask(session, "a"), asked)

      const checked = yield* decided("b")
      for (let times = 0; times < 2; times++) {
        assert.nestedInclude(yield* call(session, "approvals.check", { approval_id: checked }), {
          "result.success": true
        })
      }
      assert.notStrictEqual(yield* ask(session, "b"), checked)
      assert.deepStrictEqual(ran, ["a", "b"])
    }))

  it.scoped("is refused where a thousand of the agent wait already", () =>
    Effect.gen(function*() {
      const { ask, run, sessionOf } = yield* approving()
      const [one, two] = [yield* sessionOf("one"), yield* sessionOf("two")]
      yield* Effect.forEach(Array.from({ length: 1000 }, (_, index) => `${index}`), (text) => ask(one, text))
      const refused = yield* run(one, "one more")
      assert.strictEqual(errorType(refused), "ResourceExhausted")
      assert.match(yield* ask(two, "one more"), /^apr-/)
      yield* TestClock.adjust("24 hours")
      assert.match(yield* ask(one, "one more"), /^apr-/)
    }))

  it.scoped("keeps and shows no secrets", () =>
    Effect.gen(function*() {
      const { call, inStore, queue, sessionOf, settled } = yield* approving()
      const session = yield* sessionOf("one")
      const secret = "hunter2-hunter2"
      const headers = { Authorization: `Bearer ${secret}`, Accept: "text/plain" }
      // Nothing of the kind is carried out here yet, so that it is not asked by way of an invocation.
      const ask = (url: string) =>
        queue.ask({
          agent: session.agent,
          capability: "network.http_request",
          input: { url, headers },
          decision: { tier: "approval_required", rule: "test:ask", reason: undefined },
          idempotencyKey: undefined
        }).pipe(
          Effect.flip,
          Effect.flatMap((error) =>
            error._tag === "ApprovalRequired" ? Effect.succeed(error.approvalId) : Effect.die(error)
          )
        )
      const shown = (id: string) =>
        Effect.gen(function*() {
          const record = yield* queue.get(id)
          const { approvals } = yield* queue.list({})
          assert.deepStrictEqual(at(record.arguments, "headers"), { Authorization: masked, Accept: "text/plain" })
          for (const text of [record, approvals, yield* call(session, "approvals.list")]) {
            assert.notInclude(JSON.stringify(text), secret)
          }
        })
      const ids = [yield* ask("https://a.example"), yield* ask("https://b.example"), yield* ask("https://c.example")]
      const [approved = "", rejected = "", withdrawn = ""] = ids
      yield* shown(approved)
      assert.notInclude(JSON.stringify(yield* queue.decide(approved, approve)), secret)
      yield* settled(approved)
      yield* queue.decide(rejected, reject)
      yield* queue.withdraw("one", withdrawn)
      for (const id of ids) yield* shown(id)
      const kept = yield* inStore(Effect.flatMap(SqlClient.SqlClient, (sql) => sql`SELECT * FROM approvals`))
      assert.lengthOf(kept, 3)
      assert.notInclude(JSON.stringify(kept), secret)
    }))
})
