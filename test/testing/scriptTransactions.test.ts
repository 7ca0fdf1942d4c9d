import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { Approvals } from "../../src/services/Approvals.js"
import { Capabilities } from "../../src/services/Capabilities.js"
import { Transaction } from "../../src/services/Transaction.js"
import { MockGateway } from "../../src/testing/MockGateway.js"
import * as Reply from "../../src/testing/Reply.js"

const file = (content: string) => ({ content, size: content.length, size_bytes: content.length })

const written = (path: string) => ({ path, size: 1, checksum: "0".repeat(64) })

const ran = {
  exit_code: 0,
  stdout: "",
  stdout_summary: "",
  stderr: "",
  stderr_summary: "",
  duration_ms: 1,
  process_id: "p",
  state: "completed",
  resource_usage: { cpu_ms: 0, memory_peak_bytes: 0, io_read_bytes: 0, io_write_bytes: 0 }
}

const read = Effect.flatMap(
  Capabilities,
  (capabilities) => capabilities.invoke("filesystem.read", { path: "/workspace/a.txt" })
)

const write = (path: string) =>
  Effect.flatMap(Capabilities, (capabilities) => capabilities.invoke("filesystem.write", { path, content: "x" }))

const run = Effect.flatMap(Capabilities, (capabilities) => capabilities.invoke("process.run", { command: "make" }))

const rolledBack = Effect.flatMap(
  MockGateway,
  (mock) => Effect.map(mock.invocations, (all) => all.map(({ capability, isRolledBack }) => [capability, isRolledBack]))
)

describe("scripted capabilities in a transaction", () => {
  it.effect("are rolled back where the catalogue says that they can be, and the invocation says so", () =>
    Effect.gen(function*() {
      yield* write("/workspace/before.txt")
      yield* Transaction.run(write("/workspace/a.txt"))
      const failed = yield* Effect.flip(
        Transaction.run(Effect.zipRight(write("/workspace/b.txt"), Effect.zipRight(read, Effect.fail("no"))))
      )
      expect(failed).toBe("no")
      expect(yield* rolledBack).toEqual([
        ["filesystem.write", false],
        ["filesystem.write", false],
        ["filesystem.write", true],
        ["filesystem.read", false]
      ])
      yield* (yield* MockGateway).verify
    }).pipe(Effect.provide(MockGateway.layer({
      capabilities: {
        "filesystem.write": ({ path }) => Effect.succeed(written(path)),
        "filesystem.read": file("hello")
      }
    }))))

  it.effect("are refused where they cannot be undone, and the script is not asked", () =>
    Effect.gen(function*() {
      const mock = yield* MockGateway
      expect(yield* Effect.flip(Transaction.run(run))).toMatchObject({ _tag: "NotReversible" })
      expect((yield* Effect.flip(mock.verify)).mismatches).toMatchObject([{ _tag: "Unused", left: 1 }])
    }).pipe(
      Effect.provide(MockGateway.layer({ capabilities: { "process.run": Reply.succeed(ran).pipe(Reply.times(1)) } }))
    ))

  it.effect("are undone beside what the gateway itself has done", () =>
    Effect.gen(function*() {
      const mock = yield* MockGateway
      const capabilities = yield* Capabilities
      yield* mock.expect("filesystem.write", { path: "/workspace/b.txt" }, written("/workspace/b.txt"))
      const exit = yield* Effect.exit(Transaction.run(Effect.gen(function*() {
        yield* write("/workspace/a.txt")
        yield* write("/workspace/b.txt")
        expect((yield* read).content).toBe("x")
        return yield* Effect.fail("no")
      })))
      expect(exit).toEqual(Exit.fail("no"))
      expect((yield* read).content).toBe("before")
      expect((yield* rolledBack).slice(0, 2)).toEqual([["filesystem.write", false], ["filesystem.write", true]])
      expect(yield* Effect.flip(capabilities.invoke("filesystem.read", { path: "/workspace/b.txt" }))).toMatchObject({
        _tag: "FileNotFound"
      })
      yield* mock.verify
    }).pipe(Effect.provide(MockGateway.layer({ files: { "a.txt": "before" } }))))
})

