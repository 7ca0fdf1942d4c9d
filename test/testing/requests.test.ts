import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import { ServiceUnavailable } from "../../src/errors/general.js"
import { Approvals } from "../../src/services/Approvals.js"
import { Capabilities } from "../../src/services/Capabilities.js"
import { State } from "../../src/services/State.js"
import { Transaction } from "../../src/services/Transaction.js"
import { MockGateway } from "../../src/testing/MockGateway.js"
import * as Reply from "../../src/testing/Reply.js"

const mock = MockGateway.layer()

const lost = Reply.passThrough.pipe(Reply.dropReply)

const twoWrites = Effect.flatMap(
  State,
  ({ persistent, shared }) =>
    Effect.zipRight(persistent.set("step", 1), shared.set("owner", "agent", { expectedVersion: 0 }))
)

const committed = Effect.flatMap(
  MockGateway,
  ({ state }) => Effect.map(state, ({ persistent, shared }) => ({ ...persistent, ...shared }))
)

const all = { step: 1, owner: "agent" }

describe("the answer to a commit", () => {
  it.effect("that is lost leaves the outcome unknown, although everything is committed", () =>
    Effect.gen(function*() {
      const { expectRequest, verify } = yield* MockGateway
      yield* expectRequest("transaction.commit", lost)
      const running = yield* Effect.fork(Effect.flip(Transaction.run(twoWrites)))
      yield* TestClock.adjust("29 seconds")
      expect(running.unsafePoll()).toBe(null)
      expect(yield* committed).toEqual(all)
      yield* TestClock.adjust("1 minute")
      expect((yield* Fiber.join(running))._tag).toBe("OutcomeUnknown")
      yield* verify
    }).pipe(Effect.provide(mock)))

  it.effect.each(
    [
      ["whose connection drops before it", Reply.dropConnection()],
      ["whose connection drops after it", Reply.dropConnection("after")],
      ["that comes twice", Reply.duplicateReply],
      ["that is late", Reply.delay("10 seconds")],
      ["whose gateway is killed after it", Reply.gatewayRestart("after")]
    ] as const
  )("%s is that it is committed, once", ([, fault]) =>
    Effect.gen(function*() {
      const { expectRequest, verify } = yield* MockGateway
      yield* expectRequest("transaction.commit", fault(Reply.passThrough))
      const running = yield* Effect.fork(Transaction.run(twoWrites))
      yield* TestClock.adjust("20 seconds")
      yield* Fiber.join(running)
      expect(yield* committed).toEqual(all)
      yield* verify
    }).pipe(Effect.provide(mock)))

  it.effect("whose gateway is killed before it is that nothing is committed", () =>
    Effect.gen(function*() {
      const { expectRequest, verify } = yield* MockGateway
      yield* expectRequest("transaction.commit", Reply.passThrough.pipe(Reply.gatewayRestart()))
      const running = yield* Effect.fork(Effect.flip(Transaction.run(twoWrites)))
      yield* TestClock.adjust("1 minute")
      expect((yield* Fiber.join(running))._tag).toBe("TransactionClosed")
      expect(yield* committed).toEqual({})
      yield* verify
    }).pipe(Effect.provide(mock)))

  it.effect("that refuses it for some time is waited for", () =>
    Effect.gen(function*() {
      const { expectRequest, verify } = yield* MockGateway
      yield* expectRequest("transaction.commit", Reply.rateLimit({ retryAfter: "5 seconds" }))
      const running = yield* Effect.fork(Transaction.run(twoWrites))
      yield* TestClock.adjust("4 seconds")
      expect(yield* committed).toEqual({})
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(running)
      expect(yield* committed).toEqual(all)
      yield* verify
    }).pipe(Effect.provide(mock)))
})

describe("the answer to a begin", () => {
  it.effect("that is lost fails before anything has happened", () =>
    Effect.gen(function*() {
      const { expectRequest, invocations, verify } = yield* MockGateway
      yield* expectRequest("transaction.begin", lost)
      const running = yield* Effect.fork(Effect.flip(Transaction.run(twoWrites)))
      yield* TestClock.adjust("1 minute")
      expect((yield* Fiber.join(running))._tag).toBe("GatewayTimeout")
      expect(yield* invocations).toEqual([])
      yield* verify
    }).pipe(Effect.provide(mock)))

  it.effect("can be a refusal", () =>
    Effect.gen(function*() {
      const { expectRequest } = yield* MockGateway
      yield* expectRequest(
        "transaction.begin",
        Reply.failWith(new ServiceUnavailable({ message: "full", retryAfter: Duration.minutes(5) }))
      )
      const running = yield* Effect.fork(Effect.flip(Transaction.run(twoWrites)))
      yield* TestClock.adjust("1 minute")
      expect(yield* Fiber.join(running)).toMatchObject({ _tag: "ServiceUnavailable", message: "full" })
    }).pipe(Effect.provide(mock)))
})

describe("the answer to a rollback", () => {
  const failing = Effect.flip(Transaction.run(Effect.zipRight(twoWrites, Effect.fail("no" as const))))

  it.effect("that is lost leaves it unknown whether it is rolled back, and says why it was to be", () =>
    Effect.gen(function*() {
      const { expectRequest, verify } = yield* MockGateway
      yield* expectRequest("transaction.rollback", lost)
      const running = yield* Effect.fork(failing)
      yield* TestClock.adjust("1 minute")
      expect(yield* Fiber.join(running)).toMatchObject({ _tag: "OutcomeUnknown", cause: "no" })
      expect(yield* committed).toEqual({})
      yield* verify
    }).pipe(Effect.provide(mock)))

  it.effect("whose connection drops after it changes nothing about it, nor about why", () =>
    Effect.gen(function*() {
      const { expectRequest, verify } = yield* MockGateway
      yield* expectRequest("transaction.rollback", Reply.passThrough.pipe(Reply.dropConnection("after")))
      expect(yield* failing).toBe("no")
      expect(yield* committed).toEqual({})
      yield* verify
    }).pipe(Effect.provide(mock)))
})

describe("the answer to a question for an approval", () => {
  it.effect("that is lost is asked for again, and what was approved runs once", () =>
    Effect.gen(function*() {
      const { expectRequest, humans, outbox, verify } = yield* MockGateway
      const { invoke } = yield* Capabilities
      yield* expectRequest("approvals.check", lost.pipe(Reply.times(2)))
      const sending = yield* Effect.fork(Approvals.awaitApproval()(invoke("alerts.send", { message: "hello" })))
      const { approvalId } = yield* humans.asked("alerts.send", { while: sending })
      yield* humans.approve(approvalId)
      yield* TestClock.adjust("3 minutes")
      expect((yield* Fiber.join(sending)).severity).toBe("info")
      expect((yield* outbox).length).toBe(1)
      yield* verify
    }).pipe(Effect.provide(MockGateway.layer({ policy: { tiers: { "alerts.send": "approval_required" } } }))))
})

describe("verify", () => {
  it.effect("knows of requests that did not come", () =>
    Effect.gen(function*() {
      const { expectRequest, verify } = yield* MockGateway
      yield* expectRequest("transaction.commit", lost.pipe(Reply.times(2)))
      expect((yield* Effect.flip(verify)).mismatches).toEqual([
        { _tag: "Unused", what: "the request transaction.commit", left: 2 }
      ])
    }).pipe(Effect.provide(mock)))
})
