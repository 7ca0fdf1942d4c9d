import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as FileSystem from "@effect/platform/FileSystem"
import { describe, expect, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { Approvals } from "../../src/services/Approvals.js"
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

const time = { utc: DateTime.unsafeMake(0), unix_epoch: 0, unix_epoch_ms: 0, local: null, timezone: "UTC" }

const mock = MockGateway.layer({ files: { "notes.txt": "as it was" } })

const runs = Effect.flatMap(Capabilities, (capabilities) => capabilities.invoke("process.run", { command: "make" }))

const reads = (path: string) =>
  Effect.flatMap(
    Capabilities,
    (capabilities) => Effect.map(capabilities.invoke("filesystem.read", { path }), ({ content }) => content)
  )

const writes = (path: string, content: string) =>
  Effect.flatMap(Capabilities, (capabilities) => capabilities.invoke("filesystem.write", { path, content }))

const sessionId = Effect.flatMap(Gateway, (gateway) => Effect.map(gateway.session, ({ id }) => id))

const soon = TestClock.adjust("1 millis")

describe("restart", () => {
  it.effect("ends the session and what lived in it, and keeps the rest", () =>
    Effect.gen(function*() {
      const { restart } = yield* MockGateway
      const state = yield* State
      const before = yield* sessionId
      yield* state.session.set("note", "gone with the session")
      yield* state.persistent.set("goal", "kept")
      yield* state.shared.set("count", 1, { expectedVersion: 0 })
      yield* restart
      expect(yield* sessionId).not.toBe(before)
      expect(yield* state.session.get("note")).toEqual(Option.none())
      expect(yield* state.persistent.get("goal", Schema.String)).toMatchObject({ value: { value: "kept" } })
      expect(yield* state.shared.get("count", Schema.Number)).toMatchObject({ value: { value: 1, version: 1 } })
    }).pipe(Effect.provide(mock)))

  it.effect("is told by the status of the connection, with the session that was lost", () =>
    Effect.gen(function*() {
      const { restart } = yield* MockGateway
      const { status } = yield* Gateway
      const before = yield* sessionId
      const seen = yield* Effect.fork(Stream.runCollect(Stream.take(status, 3)))
      yield* soon
      yield* restart
      const [, , connected] = [...yield* Fiber.join(seen)]
      expect(connected).toMatchObject({ _tag: "Connected", lost: { session: { id: before }, calls: 0 } })
    }).pipe(Effect.provide(mock)))

  it.effect("of one that was stopped in the middle of a capability leaves its outcome unknown, and it is not run again", () =>
    Effect.gen(function*() {
      const { expect: expects, invocations, restart, verify } = yield* MockGateway
      const capabilities = yield* Capabilities
      const began = yield* Deferred.make<void>()
      const stopped = yield* Ref.make(false)
      yield* expects(
        "process.run",
        {},
        Reply.handle(() =>
          Effect.zipRight(Deferred.succeed(began, undefined), Effect.never).pipe(
            Effect.onInterrupt(() => Ref.set(stopped, true))
          )
        )
      )
      const running = yield* Effect.fork(
        Effect.flip(capabilities.invoke("process.run", { command: "make" }, { idempotencyKey: "build-1" }))
      )
      yield* Deferred.await(began)
      yield* restart
      expect(yield* Fiber.join(running)).toMatchObject({ _tag: "OutcomeUnknown", idempotencyKey: "build-1" })
      expect(yield* Ref.get(stopped)).toBe(true)
      expect(yield* capabilities.outcome("build-1")).toMatchObject({ _tag: "Unknown" })
      expect((yield* invocations).filter(({ exit }) => exit !== undefined && Exit.isSuccess(exit))).toEqual([])
      yield* verify
    }).pipe(Effect.provide(mock)))

  it.effect("rolls back what was open, files and all", () =>
    Effect.gen(function*() {
      const { restart, state: inGateway } = yield* MockGateway
      const state = yield* State
      const transaction = yield* Transaction
      yield* Effect.scoped(Effect.gen(function*() {
        const open = yield* transaction.begin()
        yield* open.invoke("filesystem.write", { path: "notes.txt", content: "changed" })
        yield* open.invoke("filesystem.write", { path: "new.txt", content: "new" })
        yield* open.invoke("state.persistent.set", { key: "goal", value: "changed" })
        expect(yield* reads("notes.txt")).toBe("changed")
        yield* restart
        expect(yield* reads("notes.txt")).toBe("as it was")
        expect((yield* Effect.flip(reads("new.txt")))._tag).toBe("FileNotFound")
        expect((yield* Effect.flip(open.commit))._tag).toBe("TransactionClosed")
      }))
      expect(yield* state.persistent.get("goal")).toEqual(Option.none())
      expect((yield* inGateway).persistent).toEqual({})
    }).pipe(Effect.provide(mock)))

  it.effect("keeps what waits for approval, and what is approved later is carried out once", () =>
    Effect.gen(function*() {
      const gateway = yield* MockGateway
      const capabilities = yield* Capabilities
      yield* gateway.expect("process.run", {}, ran)
      const running = yield* Effect.fork(
        capabilities.invoke("process.run", { command: "make" }).pipe(Approvals.awaitApproval({ timeout: "1 hour" }))
      )
      const { approvalId } = yield* gateway.humans.asked("process.run")
      yield* gateway.restart
      yield* gateway.humans.approve(approvalId)
      yield* TestClock.adjust("1 minute")
      expect((yield* Fiber.join(running)).stdout).toBe("done")
      yield* gateway.verify
    }).pipe(Effect.provide(MockGateway.layer({ policy: { tiers: { "process.run": "approval_required" } } }))))

  it.effect("has watches made again, and what happens after it is seen", () =>
    Effect.gen(function*() {
      const { emit, restart } = yield* MockGateway
      const state = yield* State
      const seen = yield* Effect.fork(
        state.shared.changes("job/").pipe(
          Stream.filter(({ _tag }) => _tag !== "Resynced"),
          Stream.runHead
        )
      )
      yield* soon
      yield* restart
      yield* TestClock.adjust("1 second")
      yield* emit({ _tag: "SharedStateSet", key: "job/1", value: "there" })
      yield* TestClock.adjust("1 second")
      expect(yield* Fiber.join(seen)).toMatchObject({ _tag: "Some" })
    }).pipe(Effect.provide(mock)))

  it.effect("can happen again and again, also twice at once", () =>
    Effect.gen(function*() {
      const { restart } = yield* MockGateway
      const state = yield* State
      for (let version = 0; version < 3; version++) {
        yield* state.shared.set("count", version, { expectedVersion: version })
        yield* Effect.all([restart, restart], { concurrency: "unbounded" })
        // A connection that ends soon after it was made is made again after a while.
        yield* TestClock.adjust("15 seconds")
      }
      expect(yield* state.shared.get("count")).toMatchObject({ value: { version: 3 } })
    }).pipe(Effect.provide(mock)))

  it.effect("finishes although nobody waits for it any more", () =>
    Effect.gen(function*() {
      const { restart } = yield* MockGateway
      const before = yield* sessionId
      const restarting = yield* Effect.fork(restart)
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(restarting)
      yield* restart
      expect(yield* sessionId).not.toBe(before)
      expect(yield* reads("notes.txt")).toBe("as it was")
    }).pipe(Effect.provide(mock)))

  it.effect("of a gateway that cannot start says why, to the test and to the program, and can be tried again", () =>
    Effect.gen(function*() {
      const files = yield* FileSystem.FileSystem
      const policy = yield* files.makeTempFileScoped({ suffix: ".yaml" })
      const text = "version: 1\nextends: team-moderate\n"
      yield* files.writeFileString(policy, text)
      yield* Effect.gen(function*() {
        const { restart } = yield* MockGateway
        yield* files.writeFileString(policy, "tiers: [")
        expect((yield* Effect.flip(restart))._tag).toBe("InvalidPolicy")
        const reading = yield* Effect.fork(reads("notes.txt"))
        yield* TestClock.adjust("1 second")
        expect(yield* Fiber.poll(reading)).toEqual(Option.none())
        yield* files.writeFileString(policy, text)
        yield* restart
        yield* TestClock.adjust("20 seconds")
        expect(yield* Fiber.join(reading)).toBe("as it was")
      }).pipe(Effect.provide(MockGateway.layer({ files: { "notes.txt": "as it was" }, policy: { file: policy } })))
    }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer)))
})

