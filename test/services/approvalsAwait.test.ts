import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { Approvals } from "../../src/services/Approvals.js"
import { at } from "../support/json.js"
import { native, settled } from "../support/scriptedGateway.js"
import { approvalGateway, servicesOf } from "./approvalsSupport.js"
import { failure, success } from "./support.js"

const path = "/workspace/notes.txt"

const written = success({ path, size: 5, checksum: "0".repeat(64) })

const approve = (gateway: ReturnType<typeof approvalGateway>) => {
  for (let number = 1; number <= gateway.size(); number++) {
    gateway.decide(`apr-${number}`, { status: "approved", result: written })
    gateway.push(`apr-${number}`)
  }
}

/** A gateway, its services, and a write of a file that needs approval there. */
const waiting = (script: Parameters<typeof approvalGateway>[0] = {}) =>
  Effect.gen(function*() {
    const gateway = approvalGateway(script)
    const services = yield* servicesOf(gateway)
    const write = services.capabilities.invoke("filesystem.write", { path, content: "hello" })
    /** Runs something, approves all that it asks for meanwhile, and gives what came of it. */
    const approved = <A, E>(effect: Effect.Effect<A, E>) =>
      Effect.gen(function*() {
        const fiber = yield* Effect.fork(effect)
        for (let round = 0; round < 10 && fiber.unsafePoll() === null; round++) {
          yield* settled
          approve(gateway)
        }
        yield* settled
        assert.isNotNull(fiber.unsafePoll(), "it still waits")
        return yield* Fiber.join(fiber)
      })
    return { gateway, ...services, write, approved }
  })

describe("an invocation inside awaitApproval", () => {
  it.scoped("gives its output when it is approved, and is made once", () =>
    Effect.gen(function*() {
      const { approved, gateway, provided, write } = yield* waiting()
      const output = yield* approved(write.pipe(Approvals.awaitApproval(), provided))
      assert.deepStrictEqual(output, written.data)
      assert.lengthOf(gateway.asked("capabilities.invoke"), 1)
      assert.deepStrictEqual(Object.keys(Object(gateway.asked("capabilities.invoke")[0]?.params)), [
        "capability",
        "arguments",
        "idempotency_key"
      ])
    }))

  it.scoped("fails with the reason of whoever rejects it", () =>
    Effect.gen(function*() {
      const { gateway, provided, write } = yield* waiting()
      const fiber = yield* Effect.fork(Effect.flip(write.pipe(Approvals.awaitApproval(), provided)))
      yield* settled
      gateway.decide("apr-1", { status: "rejected", reason: "not on a Friday" })
      gateway.push("apr-1", "rejected")
      const error = yield* Fiber.join(fiber)
      assert.strictEqual(error._tag, "ApprovalRejected")
      assert.deepInclude(error, { approvalId: "apr-1", reason: "not on a Friday", capability: "filesystem.write" })
      assert.match(error.message, /not on a Friday/)
    }))

  it.scoped.each(["expired", "withdrawn"])(
    "fails with ApprovalExpired when its request is %s",
    (status) =>
      Effect.gen(function*() {
        const { gateway, provided, write } = yield* waiting()
        const fiber = yield* Effect.fork(Effect.flip(write.pipe(Approvals.awaitApproval(), provided)))
        yield* settled
        gateway.decide("apr-1", { status })
        gateway.push("apr-1", status)
        const error = yield* Fiber.join(fiber)
        assert.strictEqual(error._tag, "ApprovalExpired")
        assert.deepInclude(error, { approvalId: "apr-1", capability: "filesystem.write" })
      })
  )

  it.scoped("fails with what the approved invocation failed with", () =>
    Effect.gen(function*() {
      const { gateway, provided, write } = yield* waiting()
      for (const [type, tag] of [["DiskFull", "DiskFull"], ["OutcomeUnknown", "OutcomeUnknown"]] as const) {
        const fiber = yield* Effect.fork(Effect.flip(write.pipe(Approvals.awaitApproval(), provided)))
        yield* settled
        const id = `apr-${gateway.size()}`
        gateway.decide(id, { status: "approved", result: failure({ error_type: type, description: "it failed" }) })
        gateway.push(id)
        assert.strictEqual((yield* Fiber.join(fiber))._tag, tag)
      }
    }))

  it.scoped("is waited for whichever way it is made", () =>
    Effect.gen(function*() {
      const { approved, capabilities, gateway, provided } = yield* waiting()
      const { invokeDynamic, invokeResult } = capabilities
      const input = { path, content: "" }
      const dynamic = invokeDynamic("filesystem.write", input).pipe(Approvals.awaitApproval(), provided)
      assert.deepStrictEqual(yield* approved(dynamic), written.data)
      const asResult = invokeResult("filesystem.write", input).pipe(Approvals.awaitApproval(), provided)
      assert.deepStrictEqual<unknown>(yield* approved(asResult), { success: true, data: written.data })
      const typed = capabilities.withCatalogue({}).invoke("filesystem.write", input)
      assert.deepStrictEqual(yield* approved(typed.pipe(Approvals.awaitApproval(), provided)), written.data)

      const rejected = yield* Effect.fork(asResult)
      yield* settled
      gateway.decide(`apr-${gateway.size()}`, { status: "rejected", reason: "no" })
      gateway.push(`apr-${gateway.size()}`)
      assert.strictEqual((yield* Fiber.join(rejected)).error?.type, "ApprovalRejected")
    }))

  it.scoped("that needs none is made as ever", () =>
    Effect.gen(function*() {
      const { gateway, provided, write } = yield* waiting({
        instead: ({ id }, server) => {
          server.answer(id, written)
          return true
        }
      })
      assert.deepStrictEqual(yield* write.pipe(Approvals.awaitApproval(), provided), written.data)
      assert.lengthOf(gateway.asked(), 1)
    }))
})

