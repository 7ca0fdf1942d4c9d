import * as SqlClient from "@effect/sql/SqlClient"
import { SqlError } from "@effect/sql/SqlError"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { ApprovalRequests } from "../../../src/local/store/Approvals.js"
import { Sessions } from "../../../src/local/store/Sessions.js"
import * as Store from "../../../src/local/store/Store.js"
import { Trash } from "../../../src/local/store/Trash.js"
import { temporaryDatabase, withStore } from "./support.js"

const inMemory = withStore(":memory:")

const at = (milliseconds: number) => DateTime.unsafeMake(milliseconds)

describe("sessions", () => {
  it.effect("begin and end", () =>
    inMemory(Effect.gen(function*() {
      const sessions = yield* Sessions
      yield* TestClock.setTime(1000)
      const started = yield* sessions.start({ sessionId: "s1", agent: "one", transport: "websocket", clientName: "c" })
      assert.deepStrictEqual(started, {
        sessionId: "s1",
        agent: "one",
        transport: "websocket",
        clientName: Option.some("c"),
        startedAt: at(1000),
        endedAt: Option.none(),
        orphaned: false,
        invocations: 0
      })
      assert.isTrue(Option.isNone(yield* sessions.lastEnded("one")))
      yield* TestClock.setTime(2000)
      yield* sessions.end("s1", { invocations: 7 })
      yield* TestClock.setTime(3000)
      yield* sessions.end("s1", { invocations: 8 })
      yield* sessions.end("unknown", { invocations: 1 })
      const ended = { ...started, endedAt: Option.some(at(2000)), invocations: 7 }
      assert.deepStrictEqual(yield* sessions.lastEnded("one"), Option.some(ended))
      assert.deepStrictEqual(yield* sessions.list(), [ended])
      const error = yield* Effect.flip(sessions.start({ sessionId: "s1", agent: "two", transport: "http" }))
      assert.instanceOf(error, SqlError)
    })))

  it.effect("are listed newest first, by agent and up to a limit", () =>
    inMemory(Effect.gen(function*() {
      const sessions = yield* Sessions
      for (const [index, agent] of ["one", "two", "one", "two"].entries()) {
        yield* TestClock.setTime(index)
        yield* sessions.start({ sessionId: `s${index}`, agent, transport: "http" })
      }
      yield* sessions.end("s2", { invocations: 0 })
      yield* TestClock.setTime(50)
      yield* sessions.end("s0", { invocations: 0 })
      const ids = (filter?: { agent?: string; limit?: number }) =>
        Effect.map(sessions.list(filter), (all) => all.map((session) => session.sessionId))
      assert.deepStrictEqual(yield* ids(), ["s3", "s2", "s1", "s0"])
      assert.deepStrictEqual(yield* ids({ agent: "two" }), ["s3", "s1"])
      assert.deepStrictEqual(yield* ids({ limit: 1 }), ["s3"])
      assert.strictEqual(Option.getOrThrow(yield* sessions.lastEnded("one")).sessionId, "s0")
    })))

  it.scoped("that a crash left open are ended by the next gateway", () =>
    Effect.gen(function*() {
      const filename = yield* temporaryDatabase
      yield* withStore(filename)(Effect.gen(function*() {
        const sessions = yield* Sessions
        for (const sessionId of ["a", "b", "c"]) yield* sessions.start({ sessionId, agent: "one", transport: "http" })
        yield* sessions.end("b", { invocations: 2 })
      }))
      yield* TestClock.setTime(9000)
      // Another gateway on the same data, which still runs.
      const other = Context.get(yield* Layer.build(Store.layer({ filename })), Sessions)
      yield* other.start({ sessionId: "theirs", agent: "one", transport: "http" })
      yield* withStore(filename)(Effect.gen(function*() {
        const sessions = yield* Sessions
        assert.strictEqual(yield* sessions.closeOrphans, 2)
        assert.strictEqual(yield* sessions.closeOrphans, 0)
        const all = yield* sessions.list()
        assert.sameDeepMembers(
          all.map(({ endedAt, orphaned, sessionId }) => [
            sessionId,
            orphaned,
            Option.map(endedAt, DateTime.toEpochMillis)
          ]),
          [
            ["a", true, Option.some(9000)],
            ["b", false, Option.some(0)],
            ["c", true, Option.some(9000)],
            ["theirs", false, Option.none()]
          ]
        )
      }))
    }))
})