describe("Reply.gatewayRestart", () => {
  it.effect("before a capability without a key: it is asked for again, and answered by the next gateway", () =>
    Effect.gen(function*() {
      const gateway = yield* MockGateway
      const capabilities = yield* Capabilities
      const before = yield* sessionId
      yield* gateway.expect("system.time", {}, Reply.succeed(time).pipe(Reply.gatewayRestart()))
      expect(yield* capabilities.invoke("system.time")).toMatchObject({ timezone: "UTC" })
      expect(yield* sessionId).not.toBe(before)
      yield* gateway.verify
    }).pipe(Effect.provide(mock)))

  it.effect("after a capability with a key: nobody knows what it has done", () =>
    Effect.gen(function*() {
      const gateway = yield* MockGateway
      yield* gateway.expect("process.run", {}, Reply.succeed(ran).pipe(Reply.gatewayRestart("after")))
      expect((yield* Effect.flip(runs))._tag).toBe("OutcomeUnknown")
      yield* gateway.verify
    }).pipe(Effect.provide(mock)))

  it.effect("within a transaction: it is rolled back, and its commit says so", () =>
    Effect.gen(function*() {
      const gateway = yield* MockGateway
      yield* gateway.expect("system.time", {}, Reply.succeed(time).pipe(Reply.gatewayRestart()))
      const failed = yield* Effect.flip(Transaction.run(Effect.gen(function*() {
        yield* writes("notes.txt", "changed")
        const capabilities = yield* Capabilities
        yield* capabilities.invoke("system.time")
      })))
      expect(failed._tag).toBe("TransactionClosed")
      expect(yield* reads("notes.txt")).toBe("as it was")
    }).pipe(Effect.provide(mock)))
})
