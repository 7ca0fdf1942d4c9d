import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { AuthenticationFailed } from "../../src/errors/gateway.js"
import { Approvals } from "../../src/services/Approvals.js"
import { linkTo } from "../connection/linkSupport.js"
import { at } from "../support/json.js"
import { type Asked, initialized, make, requests, type ServerSide, settled } from "../support/scriptedGateway.js"
import { type ApprovalGateway, approvalGateway, features, servicesOf, servicesOver } from "./approvalsSupport.js"
import { failure, success } from "./support.js"

const path = "/workspace/notes.txt"

const written = success({ path, size: 5, checksum: "0".repeat(64) })

const quiet = { heartbeat: Duration.hours(1) }

const hourly = Schedule.spaced("1 hour")

const approve = (gateway: ApprovalGateway, id = "apr-1") => gateway.decide(id, { status: "approved", result: written })

const input = { path, content: "hello" }

/** The answer to the first question about an approval comes when the test says. */
const slowly = () => {
  const held: Array<() => void> = []
  let questions = 0
  const instead = ({ id, method }: Asked, server: ServerSide) => {
    if (method !== "approvals.check" || ++questions > 1) return false
    held.push(() => server.answer(id, { status: "pending" }))
    return true
  }
  return { instead, release: () => held.forEach((answer) => answer()) }
}

describe("a push", () => {
  it.scoped("ends the wait at once", () =>
    Effect.gen(function*() {
      const gateway = approvalGateway()
      const { approvals } = yield* servicesOf(gateway, quiet)
      gateway.decide("apr-1", { status: "pending" })
      const fiber = yield* Effect.fork(approvals.wait("apr-1"))
      yield* settled
      approve(gateway)
      yield* settled
      assert.isNull(fiber.unsafePoll())
      gateway.push("apr-1")
      yield* settled
      assert.isNotNull(fiber.unsafePoll())
      assert.lengthOf(gateway.asked(), 2)
    }))

  it.scoped("that comes before the answer to the first question is not lost", () =>
    Effect.gen(function*() {
      const { instead, release } = slowly()
      const gateway = approvalGateway({ instead })
      const { approvals } = yield* servicesOf(gateway, quiet)
      const fiber = yield* Effect.fork(approvals.wait("apr-1"))
      yield* settled
      approve(gateway)
      gateway.push("apr-1")
      yield* settled
      release()
      yield* settled
      assert.isNotNull(fiber.unsafePoll())
    }))

  it.scoped("that comes right behind the answer of the invocation is not lost", () =>
    Effect.gen(function*() {
      const gateway: ApprovalGateway = approvalGateway({
        instead: ({ id, method }, server) => {
          if (method !== "capabilities.invoke") return false
          approve(gateway)
          server.answer(id, failure({ type: "ApprovalPending", message: "wait", context: { request_id: "apr-1" } }))
          gateway.push("apr-1")
          return true
        }
      })
      const { capabilities, provided } = yield* servicesOf(gateway, quiet)
      const fiber = yield* Effect.fork(
        capabilities.invoke("filesystem.write", input).pipe(Approvals.awaitApproval(), provided)
      )
      yield* settled
      assert.isNotNull(fiber.unsafePoll())
    }))

  it.scoped("that comes twice, for another request, or without sense changes nothing", () =>
    Effect.gen(function*() {
      const gateway = approvalGateway()
      const { approvals } = yield* servicesOf(gateway, quiet)
      gateway.decide("apr-1", { status: "pending" })
      const fiber = yield* Effect.fork(approvals.wait("apr-1"))
      yield* settled
      gateway.push("apr-2")
      gateway.push("__proto__")
      for (const params of [undefined, null, [], {}, { approval_id: 1 }, "apr-1"]) {
        gateway.connections[0]?.notify("notifications/kruxos/approval_resolved", params)
      }
      gateway.connections[0]?.notify("notifications/kruxos/other", { approval_id: "apr-1" })
      yield* settled
      assert.lengthOf(gateway.asked(), 1)
      approve(gateway)
      gateway.push("apr-1")
      gateway.push("apr-1")
      gateway.push("apr-1")
      yield* settled
      assert.deepInclude(yield* Fiber.join(fiber), { approved: true })
      gateway.push("apr-1")
      yield* settled
      assert.lengthOf(gateway.asked(), 2)
    }))

  it.scoped("is not needed", () =>
    Effect.gen(function*() {
      const gateway = approvalGateway()
      const { approvals } = yield* servicesOf(gateway, quiet)
      gateway.decide("apr-1", { status: "pending" })
      const fiber = yield* Effect.fork(approvals.wait("apr-1"))
      yield* settled
      approve(gateway)
      yield* TestClock.adjust("300 millis")
      assert.deepInclude(yield* Fiber.join(fiber), { approved: true })
    }))
})

