import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { approving, errorType, eventually, turn } from "./support.js"

const approve = { verdict: "approve", by: "supervisor" } as const

const pendingOf = (queue: Effect.Effect.Success<ReturnType<typeof approving>>["queue"], count: number) =>
  Effect.map(
    eventually(queue.list({ status: "pending" }), ({ total }) => total === count),
    ({ approvals }) => approvals.map(({ approvalId }) => approvalId)
  )

describe("an invocation that is held", () => {
  it.scoped("is answered when its request has ended, whatever the end", () =>
    Effect.gen(function*() {
      const { queue, ran, run, sessionOf } = yield* approving()
      const session = yield* sessionOf("one")
      for (const more of [{}, { idempotency_key: "k" }]) {
        const held = yield* Effect.fork(run(session, "a", { hold_seconds: 3600, ...more }))
        const [id = ""] = yield* pendingOf(queue, 1)
        yield* TestClock.adjust("59 minutes")
        assert.isTrue(Option.isNone(yield* Fiber.poll(held)))
        yield* queue.decide(id, approve)
        assert.deepStrictEqual(yield* Fiber.join(held), { success: true, data: { text: "a, done" } })
      }
      assert.deepStrictEqual(ran, ["a", "a"])

      const refused = yield* Effect.fork(run(session, "b", { hold_seconds: 10 }))
      const [rejected = ""] = yield* pendingOf(queue, 1)
      yield* queue.decide(rejected, { verdict: "reject", by: "supervisor", reason: "no" })
      assert.strictEqual(errorType(yield* Fiber.join(refused)), "ApprovalRejected")

      const late = yield* Effect.fork(run(session, "c", { hold_seconds: 86_400 }))
      yield* pendingOf(queue, 1)
      yield* TestClock.adjust("24 hours")
      yield* TestClock.adjust("1 second")
      assert.strictEqual(errorType(yield* Fiber.join(late)), "ApprovalExpired")
    }))

  it.scoped("is answered as pending when that takes too long, and its request stays", () =>
    Effect.gen(function*() {
      const { ask, queue, ran, run, sessionOf, settled } = yield* approving()
      const session = yield* sessionOf("one")
      const held = yield* Effect.fork(run(session, "a", { hold_seconds: 1.5 }))
      const [id = ""] = yield* pendingOf(queue, 1)
      yield* TestClock.adjust("1500 millis")
      assert.strictEqual(errorType(yield* Fiber.join(held)), "ApprovalPending")
      assert.strictEqual(yield* ask(session, "a", { hold_seconds: 0 }), id)

      const cancelled = yield* Effect.fork(run(session, "a", { hold_seconds: 60 }))
      yield* Effect.repeatN(turn, 5)
      yield* Fiber.interrupt(cancelled)
      assert.strictEqual((yield* queue.get(id)).status, "pending")
      yield* queue.decide(id, approve)
      assert.strictEqual(yield* settled(id), "approved")
      assert.deepStrictEqual(ran, ["a"])
    }))

  it.scoped("is answered at once where its request has ended already", () =>
    Effect.gen(function*() {
      const { ask, queue, run, sessionOf, settled } = yield* approving()
      const session = yield* sessionOf("one")
      const id = yield* ask(session, "a", { idempotency_key: "k" })
      yield* queue.decide(id, approve)
      yield* settled(id)
      assert.deepInclude(yield* run(session, "a", { idempotency_key: "k", hold_seconds: 60 }), { success: true })
    }))

  it.scoped("gives its result to nobody else", () =>
    Effect.gen(function*() {
      const { ask, queue, run, sessionOf } = yield* approving()
      const session = yield* sessionOf("one")
      const held = yield* Effect.fork(run(session, "a", { hold_seconds: 60 }))
      const [id = ""] = yield* pendingOf(queue, 1)
      yield* queue.decide(id, approve)
      assert.deepInclude(yield* Fiber.join(held), { success: true })
      assert.notStrictEqual(yield* ask(session, "a"), id)
    }))

  it.scoped("keeps nothing else from running", () =>
    Effect.gen(function*() {
      const { decree, queue, run, sessionOf } = yield* approving()
      const session = yield* sessionOf("one")
      const held = yield* Effect.forEach(
        Array.from({ length: 300 }, (_, index) => `${index}`),
        (text) => Effect.fork(run(session, text, { hold_seconds: 60 }))
      )
      yield* pendingOf(queue, 300)
      decree("autonomous")
      assert.deepInclude(yield* run(session, "now"), { success: true })
      yield* TestClock.adjust("60 seconds")
      for (const answer of yield* Effect.forEach(held, Fiber.join)) {
        assert.strictEqual(errorType(answer), "ApprovalPending")
      }
    }))

  it.scoped("is refused when its agent was revoked meanwhile", () =>
    Effect.gen(function*() {
      const { agents, queue, run, sessionOf } = yield* approving()
      const session = yield* sessionOf("one")
      const held = yield* Effect.fork(Effect.exit(run(session, "a", { hold_seconds: 60 })))
      const [id = ""] = yield* pendingOf(queue, 1)
      yield* TestClock.adjust("1 second")
      yield* agents.revoke("one")
      yield* queue.decide(id, approve)
      assert.include(String(yield* Fiber.join(held)), "revoked")
    }))

  it.scoped.each([-1, 86_401, "60", Number.NaN])(
    "for %s seconds is not understood",
    (hold_seconds) =>
      Effect.gen(function*() {
        const { queue, run, sessionOf } = yield* approving()
        const exit = yield* Effect.exit(run(yield* sessionOf("one"), "a", { hold_seconds }))
        assert.include(String(exit), "The params are not valid")
        assert.strictEqual((yield* queue.list({})).total, 0)
      })
  )
})
