import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import { Capabilities } from "../../src/services/Capabilities.js"
import { State } from "../../src/services/State.js"
import { Transaction } from "../../src/services/Transaction.js"
import { MockGateway } from "../../src/testing/MockGateway.js"
import * as Reply from "../../src/testing/Reply.js"

const path = "/workspace/notes.txt"

const withFile = MockGateway.layer({ files: { "notes.txt": "old" } })

const contentOf = Effect.flatMap(
  Capabilities,
  ({ invoke }) => Effect.map(invoke("filesystem.read", { path }), ({ content }) => content)
)

const writes = (content: string) =>
  Effect.flatMap(Capabilities, ({ invoke }) => invoke("filesystem.write", { path, content }))

const sets = Effect.flatMap(State, ({ persistent }) => persistent.set("step", 1))

const persistent = Effect.flatMap(MockGateway, ({ state }) => Effect.map(state, (all) => all.persistent))

describe("a field that is spelled in two ways", () => {
  it.effect("is given in one of them, and filled in for the program and for the test", () =>
    Effect.gen(function*() {
      const mock = yield* MockGateway
      const { invoke } = yield* Capabilities
      expect(yield* invoke("filesystem.read", { path })).toEqual({ content: "hello", size: 5, size_bytes: 5 })
      yield* mock.expect("filesystem.read", {}, () => Effect.succeed({ content: "", size_bytes: 0 }))
      expect(yield* invoke("filesystem.read", { path })).toEqual({ content: "", size: 0, size_bytes: 0 })
      const exits = (yield* mock.invocations).map(({ exit }) => exit)
      expect(exits[0]).toEqual(Exit.succeed({ content: "hello", size: 5, size_bytes: 5 }))
      yield* mock.verify
    }).pipe(Effect.provide(MockGateway.layer({
      capabilities: { "filesystem.read": { content: "hello", size: 5 } }
    }))))

  it.effect("keeps what was given where both are there, and has to be there in one of them", () =>
    Effect.gen(function*() {
      const mock = yield* MockGateway
      const { invoke } = yield* Capabilities
      yield* mock.expect("process.run", {}, Reply.process({ stdout: "all of it", stdout_summary: "the end" }))
      expect(yield* invoke("process.run", { command: "make" })).toMatchObject({
        stdout: "all of it",
        stdout_summary: "the end"
      })
      yield* mock.expectDynamic("filesystem.read", {}, { content: "hello" })
      expect((yield* Effect.flip(invoke("filesystem.read", { path }))).message).toContain("size: is missing")
    }).pipe(Effect.provide(MockGateway.layer())))
})

describe("Reply.process", () => {
  it.effect("is a program that ended well, but for what is said", () =>
    Effect.gen(function*() {
      const mock = yield* MockGateway
      const { invoke } = yield* Capabilities
      expect(yield* invoke("process.run", { command: "make" })).toMatchObject({
        exit_code: 0,
        stdout: "",
        stderr_summary: "",
        state: "completed"
      })
      yield* mock.expect("process.run", { command: "npm test" }, Reply.process({ exit_code: 1, stderr: "2 failed" }))
      expect(yield* invoke("process.run", { command: "npm test" })).toMatchObject({
        exit_code: 1,
        stderr: "2 failed",
        stderr_summary: "2 failed"
      })
      yield* mock.verify
    }).pipe(Effect.provide(MockGateway.layer({ capabilities: { "process.run": Reply.process() } }))))
})

describe("Reply.buffered", () => {
  it.effect("is a mail that is held for that long, each with an id of its own", () =>
    Effect.gen(function*() {
      const { outbox } = yield* MockGateway
      const { invoke } = yield* Capabilities
      const first = yield* invoke("email.send", { to: "ada@example.com" })
      yield* invoke("email.send", { to: "bob@example.com" })
      yield* invoke("proxy.cancel_write", { write_id: first.write_id })
      const statuses = Effect.map(outbox, (all) => all.map(({ status }) => status))
      expect(yield* statuses).toEqual(["cancelled", "held"])
      yield* TestClock.adjust("5 minutes")
      expect(yield* statuses).toEqual(["cancelled", "sent"])
    }).pipe(Effect.provide(MockGateway.layer({ capabilities: { "email.send": Reply.buffered("5 minutes") } }))))
})

describe("Reply.passThrough", () => {
  it.effect("lets the gateway write, and loses its answer", () =>
    Effect.gen(function*() {
      const mock = yield* MockGateway
      yield* mock.expect("state.persistent.set", { key: "step" }, Reply.passThrough.pipe(Reply.dropReply))
      const setting = yield* Effect.fork(Effect.flip(sets))
      yield* TestClock.adjust("1 minute")
      expect((yield* Fiber.join(setting))._tag).toBe("OutcomeUnknown")
      expect(yield* persistent).toEqual({ step: 1 })
      yield* mock.verify
    }).pipe(Effect.provide(MockGateway.layer())))

  it.effect.each(
    [
      ["the connection drops before it", Reply.dropConnection()],
      ["the connection drops after it", Reply.dropConnection("after")],
      ["the gateway is killed before it", Reply.gatewayRestart()],
      ["the gateway is killed after it", Reply.gatewayRestart("after")]
    ] as const
  )("lets the gateway write once, although %s", ([, fault]) =>
    Effect.gen(function*() {
      const mock = yield* MockGateway
      yield* mock.expect("state.persistent.set", { key: "step" }, fault(Reply.passThrough))
      yield* mock.expect("filesystem.write", { path }, fault(Reply.passThrough))
      const program = yield* Effect.fork(Effect.zipLeft(sets, writes("new")))
      // Whose connection drops twice in a short time waits before it connects again.
      yield* TestClock.adjust("10 seconds")
      expect((yield* Fiber.join(program)).version).toBe(1)
      expect(yield* persistent).toEqual({ step: 1 })
      expect(yield* contentOf).toBe("new")
      yield* mock.verify
    }).pipe(Effect.provide(withFile)))

  it.effect("is undone by the gateway as a step of a transaction", () =>
    Effect.gen(function*() {
      const mock = yield* MockGateway
      yield* mock.expect("filesystem.write", {}, Reply.passThrough.pipe(Reply.dropConnection("after")))
      const error = yield* writes("new").pipe(
        Effect.zipRight(contentOf),
        Effect.flatMap(Effect.fail),
        Transaction.run,
        Effect.flip
      )
      expect(error).toBe("new")
      expect(yield* contentOf).toBe("old")
      yield* mock.verify
    }).pipe(Effect.provide(withFile)))

  it.effect("is a capability's script, too, for what is always slow", () =>
    Effect.gen(function*() {
      const writing = yield* Effect.fork(writes("new"))
      yield* TestClock.adjust("9 seconds")
      expect(yield* contentOf).toBe("old")
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(writing)
      expect(yield* contentOf).toBe("new")
    }).pipe(Effect.provide(MockGateway.layer({
      files: { "notes.txt": "old" },
      capabilities: { "filesystem.write": Reply.passThrough.pipe(Reply.delay("10 seconds")) }
    }))))

  it.effect("is refused for what the mock does not carry out itself", () =>
    Effect.gen(function*() {
      const mock = yield* MockGateway
      yield* mock.expect("filesystem.write", {}, Reply.passThrough)
      const error = yield* Effect.flip(writes("new"))
      expect(error).toMatchObject({ type: "mock.impossible_answer" })
      expect(error.message).toContain("nothing to pass it through to")
      expect((yield* Effect.flip(mock.verify)).mismatches.map(({ _tag }) => _tag)).toEqual(["Unfit"])
    }).pipe(Effect.provide(MockGateway.layer())))
})