describe("what a human has to approve", () => {
  const exits = Effect.flatMap(
    MockGateway,
    (mock) => Effect.map(mock.invocations, (all) => all.map(({ exit }) => exit))
  )

  it.effect("came to a request for approval, and then to what came of it", () =>
    Effect.gen(function*() {
      const mock = yield* MockGateway
      const asked = yield* Effect.flip(run)
      if (asked._tag !== "ApprovalRequired") return yield* Effect.die(asked)
      const [before] = yield* exits
      expect(before !== undefined && Exit.isFailure(before)).toBe(true)
      yield* mock.humans.approve("process.run")
      expect(yield* Effect.flatMap(Approvals, (approvals) => approvals.wait(asked))).toMatchObject({
        data: { process_id: "p" }
      })
      expect(yield* exits).toEqual([Exit.succeed(ran)])
      yield* mock.verify
    }).pipe(Effect.provide(MockGateway.layer({
      policy: { tiers: { "process.run": "approval_required" } },
      capabilities: { "process.run": Reply.succeed(ran).pipe(Reply.times(1)) }
    }))))

  it.effect("is found as a step of its transaction, too", () =>
    Effect.gen(function*() {
      const mock = yield* MockGateway
      yield* mock.humans.approve("filesystem.write")
      const fiber = yield* Effect.fork(
        Effect.either(Transaction.run(Effect.zipRight(
          Approvals.awaitApproval()(write("/workspace/a.txt")),
          Effect.fail("no")
        )))
      )
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(fiber)
      expect(yield* exits).toEqual([Exit.succeed(written("/workspace/a.txt"))])
      expect(yield* rolledBack).toEqual([["filesystem.write", true]])
      yield* mock.verify
    }).pipe(Effect.provide(MockGateway.layer({
      policy: { tiers: { "filesystem.write": "approval_required" } },
      capabilities: { "filesystem.write": Reply.succeed(written("/workspace/a.txt")).pipe(Reply.times(1)) }
    }))))
})

describe("a fault", () => {
  // The SDK connects again after a moment of the Clock.
  const inTime = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.gen(function*() {
      const fiber = yield* Effect.fork(effect)
      yield* TestClock.adjust("1 minute").pipe(Effect.repeatN(7))
      const exit = yield* Fiber.poll(fiber)
      return yield* Option.getOrThrowWith(exit, () => new Error("it still runs"))
    })

  const count = Effect.flatMap(MockGateway, (mock) => Effect.map(mock.invocations, (all) => all.length))

  it.effect("before an answer leaves the answer for whoever asks again", () =>
    Effect.gen(function*() {
      const mock = yield* MockGateway
      yield* mock.expect("filesystem.read", {}, Reply.succeed(file("one")).pipe(Reply.dropConnection()))
      yield* mock.expect("filesystem.read", {}, Reply.succeed(file("two")).pipe(Reply.gatewayRestart()))
      yield* mock.expect("process.run", {}, Reply.succeed(ran).pipe(Reply.dropConnection()))
      expect((yield* inTime(read)).content).toBe("one")
      expect((yield* inTime(read)).content).toBe("two")
      expect(yield* inTime(run)).toMatchObject({ process_id: "p" })
      expect(yield* count).toBe(6)
      yield* mock.verify
    }).pipe(Effect.provide(MockGateway.layer())))

  it.effect("after it loses what was answered, and nothing is done twice that cannot be", () =>
    Effect.gen(function*() {
      const mock = yield* MockGateway
      yield* mock.expect("process.run", {}, Reply.succeed(ran).pipe(Reply.dropConnection("after")))
      yield* mock.expect("filesystem.read", {}, Reply.succeed(file("lost")).pipe(Reply.dropConnection("after")))
      yield* mock.expect("filesystem.read", {}, Reply.succeed(file("again")))
      expect(yield* inTime(run)).toMatchObject({ process_id: "p" })
      expect((yield* inTime(read)).content).toBe("again")
      yield* mock.verify
    }).pipe(Effect.provide(MockGateway.layer())))

  it.effect("of the whole gateway is resolved as after a crash", () =>
    Effect.gen(function*() {
      const mock = yield* MockGateway
      yield* mock.expect("process.run", {}, Reply.succeed(ran).pipe(Reply.gatewayRestart("after")))
      yield* mock.expect("process.run", {}, Reply.succeed(ran).pipe(Reply.gatewayRestart()))
      yield* mock.expect("filesystem.write", {}, Reply.succeed(written("/a")).pipe(Reply.gatewayRestart("after")))
      yield* mock.expect("filesystem.write", {}, Reply.succeed(written("/b")).pipe(Reply.gatewayRestart()))
      expect(yield* Effect.flip(inTime(run))).toMatchObject({ _tag: "OutcomeUnknown" })
      expect(yield* Effect.flip(inTime(run))).toMatchObject({ _tag: "OutcomeUnknown" })
      expect((yield* inTime(write("/a"))).path).toBe("/a")
      expect((yield* inTime(write("/b"))).path).toBe("/b")
      yield* mock.verify
    }).pipe(Effect.provide(MockGateway.layer())))

  it.effect("of an answer alone is a timeout, or an answer that comes twice", () =>
    Effect.gen(function*() {
      const mock = yield* MockGateway
      yield* mock.expect("filesystem.read", {}, Reply.succeed(file("lost")).pipe(Reply.dropReply))
      yield* mock.expect("filesystem.read", {}, Reply.succeed(file("twice")).pipe(Reply.duplicateReply))
      yield* mock.expect("filesystem.read", {}, Reply.succeed(file("once")))
      expect(yield* Effect.flip(inTime(read))).toMatchObject({ _tag: "GatewayTimeout" })
      expect((yield* inTime(read)).content).toBe("twice")
      expect((yield* inTime(read)).content).toBe("once")
      yield* mock.verify
    }).pipe(Effect.provide(MockGateway.layer())))
})
