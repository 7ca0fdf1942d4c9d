import { describe, expect, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { Capabilities } from "../../src/services/Capabilities.js"
import { Gateway } from "../../src/services/Gateway.js"
import { State } from "../../src/services/State.js"
import { Transaction } from "../../src/services/Transaction.js"
import { MockGateway } from "../../src/testing/MockGateway.js"
import * as Reply from "../../src/testing/Reply.js"

const ran = {
  exit_code: 0,
  stdout: "done",
  stdout_summary: "done",
  stderr: "",
  stderr_summary: "",
  duration_ms: 1,
  process_id: "proc-1",
  state: "completed",
  resource_usage: { cpu_ms: 1, memory_peak_bytes: 1, io_read_bytes: 0, io_write_bytes: 0 }
}

const mock = MockGateway.layer()

const runs = Effect.flatMap(Capabilities, (capabilities) => capabilities.invoke("process.run", { command: "make" }))

const asksTheTime = Effect.flatMap(Capabilities, (capabilities) => capabilities.invoke("system.time"))

const time = (local: string) => ({
  utc: DateTime.unsafeMake(0),
  unix_epoch: 0,
  unix_epoch_ms: 0,
  local,
  timezone: "UTC"
})

const sessionId = Effect.flatMap(Gateway, (gateway) => Effect.map(gateway.session, ({ id }) => id))

const carriedOut = Effect.flatMap(
  MockGateway,
  ({ invocations }) => Effect.map(invocations, (all) => all.filter(({ exit }) => exit !== undefined).length)
)

// Steps of a millisecond do not lead past anything that is to be seen on the way.
const soon = TestClock.adjust("1 millis")

describe("dropConnection", () => {
  it.effect("of the test: what has a key goes on, is asked for again by its key, and runs once", () =>
    Effect.gen(function*() {
      const gateway = yield* MockGateway
      const began = yield* Deferred.make<void>()
      const mayEnd = yield* Deferred.make<void>()
      const count = yield* Ref.make(0)
      const before = yield* sessionId
      yield* gateway.expect(
        "process.run",
        {},
        Reply.handle(() =>
          Ref.update(count, (n) => n + 1).pipe(
            Effect.zipRight(Deferred.succeed(began, undefined)),
            Effect.zipRight(Deferred.await(mayEnd)),
            Effect.as(ran)
          )
        )
      )
      const running = yield* Effect.fork(runs)
      yield* Deferred.await(began)
      yield* gateway.dropConnection
      yield* Deferred.succeed(mayEnd, undefined)
      expect((yield* Fiber.join(running)).stdout).toBe("done")
      expect(yield* Ref.get(count)).toBe(1)
      expect(yield* sessionId).toBe(before)
      yield* gateway.verify
    }).pipe(Effect.provide(mock)))

  it.effect("is seen as Reconnecting, and nothing is lost with it", () =>
    Effect.gen(function*() {
      const { status } = yield* Gateway
      const { dropConnection } = yield* MockGateway
      const seen = yield* Effect.fork(Stream.runCollect(Stream.take(status, 3)))
      yield* Effect.yieldNow()
      yield* soon
      yield* dropConnection
      const [first, second, third] = [...yield* Fiber.join(seen)]
      expect(first?._tag).toBe("Connected")
      expect(second).toMatchObject({ _tag: "Reconnecting", cause: { _tag: "ConnectionFailed" } })
      expect(third).toMatchObject({ _tag: "Connected", lost: undefined })
    }).pipe(Effect.provide(mock)))

  it.effect.each(["before", "after"] as const)(
    "%s the capability: a keyed one runs once",
    (when) =>
      Effect.gen(function*() {
        const gateway = yield* MockGateway
        yield* gateway.expect("process.run", {}, Reply.succeed(ran).pipe(Reply.dropConnection(when)))
        expect((yield* runs).stdout).toBe("done")
        yield* gateway.verify
      }).pipe(Effect.provide(mock))
  )

  it.effect("before a capability that may be repeated: it is invoked again", () =>
    Effect.gen(function*() {
      const gateway = yield* MockGateway
      yield* gateway.expect("system.time", {}, Reply.succeed(time("2026-01-01T00:00:00Z")).pipe(Reply.dropConnection()))
      expect((yield* asksTheTime).timezone).toBe("UTC")
      yield* gateway.verify
    }).pipe(Effect.provide(mock)))

  it.effect("after a capability that may be repeated: it runs twice, and the second answer counts", () =>
    Effect.gen(function*() {
      const gateway = yield* MockGateway
      const second = Reply.succeed(time("2026-01-02T00:00:00Z"))
      yield* gateway.expect(
        "system.time",
        {},
        Reply.succeed(time("2026-01-01T00:00:00Z")).pipe(Reply.dropConnection("after"), Reply.andThen(second))
      )
      expect((yield* asksTheTime).local).toBe("2026-01-02T00:00:00Z")
      yield* gateway.verify
    }).pipe(Effect.provide(mock)))

  it.effect("leaves a transaction open, which goes on over the next connection", () =>
    Effect.gen(function*() {
      const { dropConnection, state: inGateway } = yield* MockGateway
      const { persistent } = yield* State
      yield* Transaction.run(Effect.gen(function*() {
        yield* persistent.set("goal", "first")
        yield* dropConnection
        yield* persistent.set("step", "second")
        expect((yield* inGateway).persistent).toEqual({})
      }))
      expect((yield* inGateway).persistent).toEqual({ goal: "first", step: "second" })
    }).pipe(Effect.provide(mock)))

  it.effect("keeps what the session has, and its watches", () =>
    Effect.gen(function*() {
      const { dropConnection, emit } = yield* MockGateway
      const state = yield* State
      yield* state.session.set("note", "kept")
      const changed = yield* Effect.fork(Stream.runHead(state.shared.changes("job/")))
      yield* soon
      yield* dropConnection
      yield* soon
      expect(yield* state.session.get("note")).toMatchObject({ value: { value: "kept" } })
      yield* emit({ _tag: "SharedStateSet", key: "job/1", value: 1 })
      yield* soon
      expect(yield* Fiber.join(changed)).toMatchObject({ _tag: "Some" })
    }).pipe(Effect.provide(mock)))
})

describe("dropReply", () => {
  it.effect("lets the caller wait until its deadline, and the record has what came of it", () =>
    Effect.gen(function*() {
      const gateway = yield* MockGateway
      const capabilities = yield* Capabilities
      yield* gateway.expect("process.run", {}, Reply.succeed(ran).pipe(Reply.dropReply))
      const running = yield* Effect.fork(
        Effect.either(capabilities.invoke("process.run", { command: "make" }, {
          timeout: "20 seconds",
          idempotencyKey: "build-1"
        }))
      )
      yield* TestClock.adjust("19 seconds")
      expect(yield* Fiber.poll(running)).toMatchObject({ _tag: "None" })
      yield* TestClock.adjust("2 seconds")
      const failed = yield* Effect.flatMap(Fiber.join(running), Either.flip)
      expect(failed).toMatchObject({ _tag: "OutcomeUnknown", idempotencyKey: "build-1" })
      expect(yield* capabilities.outcome("build-1", "process.run")).toMatchObject({
        _tag: "Done",
        result: { _tag: "Right", right: { stdout: "done" } }
      })
      yield* gateway.verify
    }).pipe(Effect.provide(mock)))

  it.effect("of what may be repeated is a GatewayTimeout", () =>
    Effect.gen(function*() {
      const gateway = yield* MockGateway
      yield* gateway.expect("system.time", {}, Reply.succeed(time("2026-01-01T00:00:00Z")).pipe(Reply.dropReply))
      const asking = yield* Effect.fork(Effect.flip(asksTheTime))
      yield* TestClock.adjust("1 minute")
      expect((yield* Fiber.join(asking))._tag).toBe("GatewayTimeout")
    }).pipe(Effect.provide(mock)))

  it.effect("loses one answer, and nothing else on the connection", () =>
    Effect.gen(function*() {
      const gateway = yield* MockGateway
      yield* gateway.expect("process.run", { command: "make" }, Reply.succeed(ran).pipe(Reply.dropReply))
      const running = yield* Effect.fork(runs)
      yield* soon
      expect(yield* carriedOut).toBe(1)
      yield* gateway.expect("system.time", {}, time("2026-01-01T00:00:00Z"))
      expect((yield* asksTheTime).timezone).toBe("UTC")
      expect(yield* Fiber.poll(running)).toMatchObject({ _tag: "None" })
      yield* Fiber.interrupt(running)
    }).pipe(Effect.provide(mock)))
})

describe("duplicateReply", () => {
  it.effect("settles its call once, and disturbs no other", () =>
    Effect.gen(function*() {
      const gateway = yield* MockGateway
      const first = Reply.succeed(time("2026-01-01T00:00:00Z")).pipe(Reply.duplicateReply)
      yield* gateway.expect("system.time", {}, first)
      yield* gateway.expect("system.time", {}, time("2026-01-02T00:00:00Z"))
      const before = yield* sessionId
      const answers = yield* Effect.all([asksTheTime, asksTheTime])
      expect(answers.map(({ local }) => local)).toEqual(["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"])
      expect(yield* sessionId).toBe(before)
      yield* gateway.verify
    }).pipe(Effect.provide(mock)))
})

describe("unreachable", () => {
  it.effect("lets attempts fail until the scope ends, and then the program goes on", () =>
    Effect.gen(function*() {
      const gateway = yield* MockGateway
      yield* gateway.expect("process.run", {}, ran)
      const running = yield* Effect.scoped(Effect.gen(function*() {
        yield* gateway.unreachable
        yield* gateway.dropConnection
        const running = yield* Effect.fork(runs)
        yield* TestClock.adjust("10 seconds")
        expect(yield* Fiber.poll(running)).toMatchObject({ _tag: "None" })
        return running
      }))
      yield* TestClock.adjust("20 seconds")
      expect((yield* Fiber.join(running)).stdout).toBe("done")
      yield* gateway.verify
    }).pipe(Effect.provide(mock)))

  it.effect("fails what was never sent when its time is over, and it arrives nowhere", () =>
    Effect.scoped(Effect.gen(function*() {
      const gateway = yield* MockGateway
      yield* gateway.unreachable
      yield* gateway.dropConnection
      const running = yield* Effect.fork(Effect.flip(runs))
      yield* TestClock.adjust("10 minutes")
      expect((yield* Fiber.join(running))._tag).toBe("GatewayTimeout")
      expect(yield* gateway.invocations).toEqual([])
    })).pipe(Effect.provide(mock)))
})

describe("the seed", () => {
  const ids = Effect.gen(function*() {
    const { restart } = yield* MockGateway
    const first = yield* sessionId
    yield* restart
    return [first, yield* sessionId]
  })

  it.effect("gives the same names in each run, and other ones after a restart", () =>
    Effect.gen(function*() {
      const seeded = MockGateway.layer({ seed: 7 })
      const [first, second] = yield* Effect.provide(ids, seeded)
      expect(yield* Effect.provide(ids, seeded)).toEqual([first, second])
      expect(second).not.toBe(first)
      expect(yield* Effect.provide(ids, MockGateway.layer({ seed: 8 }))).not.toContain(first)
    }))
})

describe("the Clock", () => {
  it.effect("wakes nothing of an idle gateway more often than hourly", () =>
    Effect.gen(function*() {
      const capabilities = yield* Capabilities
      yield* capabilities.invoke("state.shared.watch", { prefix: "" })
      yield* TestClock.adjust("10 minutes")
      const wakes = new Set<number>()
      const sample = Effect.gen(function*() {
        yield* TestClock.adjust("2 minutes")
        for (const at of yield* TestClock.sleeps()) if (Number.isFinite(at)) wakes.add(at)
      })
      yield* Effect.repeatN(sample, 59)
      expect(wakes.size).toBeGreaterThan(2)
      expect(wakes.size).toBeLessThan(10)

      yield* TestClock.adjust("1 day")
    }).pipe(Effect.provide(mock)))
})