describe("a thousand waits", () => {
  it.scoped("share one subscription, and each has its own decision", () =>
    Effect.gen(function*() {
      const gateway = approvalGateway()
      const options = { ...quiet, maxInFlight: 10_000 }
      const link = yield* linkTo(gateway, options)
      let subscriptions = 0
      const counted = Stream.unwrap(Effect.sync(() => {
        subscriptions++
        return link.notifications
      }))
      const { capabilities, provided } = yield* servicesOver({ ...link, notifications: counted }, options)
      const invocations = Array.from(
        { length: 1000 },
        () => Effect.either(capabilities.invoke("filesystem.write", input))
      )
      const all = Effect.all(invocations, { concurrency: "unbounded" })
      const fiber = yield* Effect.fork(all.pipe(Approvals.awaitApproval(), provided))
      yield* settled
      assert.strictEqual(gateway.size(), 1000)
      for (let number = 1; number <= 1000; number++) {
        const id = `apr-${number}`
        if (number % 2 === 0) approve(gateway, id)
        else gateway.decide(id, { status: "rejected", reason: id })
        gateway.push(id)
      }
      yield* settled
      const results = yield* Fiber.join(fiber)
      assert.strictEqual(results.filter(({ _tag }) => _tag === "Right").length, 500)
      const reasons = new Set(results.flatMap((result) => result._tag === "Left" ? [at(result.left, "reason")] : []))
      assert.strictEqual(reasons.size, 500)
      assert.strictEqual(subscriptions, 1)
      assert.isAtMost(gateway.asked("approvals.check").length, 2000)
    }))
})