describe("the region of awaitApproval", () => {
  it.scoped("ends with what it wraps", () =>
    Effect.gen(function*() {
      const { approved, provided, write } = yield* waiting()
      yield* approved(write.pipe(Approvals.awaitApproval(), provided))
      assert.strictEqual((yield* Effect.flip(write))._tag, "ApprovalRequired")
    }))

  it.scoped("reaches the fibers that are forked inside, of any kind", () =>
    Effect.gen(function*() {
      const { approved, gateway, provided, write } = yield* waiting()
      const all = Effect.gen(function*() {
        const fibers = [yield* Effect.fork(write), yield* Effect.forkDaemon(write)]
        yield* Fiber.joinAll(fibers)
        yield* Effect.all([write, write, write], { concurrency: "unbounded" })
        yield* Effect.scoped(Effect.flatMap(Effect.forkScoped(write), Fiber.join))
      })
      yield* approved(all.pipe(Approvals.awaitApproval(), provided))
      assert.strictEqual(gateway.size(), 6)
    }))

  it.scoped("reaches the layers that are built and the finalizers that are added inside", () =>
    Effect.gen(function*() {
      const { approved, gateway, provided, write } = yield* waiting()
      class Built extends Context.Tag("test/Built")<Built, { readonly size: number }>() {}
      const built = Layer.effect(Built, Effect.map(write, ({ size }) => ({ size })))
      const scope = yield* Scope.make()
      const all = Effect.gen(function*() {
        yield* Effect.addFinalizer(() => Effect.orDie(write)).pipe(Scope.extend(scope))
        return yield* Effect.provide(Effect.map(Built, ({ size }) => size), Layer.merge(built, Layer.fresh(built)))
      })
      assert.strictEqual(yield* approved(all.pipe(Approvals.awaitApproval(), provided)), 5)
      assert.isTrue(Exit.isSuccess(yield* approved(Effect.exit(Scope.close(scope, Exit.void)))))
      assert.strictEqual(gateway.size(), 3)
    }))

  it.scoped("is not that of whoever joins a fiber of it, nor of work that is handed outside", () =>
    Effect.gen(function*() {
      const { provided, write } = yield* waiting()
      // A fiber of the region, forked by one fiber and joined by another.
      const forked = yield* Effect.fork(Effect.forkDaemon(Effect.void).pipe(Approvals.awaitApproval(), provided))
      yield* Fiber.join(yield* Fiber.join(forked))
      assert.strictEqual((yield* Effect.flip(write))._tag, "ApprovalRequired")

      const jobs = yield* Queue.unbounded<Effect.Effect<unknown, unknown>>()
      const worker = yield* Effect.fork(Effect.flatMap(Queue.take(jobs), Effect.flip))
      yield* Queue.offer(jobs, write).pipe(Approvals.awaitApproval(), provided)
      assert.strictEqual(at(yield* Fiber.join(worker), "_tag"), "ApprovalRequired")
    }))

  it.scoped("is that of the innermost, and failFast is outside of it", () =>
    Effect.gen(function*() {
      const { approved, provided, write } = yield* waiting()
      const failed = Effect.flip(Approvals.failFast(write))
      assert.strictEqual((yield* failed.pipe(Approvals.awaitApproval(), provided))._tag, "ApprovalRequired")
      const again = Approvals.failFast(Approvals.awaitApproval()(write))
      assert.deepStrictEqual(yield* approved(provided(again)), written.data)
      const timed = write.pipe(
        Approvals.awaitApproval({ timeout: "1 second" }),
        Approvals.awaitApproval({ timeout: "1 hour" }),
        Effect.flip,
        provided
      )
      const fiber = yield* Effect.fork(timed)
      yield* settled
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "ApprovalTimeout")
    }))

  it.scoped("is of one gateway", () =>
    Effect.gen(function*() {
      const one = yield* waiting()
      const other = yield* waiting()
      const error = yield* one.provided(Approvals.awaitApproval()(Effect.flip(other.write)))
      assert.strictEqual(error._tag, "ApprovalRequired")
    }))

  it.scoped("lets no ApprovalRequired out that its type says is not there", () =>
    Effect.gen(function*() {
      const { provided, write } = yield* waiting()
      const exit = yield* Effect.exit(write.pipe(Approvals.failFast, Approvals.awaitApproval(), provided))
      assert.isTrue(Exit.isFailure(exit) && Cause.isDie(exit.cause))
      const streamed = Stream.fromEffect(Approvals.failFast(write)).pipe(
        Approvals.awaitApproval(),
        Stream.runDrain,
        provided
      )
      const second = yield* Effect.exit(streamed)
      assert.isTrue(Exit.isFailure(second) && Cause.isDie(second.cause))
      const other = yield* Effect.exit(Effect.fail("mine").pipe(Approvals.awaitApproval(), provided))
      assert.deepStrictEqual(other, Exit.fail("mine"))
    }))
})

