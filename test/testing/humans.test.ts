import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import { Approvals } from "../../src/services/Approvals.js"
import { Capabilities } from "../../src/services/Capabilities.js"
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

describe("decisions", () => {
  it.effect("are for a request that waits already", () =>
    Effect.gen(function*() {
      const { humans, verify } = yield* MockGateway
      const fiber = yield* Effect.fork(approvedSend("hello"))
      const request = yield* humans.asked("alerts.send")
      expect(request).toMatchObject({
        capability: "alerts.send",
        arguments: { message: "hello" },
        agent: "agent",
        transactionId: undefined
      })
      expect(yield* humans.pending).toEqual([request])
      yield* humans.approve(request.approvalId)
      expect(yield* humans.pending).toEqual([])
      expect((yield* Fiber.join(fiber)).severity).toBe("info")
      yield* verify
    }).pipe(Effect.provide(layer)))

  it.effect("are for requests to come, as many as they say", () =>
    Effect.gen(function*() {
      const { humans, verify } = yield* MockGateway
      yield* humans.approve("alerts.send", { times: 2 })
      yield* approvedSend("one")
      yield* approvedSend("two")
      yield* verify
      const third = yield* Effect.flip(send("three"))
      expect(third._tag).toBe("ApprovalRequired")
      expect((yield* humans.pending).map(({ arguments: { message } }) => message)).toEqual(["three"])
    }).pipe(Effect.provide(layer)))

  it.effect("for all that come are not used up, and need not be used", () =>
    Effect.gen(function*() {
      const { humans, verify } = yield* MockGateway
      yield* humans.approve(({ arguments: { message } }) => message !== "no", { times: Infinity })
      yield* verify
      yield* Effect.forEach(["one", "two", "three"], approvedSend)
      expect(yield* sent).toEqual([{ message: "one" }, { message: "two" }, { message: "three" }])
      expect((yield* Effect.flip(send("no")))._tag).toBe("ApprovalRequired")
      yield* humans.asked(({ arguments: { message } }) => message === "no")
    }).pipe(Effect.provide(layer)))

  it.effect("are tried in the order in which they were made, for the oldest request first", () =>
    Effect.gen(function*() {
      const { humans } = yield* MockGateway
      const asked = yield* Effect.forEach(["one", "two", "three"], (message) => Effect.flip(send(message)))
      expect((yield* humans.pending).map(({ arguments: { message } }) => message)).toEqual(["one", "two", "three"])
      yield* humans.reject("alerts.send", "the first")
      yield* humans.approve("alerts.send")
      yield* humans.reject("alerts.send", "the last")
      const approvals = yield* Approvals
      const ends = yield* Effect.forEach(
        asked,
        (error) => error._tag === "ApprovalRequired" ? approvals.wait(error) : Effect.die(error)
      )
      expect(ends.map(({ reason, status }) => [status, reason])).toEqual([
        ["rejected", "the first"],
        ["approved", undefined],
        ["rejected", "the last"]
      ])
    }).pipe(Effect.provide(layer)))

  it.effect("refuse with a reason", () =>
    Effect.gen(function*() {
      const { humans, invocations } = yield* MockGateway
      yield* humans.reject("alerts.send", "not now")
      const error = yield* Effect.flip(approvedSend("hello"))
      expect(error).toMatchObject({ _tag: "ApprovalRejected", reason: "not now" })
      expect((yield* invocations).length).toBe(1)
      expect(yield* sent).toEqual([])
    }).pipe(Effect.provide(layer)))

  it.effect("let a request expire without any time passing", () =>
    Effect.gen(function*() {
      const { humans } = yield* MockGateway
      const approvals = yield* Approvals
      yield* humans.expire("alerts.send")
      const fiber = yield* Effect.fork(Effect.flip(approvedSend("hello")))
      expect((yield* Fiber.join(fiber))._tag).toBe("ApprovalExpired")
      expect((yield* approvals.list({ status: "expired" })).length).toBe(1)
      expect(yield* humans.pending).toEqual([])
      const again = yield* Effect.flip(send("again"))
      if (again._tag !== "ApprovalRequired") return yield* Effect.die(again)
      yield* humans.expire(again.approvalId)
      expect((yield* approvals.check(again)).status).toBe("expired")
    }).pipe(Effect.provide(layer)))

  it.effect("come later, by the Clock, counted from the request", () =>
    Effect.gen(function*() {
      const { humans } = yield* MockGateway
      yield* humans.approve("alerts.send", { after: "20 minutes" })
      yield* TestClock.adjust("1 hour")
      const fiber = yield* Effect.fork(approvedSend("hello"))
      const { approvalId } = yield* humans.asked("alerts.send")
      yield* TestClock.adjust("19 minutes")
      expect((yield* humans.pending).map((request) => request.approvalId)).toEqual([approvalId])
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(fiber)
      expect(yield* humans.pending).toEqual([])
    }).pipe(Effect.provide(layer)))

  it.effect("come at once where the time they take has passed already", () =>
    Effect.gen(function*() {
      const { humans } = yield* MockGateway
      const fiber = yield* Effect.fork(approvedSend("hello"))
      yield* humans.asked("alerts.send")
      yield* TestClock.adjust("30 minutes")
      yield* humans.approve("alerts.send", { after: "20 minutes" })
      yield* Fiber.join(fiber)
    }).pipe(Effect.provide(layer)))

  it.effect("come too late for a program that has given up, and are carried out all the same", () =>
    Effect.gen(function*() {
      const { humans, verify } = yield* MockGateway
      yield* humans.approve("alerts.send", { after: "20 minutes" })
      const fiber = yield* Effect.fork(
        Effect.flip(Approvals.awaitApproval({ timeout: "5 minutes" })(send("hello")))
      )
      yield* humans.asked("alerts.send")
      yield* TestClock.adjust("5 minutes")
      expect((yield* Fiber.join(fiber))._tag).toBe("ApprovalTimeout")
      expect(yield* sent).toEqual([])
      yield* TestClock.adjust("15 minutes")
      expect(yield* sent).toEqual([{ message: "hello" }])
      yield* verify
    }).pipe(Effect.provide(layer)))

  it.effect("do nothing where the request was taken back meanwhile", () =>
    Effect.gen(function*() {
      const { humans, verify } = yield* MockGateway
      yield* humans.approve("alerts.send", { after: "20 minutes" })
      const fiber = yield* Effect.fork(
        Effect.flip(Approvals.awaitApproval({ timeout: "5 minutes", abandon: "withdraw" })(send("hello")))
      )
      yield* humans.asked("alerts.send")
      yield* TestClock.adjust("5 minutes")
      yield* Fiber.join(fiber)
      yield* TestClock.adjust("15 minutes")
      expect(yield* sent).toEqual([])
      yield* verify
    }).pipe(Effect.provide(layer)))

  it.effect("are made for the oldest of several that came at the same time", () =>
    Effect.gen(function*() {
      const { humans } = yield* MockGateway
      const messages = Array.from({ length: 20 }, (_, index) => `message ${index}`)
      yield* Effect.forEach(messages, (message) => Effect.flip(send(message)))
      yield* humans.approve("alerts.send", { times: 5 })
      expect((yield* humans.pending).map(({ arguments: { message } }) => message)).toEqual(messages.slice(5))
    }).pipe(Effect.provide(layer)))

  it.effect("that were not used fail verify", () =>
    Effect.gen(function*() {
      const { humans, verify } = yield* MockGateway
      yield* humans.reject("email.send", "never")
      yield* humans.approve(({ capability }) => capability.startsWith("process."), { times: 3 })
      const { message, mismatches } = yield* Effect.flip(verify)
      expect(mismatches).toEqual([
        { _tag: "Unused", what: "humans.reject(\"email.send\", \"never\")", left: 1 },
        { _tag: "Unused", what: expect.stringMatching(/^humans\.approve\(.*process\..*\)$/), left: 3 }
      ])
      expect(message).toContain("humans.reject(\"email.send\", \"never\")")
    }).pipe(Effect.provide(layer)))
})