describe("trash", () => {
  const entry = (trashPath: string, until: number) => ({
    trashPath,
    originalPath: "/workspace/ä \"b\".txt",
    agent: "one",
    kind: "file" as const,
    size: 5_000_000_000,
    recoverableUntil: at(until)
  })

  it.effect("finds what was added, and removes it once", () =>
    inMemory(Effect.gen(function*() {
      const trash = yield* Trash
      yield* TestClock.setTime(500)
      const added = yield* trash.add(entry("t1", 1000))
      assert.deepStrictEqual(added, { ...entry("t1", 1000), deletedAt: at(500) })
      assert.deepStrictEqual(yield* trash.find("t1"), Option.some(added))
      assert.isTrue(Option.isNone(yield* trash.find("t2")))
      assert.instanceOf(yield* Effect.flip(trash.add(entry("t1", 2000))), SqlError)
      const removals = yield* Effect.all([trash.remove("t1"), trash.remove("t1")], { concurrency: "unbounded" })
      assert.deepStrictEqual(removals, [true, false])
      assert.isTrue(Option.isNone(yield* trash.find("t1")))
    })))

  it.effect("says what has expired, oldest first", () =>
    inMemory(Effect.gen(function*() {
      const trash = yield* Trash
      for (const [path, until] of [["c", 3000], ["a", 1000], ["b", 2000]] as const) yield* trash.add(entry(path, until))
      const paths = (now: number) => Effect.map(trash.expired(at(now)), (all) => all.map((one) => one.trashPath))
      assert.deepStrictEqual(yield* paths(999), [])
      assert.deepStrictEqual(yield* paths(1000), ["a"])
      assert.deepStrictEqual(yield* paths(2500), ["a", "b"])
    })))
})

describe("approval requests", () => {
  const request = {
    agent: "one",
    capability: "process.run",
    arguments: { command: "make", list: [1, null, { text: "a\0b" }] },
    digest: "d".repeat(64),
    rule: "tier",
    expiresAt: at(10_000)
  }

  it.effect("are kept with their arguments, for their agent alone", () =>
    inMemory(Effect.gen(function*() {
      const approvals = yield* ApprovalRequests
      yield* TestClock.setTime(1000)
      const made = yield* approvals.request(request)
      assert.match(made.approvalId, /^apr-[0-9a-f]{32}$/)
      assert.deepStrictEqual(made, {
        ...request,
        approvalId: made.approvalId,
        reason: Option.none(),
        idempotencyKey: Option.none(),
        status: "pending",
        requestedAt: at(1000),
        decidedAt: Option.none(),
        decidedBy: Option.none(),
        decisionReason: Option.none(),
        beganAt: Option.none(),
        before: Option.none(),
        transactionId: Option.none(),
        traceparent: Option.none(),
        result: Option.none()
      })
      const { approvalId } = made
      assert.deepStrictEqual(yield* approvals.get({ agent: "one", approvalId }), Option.some(made))
      assert.isTrue(Option.isNone(yield* approvals.get({ agent: "two", approvalId })))
      assert.isTrue(Option.isNone(yield* approvals.get({ agent: "one", approvalId: "apr-unknown" })))
      assert.strictEqual((yield* approvals.request(request)).approvalId, approvalId)
      const other = yield* approvals.request({ ...request, digest: "e".repeat(64), reason: "because" })
      assert.notStrictEqual(other.approvalId, approvalId)
      assert.deepStrictEqual(other.reason, Option.some("because"))
    })))

  it.effect("read as expired once their time has passed", () =>
    inMemory(Effect.gen(function*() {
      const approvals = yield* ApprovalRequests
      const { approvalId } = yield* approvals.request(request)
      const status = Effect.map(approvals.get({ agent: "one", approvalId }), (found) => Option.getOrThrow(found).status)
      yield* TestClock.setTime(9_999)
      assert.strictEqual(yield* status, "pending")
      yield* TestClock.setTime(10_000)
      assert.strictEqual(yield* status, "expired")
    })))

  it.effect("that wait are counted, whoever made them", () =>
    inMemory(Effect.gen(function*() {
      const approvals = yield* ApprovalRequests
      const sql = yield* SqlClient.SqlClient
      assert.strictEqual(yield* approvals.pendingCount, 0)
      yield* approvals.request(request)
      yield* approvals.request({ ...request, agent: "two", expiresAt: at(20_000) })
      const decided = yield* approvals.request({ ...request, digest: "e".repeat(64), expiresAt: at(20_000) })
      yield* sql`UPDATE approvals SET status = 'approved' WHERE approval_id = ${decided.approvalId}`
      yield* TestClock.setTime(9_999)
      assert.strictEqual(yield* approvals.pendingCount, 2)
      yield* TestClock.setTime(10_000)
      assert.strictEqual(yield* approvals.pendingCount, 1)
    })))

  it.effect("take JSON values only", () =>
    inMemory(Effect.gen(function*() {
      const approvals = yield* ApprovalRequests
      for (const bad of [undefined, () => 1, 1n]) {
        assert.instanceOf(yield* Effect.flip(approvals.request({ ...request, arguments: bad })), SqlError)
      }
    })))

  it.effect("whose row is not what it should be are an error, not a wrong answer", () =>
    inMemory(Effect.gen(function*() {
      const approvals = yield* ApprovalRequests
      const sql = yield* SqlClient.SqlClient
      const { approvalId } = yield* approvals.request(request)
      for (const damage of [sql`UPDATE approvals SET arguments = '{'`, sql`UPDATE approvals SET status = 'maybe'`]) {
        yield* Effect.exit(
          sql.withTransaction(Effect.gen(function*() {
            yield* damage
            assert.instanceOf(yield* Effect.flip(approvals.get({ agent: "one", approvalId })), SqlError)
            return yield* Effect.fail("undo")
          })).pipe(Effect.flip, Effect.tap((reason) => assert.strictEqual(reason, "undo")))
        )
      }
    })))
})