describe("a stream inside awaitApproval", () => {
  it.scoped("waits for what makes its elements, in its fibers and finalizers too", () =>
    Effect.gen(function*() {
      const { approved, gateway, provided, write } = yield* waiting()
      const sizes = Stream.range(1, 3).pipe(
        Stream.mapEffect(() => write),
        Stream.merge(Stream.fromEffect(write)),
        Stream.flatMap(() => Stream.fromEffect(write), { concurrency: 4 }),
        Stream.ensuring(Effect.orDie(write)),
        Stream.map(({ size }) => size),
        Approvals.awaitApproval()
      )
      assert.strictEqual(yield* approved(provided(Stream.runSum(sizes))), 20)
      assert.strictEqual(gateway.size(), 9)
    }))

  it.scoped("does not wait for what is done with its elements outside", () =>
    Effect.gen(function*() {
      const { approved, provided, write } = yield* waiting()
      const stream = Stream.fromEffect(write).pipe(
        Approvals.awaitApproval(),
        Stream.mapEffect(() => Effect.flip(write)),
        Stream.runHead
      )
      const found = yield* approved(Effect.flatten(provided(stream)))
      assert.strictEqual(found._tag, "ApprovalRequired")
      assert.strictEqual((yield* Effect.flip(write))._tag, "ApprovalRequired")
    }))

  it.scoped("keeps its chunks, and its errors", () =>
    Effect.gen(function*() {
      const { provided } = yield* waiting()
      const chunks = Stream.range(1, 10, 4).pipe(Approvals.awaitApproval(), Stream.chunks, Stream.runCollect)
      assert.deepStrictEqual([...(yield* provided(chunks))].map((chunk) => [...chunk]), [
        [1, 2, 3, 4],
        [5, 6, 7, 8],
        [9, 10]
      ])
      const failed = yield* Effect.flip(provided(Stream.fail("mine").pipe(Approvals.awaitApproval(), Stream.runDrain)))
      assert.strictEqual(failed, "mine")
    }))

  it.scoped("is left alone by failFast", () =>
    Effect.gen(function*() {
      const { provided, write } = yield* waiting()
      const failed = Effect.flip(Stream.runDrain(Approvals.failFast(Stream.fromEffect(write))))
      assert.strictEqual((yield* provided(Approvals.awaitApproval()(failed)))._tag, "ApprovalRequired")
    }))
})