describe("a long wait", () => {
  it.scoped("of 54 minutes uses up no request's timeout of 30 s", () =>
    Effect.gen(function*() {
      const gateway = approvalGateway()
      const { capabilities, provided } = yield* servicesOf(gateway, quiet)
      const fiber = yield* Effect.fork(
        capabilities.invoke("filesystem.write", input).pipe(Approvals.awaitApproval({ timeout: "1 hour" }), provided)
      )
      yield* settled
      yield* TestClock.adjust("54 minutes")
      assert.isNull(fiber.unsafePoll())
      assert.lengthOf(gateway.connections, 1)
      approve(gateway)
      gateway.push("apr-1")
      assert.deepStrictEqual(yield* Fiber.join(fiber), written.data)
      assert.lengthOf(gateway.asked("capabilities.invoke"), 1)
    }))

  it.scoped("outlives the connection, and the gateway", () =>
    Effect.gen(function*() {
      const gateway = approvalGateway()
      const { capabilities, provided } = yield* servicesOf(gateway, quiet)
      const fiber = yield* Effect.fork(
        capabilities.invoke("filesystem.write", input).pipe(Approvals.awaitApproval(), provided)
      )
      yield* settled
      for (let drop = 0; drop < 3; drop++) {
        yield* TestClock.adjust("3 minutes")
        gateway.connections.at(-1)?.close(1012, "restart")
        yield* settled
        yield* TestClock.adjust("2 seconds")
      }
      assert.lengthOf(gateway.connections, 4)
      assert.isNull(fiber.unsafePoll())
      approve(gateway)
      yield* TestClock.adjust("6 seconds")
      assert.deepStrictEqual(yield* Fiber.join(fiber), written.data)
      assert.lengthOf(gateway.asked("capabilities.invoke"), 1)
    }))

  it.scoped("outlives minutes without any gateway", () =>
    Effect.gen(function*() {
      const serving = initialized(({ id, method }, server) =>
        server.answer(
          id,
          method === "approvals.check" && back ? { status: "approved", result: written } : { status: "pending" }
        ), features)
      let back = false
      const gateway = make(serving, "hang", "hang", "hang", "hang", serving)
      const { approvals } = yield* servicesOf(gateway, quiet)
      const fiber = yield* Effect.fork(approvals.wait("apr-1"))
      yield* settled
      gateway.connections[0]?.close()
      yield* TestClock.adjust("2 minutes")
      assert.isNull(fiber.unsafePoll())
      back = true
      yield* TestClock.adjust("2 minutes")
      assert.deepInclude(yield* Fiber.join(fiber), { approved: true })
      assert.isAbove(gateway.dials(), 4)
    }))

  it.scoped.each(
    [
      ["is busy", failure({ type: "RateLimited", message: "slow", context: { retry_after_seconds: 3 } }).error],
      ["is not all there", failure({ type: "ServiceUnavailable", message: "soon" }).error],
      ["has paused the agent", failure({ type: "SessionPaused", message: "paused" }).error],
      ["fails inside", undefined]
    ] as const
  )("goes on while the gateway %s", ([, data]) =>
    Effect.gen(function*() {
      let refusals = 0
      const gateway = approvalGateway({
        instead: ({ id, method }, server) => {
          if (method !== "approvals.check" || ++refusals > 3) return false
          server.refuse(id, { code: -32603, message: "not now", data })
          return true
        }
      })
      const { approvals } = yield* servicesOf(gateway, quiet)
      approve(gateway)
      const fiber = yield* Effect.fork(approvals.wait("apr-1"))
      yield* settled
      yield* TestClock.adjust("5 minutes")
      assert.deepInclude(yield* Fiber.join(fiber), { approved: true })
      assert.lengthOf(gateway.asked(), 4)
    }))

  it.scoped("waits as long as it is told to before it asks a busy gateway again", () =>
    Effect.gen(function*() {
      const gateway = approvalGateway({
        instead: ({ id }, server) => {
          server.refuse(id, {
            code: -32000,
            message: "slow",
            data: { retry_after_seconds: 20, limit: 1, window: "1m" }
          })
          return true
        }
      })
      const { approvals } = yield* servicesOf(gateway, quiet)
      yield* Effect.fork(approvals.wait("apr-1"))
      yield* settled
      yield* TestClock.adjust("20 seconds")
      assert.lengthOf(gateway.asked(), 1)
      yield* TestClock.adjust("1 second")
      assert.lengthOf(gateway.asked(), 2)
    }))

  it.scoped("ends when the key is refused, and when the connection is closed for good", () =>
    Effect.gen(function*() {
      const pending = initialized(({ id }, server) => server.answer(id, { status: "pending" }), features)
      const gateway = make(pending, new AuthenticationFailed({ message: "revoked" }))
      const { approvals } = yield* servicesOf(gateway, quiet)
      const fiber = yield* Effect.fork(Effect.flip(approvals.wait("apr-1")))
      yield* settled
      gateway.connections[0]?.close()
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "AuthenticationFailed")

      const left = yield* Effect.scoped(Effect.gen(function*() {
        const services = yield* servicesOf(make(pending), quiet)
        const waits = yield* Effect.forkDaemon(Effect.flip(services.approvals.wait("apr-1")))
        yield* settled
        return waits
      }))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* Fiber.join(left))._tag, "ConnectionFailed")
    }))

  it.scoped("ends with the last failure after a day in which the gateway could not be asked", () =>
    Effect.gen(function*() {
      const gateway = approvalGateway({
        instead: ({ id }, server) => {
          server.refuse(id, { code: -32603, message: "broken" })
          return true
        }
      })
      const { approvals } = yield* servicesOf(gateway, quiet)
      const fiber = yield* Effect.fork(Effect.flip(approvals.wait("apr-1", { schedule: hourly })))
      yield* settled
      yield* TestClock.adjust("24 hours")
      assert.isNull(fiber.unsafePoll())
      yield* TestClock.adjust("1 hour")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "ProtocolError")
    }))
})

