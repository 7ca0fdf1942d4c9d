import { describe, expect, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import { WriteFailed } from "../../src/errors/proxy.js"
import { Capabilities } from "../../src/services/Capabilities.js"
import { Transaction } from "../../src/services/Transaction.js"
import { MockGateway } from "../../src/testing/MockGateway.js"
import * as Reply from "../../src/testing/Reply.js"

let lastWrite = 0

const buffered = Effect.map(DateTime.now, (now) => ({
  write_id: `write-${++lastWrite}`,
  buffer_until: DateTime.addDuration(now, "5 minutes"),
  status: "buffered" as const
}))

const layer = MockGateway.layer({ capabilities: { "email.send": () => buffered } })

const mail = (to: string) => Effect.flatMap(Capabilities, (capabilities) => capabilities.invoke("email.send", { to }))

const cancel = (write_id: string) =>
  Effect.flatMap(Capabilities, (capabilities) => capabilities.invoke("proxy.cancel_write", { write_id }))

const writes = (status?: "all") =>
  Effect.flatMap(Capabilities, (capabilities) => capabilities.invoke("proxy.list_writes", { status }))

const outbox = Effect.flatMap(
  MockGateway,
  (mock) => Effect.map(mock.outbox, (all) => all.map(({ arguments: given, status }) => [given, status]))
)

describe("the outbox", () => {
  it.effect("has what was sent, in its order, with what was given", () =>
    Effect.gen(function*() {
      const mock = yield* MockGateway
      const capabilities = yield* Capabilities
      yield* capabilities.invoke("alerts.send", { message: "look" })
      yield* capabilities.invoke("comms.send", { to: "other", message: "hello" })
      yield* capabilities.invoke("slack.react", { channel: "C1", ts: "1", reaction: "eyes" })
      yield* capabilities.invoke("alerts.list")
      yield* capabilities.invoke("comms.receive")
      yield* capabilities.invoke("slack.search")
      expect(yield* mock.outbox).toEqual([
        { capability: "alerts.send", arguments: { message: "look" }, status: "sent" },
        { capability: "comms.send", arguments: { to: "other", message: "hello" }, status: "sent" },
        { capability: "slack.react", arguments: { channel: "C1", ts: "1", reaction: "eyes" }, status: "sent" }
      ])
      yield* mock.verify
    }).pipe(Effect.provide(MockGateway.layer({
      capabilities: {
        "comms.send": { message_id: "m", status: "delivered", to: "other" },
        "slack.react": { status: "ok" },
        "slack.search": { messages: [], total: 0 }
      }
    }))))

  it.effect("has nothing that failed", () =>
    Effect.gen(function*() {
      const mock = yield* MockGateway
      yield* Effect.flip(mail("a@example.com"))
      yield* Effect.flip(
        Effect.flatMap(Capabilities, (capabilities) =>
          capabilities.invoke("alerts.send", { message: "x".repeat(20_000) }))
      )
      expect(yield* mock.outbox).toEqual([])
    }).pipe(Effect.provide(MockGateway.layer({
      capabilities: { "email.send": Reply.failWith(new WriteFailed({ message: "no" })) }
    }))))

  it.effect("has what ran although its answer was lost, once", () =>
    Effect.gen(function*() {
      const mock = yield* MockGateway
      yield* mail("a@example.com")
      expect((yield* mock.outbox).length).toBe(1)
    }).pipe(Effect.provide(MockGateway.layer({
      capabilities: { "email.send": Reply.handle(() => buffered).pipe(Reply.dropConnection("after")) }
    }))))

  it.effect("has what ran although its gateway was killed before it could tell", () =>
    Effect.gen(function*() {
      const mock = yield* MockGateway
      expect((yield* Effect.flip(mail("a@example.com")))._tag).toBe("OutcomeUnknown")
      expect((yield* mock.outbox).length).toBe(1)
    }).pipe(Effect.provide(MockGateway.layer({
      capabilities: { "email.send": Reply.handle(() => buffered).pipe(Reply.gatewayRestart("after")) }
    }))))
})

describe("a buffered write", () => {
  it.effect("is held until its time has come", () =>
    Effect.gen(function*() {
      const { write_id, buffer_until } = yield* mail("a@example.com")
      expect(yield* outbox).toEqual([[{ to: "a@example.com" }, "held"]])
      expect(yield* writes()).toEqual({
        writes: [{
          write_id,
          service: "email",
          operation: "send",
          status: "buffered",
          buffer_until,
          cancellable: true
        }],
        total: 1
      })
      yield* TestClock.adjust("299 seconds")
      expect(yield* outbox).toEqual([[{ to: "a@example.com" }, "held"]])
      yield* TestClock.adjust("1 second")
      expect(yield* outbox).toEqual([[{ to: "a@example.com" }, "sent"]])
      expect((yield* writes()).total).toBe(0)
      expect((yield* writes("all")).writes).toMatchObject([{ write_id, status: "completed", cancellable: false }])
      expect((yield* Effect.flip(cancel(write_id)))._tag).toBe("WriteAlreadyExecuted")
    }).pipe(Effect.provide(layer)))

  it.effect("is cancelled until then", () =>
    Effect.gen(function*() {
      const mock = yield* MockGateway
      const { write_id } = yield* mail("a@example.com")
      yield* mail("b@example.com")
      expect(yield* cancel(write_id)).toEqual({ cancelled: true, write_id, status: "cancelled" })
      expect(yield* cancel(write_id)).toEqual({ cancelled: false, write_id, status: "cancelled" })
      expect((yield* Effect.flip(cancel("another")))._tag).toBe("WriteNotFound")
      yield* mock.restart
      yield* TestClock.adjust("1 hour")
      expect(yield* outbox).toEqual([[{ to: "a@example.com" }, "cancelled"], [{ to: "b@example.com" }, "sent"]])
      yield* mock.verify
    }).pipe(Effect.provide(layer)))

  it.effect("of Slack, whose time is text, is held and cancelled alike", () =>
    Effect.gen(function*() {
      const capabilities = yield* Capabilities
      yield* TestClock.adjust("1 hour")
      yield* capabilities.invoke("slack.send", { channel: "C1", text: "one" })
      yield* capabilities.invoke("slack.send", { channel: "C1", text: "two" })
      expect((yield* outbox).map(([, status]) => status)).toEqual(["held", "held"])
      // Both have the id that is in the script: the newest goes first.
      yield* cancel("write")
      expect((yield* outbox).map(([, status]) => status)).toEqual(["held", "cancelled"])
      yield* TestClock.adjust("30 seconds")
      expect((yield* outbox).map(([, status]) => status)).toEqual(["sent", "cancelled"])
    }).pipe(Effect.provide(MockGateway.layer({
      capabilities: {
        "slack.send": { write_id: "write", buffer_until: "1970-01-01T01:00:30Z", status: "buffered" }
      }
    }))))

  it.effect("can have a script of its own for its cancelling", () =>
    Effect.gen(function*() {
      expect(yield* cancel("any")).toEqual({ cancelled: false, write_id: "any", status: "completed" })
    }).pipe(Effect.provide(MockGateway.layer({
      capabilities: { "proxy.cancel_write": { cancelled: false, write_id: "any", status: "completed" } }
    }))))
})

describe("in a transaction a buffered write", () => {
  it.effect("is held until the commit, and then for the rest of its time", () =>
    Effect.gen(function*() {
      yield* Transaction.run(Effect.gen(function*() {
        yield* mail("a@example.com")
        expect(yield* outbox).toEqual([[{ to: "a@example.com" }, "held"]])
      }))
      expect(yield* outbox).toEqual([[{ to: "a@example.com" }, "held"]])
      yield* TestClock.adjust("5 minutes")
      expect(yield* outbox).toEqual([[{ to: "a@example.com" }, "sent"]])
    }).pipe(Effect.provide(layer)))

  it.effect("is not sent before, however long that takes", () =>
    Effect.gen(function*() {
      const goOn = yield* Deferred.make<void>()
      const begun = yield* Deferred.make<void>()
      const fiber = yield* Effect.fork(Transaction.run(
        Effect.gen(function*() {
          yield* mail("a@example.com")
          yield* Deferred.succeed(begun, undefined)
          yield* Deferred.await(goOn)
        }),
        { timeout: "1 day" }
      ))
      yield* Deferred.await(begun)
      yield* TestClock.adjust("1 hour")
      expect(yield* outbox).toEqual([[{ to: "a@example.com" }, "held"]])
      yield* Deferred.succeed(goOn, undefined)
      yield* Fiber.join(fiber)
      expect(yield* outbox).toEqual([[{ to: "a@example.com" }, "sent"]])
    }).pipe(Effect.provide(layer)))

  it.effect("is cancelled by a rollback, which the record says", () =>
    Effect.gen(function*() {
      const mock = yield* MockGateway
      const error = yield* Effect.flip(
        Transaction.run(Effect.zipRight(mail("a@example.com"), Effect.fail("oh" as const)))
      )
      expect(error).toBe("oh")
      expect(yield* outbox).toEqual([[{ to: "a@example.com" }, "cancelled"]])
      expect(yield* mock.invocations).toMatchObject([{ capability: "email.send", isRolledBack: true }])
    }).pipe(Effect.provide(layer)))

  it.effect("goes with its savepoint", () =>
    Effect.gen(function*() {
      yield* Transaction.run(Effect.gen(function*() {
        yield* mail("outer@example.com")
        yield* Transaction.run(mail("kept@example.com"))
        yield* Effect.ignore(Transaction.run(Effect.zipRight(mail("gone@example.com"), Effect.fail("oh"))))
        expect(yield* outbox).toEqual([
          [{ to: "outer@example.com" }, "held"],
          [{ to: "kept@example.com" }, "held"],
          [{ to: "gone@example.com" }, "cancelled"]
        ])
      }))
      yield* TestClock.adjust("5 minutes")
      expect((yield* outbox).map(([, status]) => status)).toEqual(["sent", "sent", "cancelled"])
    }).pipe(Effect.provide(layer)))

  it.effect("is cancelled where the gateway is killed", () =>
    Effect.gen(function*() {
      const mock = yield* MockGateway
      const error = yield* Effect.flip(Transaction.run(Effect.gen(function*() {
        yield* mail("a@example.com")
        yield* mock.restart
        yield* mail("b@example.com")
      })))
      expect(error._tag).toBe("TransactionClosed")
      yield* TestClock.adjust("1 hour")
      expect(yield* outbox).toEqual([[{ to: "a@example.com" }, "cancelled"]])
    }).pipe(Effect.provide(layer)))

  it.effect("is cancelled where the gateway is killed right after it ran", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Transaction.run(mail("a@example.com")))
      expect(error._tag).toBe("TransactionClosed")
      expect(yield* outbox).toEqual([[{ to: "a@example.com" }, "cancelled"]])
    }).pipe(Effect.provide(MockGateway.layer({
      capabilities: { "email.send": Reply.handle(() => buffered).pipe(Reply.gatewayRestart("after")) }
    }))))

  it.effect("is its caller's to cancel where that undertakes to", () =>
    Effect.gen(function*() {
      yield* Effect.ignore(Transaction.run(Effect.gen(function*() {
        const capabilities = yield* Capabilities
        yield* capabilities.invoke("email.send", { to: "a@example.com" }, {
          compensate: ({ write_id }) => capabilities.invoke("proxy.cancel_write", { write_id })
        })
        yield* Effect.fail("oh")
      })))
      expect(yield* outbox).toEqual([[{ to: "a@example.com" }, "cancelled"]])
    }).pipe(Effect.provide(layer)))
})