describe("at a plain KruxOS, an invocation inside awaitApproval", () => {
  const plain = () => waiting({ experimental: native })

  const decided = (needsApprovalAgain: boolean) => {
    let invocations = 0
    return waiting({
      experimental: { ...native, idempotency: {} },
      instead: ({ id, method }, server) => {
        if (method !== "capabilities.invoke" || ++invocations === 1 || needsApprovalAgain) return false
        server.answer(id, written)
        return true
      }
    })
  }

  it.scoped("is made once more when it is approved, with the same arguments and the same key", () =>
    Effect.gen(function*() {
      const { gateway, provided, write } = yield* decided(false)
      const fiber = yield* Effect.fork(write.pipe(Approvals.awaitApproval(), provided))
      yield* settled
      gateway.decide("apr-1", { status: "approved" })
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* Fiber.join(fiber), written.data)
      const [first, second, ...more] = gateway.asked("capabilities.invoke")
      assert.deepStrictEqual(second?.params, first?.params)
      assert.isString(at(first?.params, "idempotency_key"))
      assert.deepStrictEqual(more, [])
      assert.lengthOf(gateway.asked("approvals.check"), 0)
    }))

  it.scoped("is not made a third time: that it needs approval again ends it", () =>
    Effect.gen(function*() {
      const { gateway, provided, write } = yield* decided(true)
      const fiber = yield* Effect.fork(Effect.flip(write.pipe(Approvals.awaitApproval(), provided)))
      yield* settled
      gateway.decide("apr-1", { status: "approved" })
      yield* TestClock.adjust("1 second")
      const error = yield* Fiber.join(fiber)
      assert.strictEqual(error._tag, "ApprovalExpired")
      assert.deepInclude(error, { approvalId: "apr-1", context: { request_id: "apr-2" } })
      assert.lengthOf(gateway.asked("capabilities.invoke"), 2)
    }))

  it.scoped("is not made again when it is rejected or has expired", () =>
    Effect.gen(function*() {
      for (const [status, tag] of [["rejected", "ApprovalRejected"], ["timed_out", "ApprovalExpired"]] as const) {
        const { gateway, provided, write } = yield* plain()
        const fiber = yield* Effect.fork(Effect.flip(write.pipe(Approvals.awaitApproval(), provided)))
        yield* settled
        gateway.decide("apr-1", { status })
        yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* Fiber.join(fiber))._tag, tag)
        assert.lengthOf(gateway.asked("capabilities.invoke"), 1)
      }
    }))

  it.scoped("is waited for where the gateway holds its answer back, as long as for a decision", () =>
    Effect.gen(function*() {
      const held: Array<() => void> = []
      const { provided, write } = yield* waiting({
        experimental: native,
        instead: ({ id }, server) => {
          held.push(() => server.answer(id, written))
          return true
        }
      })
      const inside = (timeout: Duration.DurationInput) => write.pipe(Approvals.awaitApproval({ timeout }), provided)
      const answered = yield* Effect.fork(inside("10 minutes"))
      const ended = yield* Effect.fork(Effect.flip(inside("5 minutes")))
      const outside = yield* Effect.fork(Effect.flip(write))
      yield* settled
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual((yield* Fiber.join(outside))._tag, "OutcomeUnknown")
      yield* TestClock.adjust("269 seconds")
      assert.isNull(ended.unsafePoll())
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(ended))._tag, "OutcomeUnknown")
      yield* TestClock.adjust("4 minutes")
      assert.isNull(answered.unsafePoll())
      held[0]?.()
      assert.deepStrictEqual(yield* Fiber.join(answered), written.data)
    }))

  it.scoped("is not made again where a gateway before it may have run it", () =>
    Effect.gen(function*() {
      const { gateway, provided, write } = yield* waiting({ later: native })
      const fiber = yield* Effect.fork(Effect.flip(write.pipe(Approvals.awaitApproval(), provided)))
      yield* settled
      gateway.decide("apr-1", { status: "approved" })
      gateway.connections[0]?.close()
      yield* settled
      yield* TestClock.adjust("1 second")
      const error = yield* Fiber.join(fiber)
      assert.strictEqual(error._tag, "OutcomeUnknown")
      assert.strictEqual(at(error, "idempotencyKey"), at(gateway.asked()[0]?.params, "idempotency_key"))
      assert.lengthOf(gateway.asked("capabilities.invoke"), 1)
      assert.isNotEmpty(gateway.asked("kruxos/checkApproval"))
    }))
})