describe("a wait that ends before the decision", () => {
  it.scoped("fails with ApprovalTimeout, and leaves the request in the queue", () =>
    Effect.gen(function*() {
      const gateway = approvalGateway()
      const { approvals, capabilities, provided } = yield* servicesOf(gateway, quiet)
      const inside = capabilities.invoke("filesystem.write", input).pipe(
        Approvals.awaitApproval({ timeout: "10 minutes" }),
        provided
      )
      const fiber = yield* Effect.fork(Effect.flip(inside))
      yield* settled
      yield* TestClock.adjust("599 seconds")
      assert.isNull(fiber.unsafePoll())
      yield* TestClock.adjust("1 second")
      const error = yield* Fiber.join(fiber)
      assert.strictEqual(error._tag, "ApprovalTimeout")
      assert.deepInclude(error, { approvalId: "apr-1", capability: "filesystem.write" })
      assert.deepStrictEqual(at(error, "timeout"), Duration.minutes(10))
      assert.lengthOf(gateway.asked("approvals.withdraw"), 0)
      assert.strictEqual((yield* approvals.check("apr-1")).status, "pending")
    }))

  it.scoped("withdraws the request where it is told to, by timeout and by interruption", () =>
    Effect.gen(function*() {
      const gateway = approvalGateway()
      const { approvals, capabilities, provided } = yield* servicesOf(gateway, quiet)
      const inside = capabilities.invoke("filesystem.write", input).pipe(
        Approvals.awaitApproval({ timeout: "1 minute", abandon: "withdraw" }),
        provided
      )
      const timed = yield* Effect.fork(Effect.flip(inside))
      yield* settled
      yield* TestClock.adjust("1 minute")
      const error = yield* Fiber.join(timed)
      assert.strictEqual(error._tag, "ApprovalTimeout")
      assert.match(error.message, /withdrawn/)
      assert.strictEqual((yield* approvals.check("apr-1")).status, "withdrawn")

      const interrupted = yield* Effect.fork(inside)
      yield* settled
      assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(interrupted)))
      assert.strictEqual((yield* approvals.check("apr-2")).status, "withdrawn")

      const waited = yield* Effect.fork(approvals.wait("apr-3", { abandon: "withdraw" }))
      gateway.decide("apr-3", { status: "pending" })
      yield* settled
      yield* Fiber.interrupt(waited)
      assert.strictEqual((yield* approvals.check("apr-3")).status, "withdrawn")
    }))

  it.scoped("leaves the request in the queue when it is interrupted and not told otherwise", () =>
    Effect.gen(function*() {
      const gateway = approvalGateway()
      const { capabilities, provided } = yield* servicesOf(gateway, quiet)
      const fiber = yield* Effect.fork(
        capabilities.invoke("filesystem.write", input).pipe(Approvals.awaitApproval(), provided)
      )
      yield* settled
      yield* Fiber.interrupt(fiber)
      assert.lengthOf(gateway.asked("approvals.withdraw"), 0)
    }))

  it.scoped("takes a decision that comes before the withdrawal", () =>
    Effect.gen(function*() {
      const gateway: ApprovalGateway = approvalGateway({
        instead: ({ method }) => {
          if (method === "approvals.withdraw") approve(gateway)
          return false
        }
      })
      const { approvals } = yield* servicesOf(gateway, quiet)
      gateway.decide("apr-1", { status: "pending" })
      const fiber = yield* Effect.fork(approvals.wait("apr-1", { timeout: "1 minute", abandon: "withdraw" }))
      yield* settled
      yield* TestClock.adjust("1 minute")
      assert.deepInclude(yield* Fiber.join(fiber), { approved: true, data: written.data })
    }))

  it.scoped("says that what runs already could not be withdrawn", () =>
    Effect.gen(function*() {
      const gateway = approvalGateway()
      const { approvals } = yield* servicesOf(gateway, quiet)
      gateway.decide("apr-1", { status: "running" })
      const fiber = yield* Effect.fork(
        Effect.flip(approvals.wait("apr-1", { timeout: "1 minute", abandon: "withdraw" }))
      )
      yield* settled
      yield* TestClock.adjust("1 minute")
      const error = yield* Fiber.join(fiber)
      assert.strictEqual(error._tag, "ApprovalTimeout")
      assert.match(error.message, /running/)
    }))

  it.scoped("gives a gateway that does not answer 5 s to withdraw it", () =>
    Effect.gen(function*() {
      const gateway = approvalGateway({ instead: ({ method }) => method === "approvals.withdraw" })
      const { approvals } = yield* servicesOf(gateway, quiet)
      gateway.decide("apr-1", { status: "pending" })
      const fiber = yield* Effect.fork(approvals.wait("apr-1", { abandon: "withdraw" }))
      yield* settled
      const interrupting = yield* Effect.fork(Fiber.interrupt(fiber))
      yield* settled
      assert.isNull(interrupting.unsafePoll())
      yield* TestClock.adjust("5 seconds")
      assert.isTrue(Exit.isInterrupted(yield* Fiber.join(interrupting)))
    }))

  it.scoped("ends by its timeout in a finalizer too, where nothing can be interrupted", () =>
    Effect.gen(function*() {
      const gateway = approvalGateway()
      const { approvals } = yield* servicesOf(gateway, quiet)
      gateway.decide("apr-1", { status: "pending" })
      const fiber = yield* Effect.fork(
        Effect.uninterruptible(Effect.flip(approvals.wait("apr-1", { timeout: "1 minute" })))
      )
      yield* settled
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "ApprovalTimeout")
    }))

  it.scoped("does not wait for an answer that is slower than its timeout", () =>
    Effect.gen(function*() {
      const gateway = approvalGateway({ instead: ({ method }) => method === "approvals.check" })
      const { approvals } = yield* servicesOf(gateway, quiet)
      const fiber = yield* Effect.fork(Effect.flip(approvals.wait("apr-1", { timeout: "1 second" })))
      yield* settled
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "ApprovalTimeout")
      assert.lengthOf(requests(gateway.connections[0], "approvals.check"), 1)
    }))
})