describe("what humans see", () => {
  it.effect("a request before it is decided, however fast that is", () =>
    Effect.gen(function*() {
      const { humans } = yield* MockGateway
      yield* humans.approve("alerts.send")
      const asked = yield* Effect.fork(humans.asked("alerts.send"))
      yield* Effect.yieldNow()
      yield* approvedSend("hello")
      expect((yield* Fiber.join(asked)).arguments).toEqual({ message: "hello" })
    }).pipe(Effect.provide(layer)))

  it.effect("arguments without their secrets, also long ones", () =>
    Effect.gen(function*() {
      const { humans } = yield* MockGateway
      const long = "x".repeat(50_000)
      yield* Effect.flip(send("hello", { password: "hunter2", long }))
      const [request] = yield* humans.pending
      expect(request?.arguments).toEqual({ message: "hello", context: { password: "[secret]", long } })
    }).pipe(Effect.provide(layer)))

  it.effect("when a request expires", () =>
    Effect.gen(function*() {
      const { humans } = yield* MockGateway
      yield* Effect.flip(send("hello"))
      const request = yield* humans.asked("alerts.send")
      yield* TestClock.adjust(Duration.subtract(Duration.hours(24), Duration.millis(1)))
      expect(yield* humans.pending).toEqual([request])
      yield* TestClock.adjust("1 millis")
      expect(yield* humans.pending).toEqual([])
    }).pipe(Effect.provide(layer)))
})

describe("a human who has yet to come", () => {
  it.effect("does not keep a test from ending", () =>
    Effect.gen(function*() {
      const { humans } = yield* MockGateway
      yield* humans.approve("alerts.send", { after: "20 minutes" })
      yield* Effect.flip(send("hello"))
      yield* humans.asked("alerts.send")
    }).pipe(Effect.provide(layer)))

  it.effect("never does after Infinity", () =>
    Effect.gen(function*() {
      const { humans, verify } = yield* MockGateway
      yield* humans.approve("alerts.send", { after: Infinity })
      yield* Effect.flip(send("hello"))
      yield* TestClock.adjust("23 hours")
      expect((yield* humans.pending).length).toBe(1)
      yield* verify
    }).pipe(Effect.provide(layer)))
})
