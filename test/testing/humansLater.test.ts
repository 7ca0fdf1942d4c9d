import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { Approvals } from "../../src/services/Approvals.js"
import { Capabilities } from "../../src/services/Capabilities.js"
import { State } from "../../src/services/State.js"
import { Transaction } from "../../src/services/Transaction.js"
import { MockGateway } from "../../src/testing/MockGateway.js"

const send = (message: string, context?: { readonly [name: string]: string }) =>
  Effect.flatMap(Capabilities, (capabilities) => capabilities.invoke("alerts.send", { message, context }))

const approvedSend = (message: string) => Approvals.awaitApproval()(send(message))

const layer = MockGateway.layer({
  policy: { tiers: { "alerts.*": "approval_required", "state.persistent.delete": "approval_required" } }
})

const sent = Effect.flatMap(
  MockGateway,
  ({ outbox }) => Effect.map(outbox, (all) => all.map(({ arguments: given }) => given))
)

describe("in a transaction", () => {
  const step = Effect.gen(function*() {
    const state = yield* State
    yield* state.session.set("before", 1)
    yield* state.persistent.delete("key")
  })

  const run = Effect.exit(Transaction.run(Approvals.awaitApproval()(step)))

  const withKey = MockGateway.layer({
    policy: { tiers: { "state.persistent.delete": "approval_required" } },
    state: { persistent: { key: 1 } }
  })

  it.effect("a request says which, and a refusal rolls it back", () =>
    Effect.gen(function*() {
      const { humans, invocations, state } = yield* MockGateway
      const fiber = yield* Effect.fork(run)
      const request = yield* humans.asked("state.persistent.delete")
      expect(request.transactionId).toBe((yield* invocations)[0]?.transactionId)
      expect(request.transactionId).toMatch(/^txn-/)
      yield* humans.reject(request.approvalId, "no")
      expect(Exit.isFailure(yield* Fiber.join(fiber))).toBe(true)
      expect(yield* state).toEqual({ session: {}, persistent: { key: 1 }, shared: {} })
    }).pipe(Effect.provide(withKey)))

  it.effect("an expiry rolls it back", () =>
    Effect.gen(function*() {
      const { humans, state } = yield* MockGateway
      yield* humans.expire("state.persistent.delete")
      expect(Exit.isFailure(yield* run)).toBe(true)
      expect(yield* state).toEqual({ session: {}, persistent: { key: 1 }, shared: {} })
    }).pipe(Effect.provide(withKey)))

  it.effect("an approval lets it go on", () =>
    Effect.gen(function*() {
      const { humans, state } = yield* MockGateway
      yield* humans.approve("state.persistent.delete", { after: "2 hours" })
      const fiber = yield* Effect.fork(run)
      yield* humans.asked("state.persistent.delete")
      yield* TestClock.adjust("2 hours")
      expect(Exit.isSuccess(yield* Fiber.join(fiber))).toBe(true)
      expect(yield* state).toEqual({ session: { before: 1 }, persistent: {}, shared: {} })
    }).pipe(Effect.provide(withKey)))
})

describe("when the gateway is restarted", () => {
  it.effect("humans go on with what waits, and what they had yet to decide", () =>
    Effect.gen(function*() {
      const { humans, restart, verify } = yield* MockGateway
      yield* humans.approve("alerts.send", { after: "20 minutes", times: 2 })
      const first = yield* Effect.fork(approvedSend("first"))
      const { approvalId } = yield* humans.asked("alerts.send")
      yield* restart
      expect((yield* humans.pending).map((request) => request.approvalId)).toEqual([approvalId])
      yield* TestClock.adjust("10 minutes")
      yield* restart
      const second = yield* Effect.fork(approvedSend("second"))
      yield* humans.asked(({ arguments: { message } }) => message === "second")
      yield* TestClock.adjust("10 minutes")
      yield* Fiber.join(first)
      yield* TestClock.adjust("10 minutes")
      yield* Fiber.join(second)
      yield* verify
    }).pipe(Effect.provide(layer)))

  it.effect("a request is seen that comes after it, by who waited before", () =>
    Effect.gen(function*() {
      const { humans, restart } = yield* MockGateway
      const asked = yield* Effect.fork(humans.asked("alerts.send"))
      yield* Effect.yieldNow()
      yield* restart
      yield* Effect.flip(send("hello"))
      expect((yield* Fiber.join(asked)).arguments).toEqual({ message: "hello" })
    }).pipe(Effect.provide(layer)))
})

describe("a decision that was made while there was no connection", () => {
  it.effect("is heard of at once when there is one again", () =>
    Effect.gen(function*() {
      const { dropConnection, humans, unreachable } = yield* MockGateway
      const fiber = yield* Effect.fork(approvedSend("hello"))
      yield* humans.asked("alerts.send")
      // By then nobody asks often.
      yield* TestClock.adjust("1 hour")
      yield* Effect.scoped(Effect.gen(function*() {
        yield* unreachable
        yield* dropConnection
        yield* humans.approve("alerts.send")
        yield* TestClock.adjust("1 second")
        expect(yield* sent).toEqual([{ message: "hello" }])
      }))
      expect(Option.isNone(yield* Fiber.poll(fiber))).toBe(true)
      yield* TestClock.adjust("5 seconds")
      expect(Option.isSome(yield* Fiber.poll(fiber))).toBe(true)
      yield* Fiber.join(fiber)
    }).pipe(Effect.provide(layer)))
})
