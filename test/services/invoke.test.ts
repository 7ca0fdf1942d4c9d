import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import * as Capability from "../../src/catalogue/Capability.js"
import * as Catalogue from "../../src/catalogue/Catalogue.js"
import { InvalidInput } from "../../src/errors/general.js"
import { initialized, make, native, requests, settled } from "../support/scriptedGateway.js"
import { capabilitiesIn, capabilitiesOf, failure, nativeGateway, success } from "./support.js"

const path = "/workspace/notes.txt"

const checksum = "0".repeat(64)

const answering = (result: unknown) => capabilitiesOf(nativeGateway(() => result))

describe("invoke", () => {
  it.scoped("sends the name and the arguments, and gives the output", () =>
    Effect.gen(function*() {
      const gateway = nativeGateway(() => success({ path, size: 5, checksum }))
      const { invoke } = yield* capabilitiesOf(gateway)
      assert.deepStrictEqual(yield* invoke("filesystem.write", { path, content: "hello" }), { path, size: 5, checksum })
      assert.deepStrictEqual(requests(gateway.connections[0]).map(({ params }) => params), [
        { capability: "filesystem.write", arguments: { path, content: "hello" } }
      ])
    }))

  it.scoped("keeps fields and values that this version does not know", () =>
    Effect.gen(function*() {
      const { invoke } = yield* answering(success({ exists: true, type: "socket", mount: { device: "sda" } }))
      assert.deepStrictEqual<unknown>(yield* invoke("filesystem.stat", { path }), {
        exists: true,
        type: "socket",
        mount: { device: "sda" }
      })
    }))

  it.scoped.each([
    { content: "a", size: 1, modified: "2026-01-02T03:04:05" },
    { content: "a", size_bytes: 1, modified_at: "2026-01-02T03:04:05Z" },
    { content: "a", size: 1, size_bytes: 1, modified: "2026-01-02T05:04:05+02:00" }
  ])("fills both spellings of %j", (data) =>
    Effect.gen(function*() {
      const { invoke } = yield* answering(success(data))
      const read = yield* invoke("filesystem.read", { path })
      assert.deepInclude(read, { content: "a", size: 1, size_bytes: 1 })
      for (const time of [read.modified, read.modified_at]) {
        assert.strictEqual(time === undefined ? "" : DateTime.formatIso(time), "2026-01-02T03:04:05.000Z")
      }
    }))

  it.scoped("leaves out what neither spelling says", () =>
    Effect.gen(function*() {
      const { invoke } = yield* answering(success({ content: "a", size: 1 }))
      assert.deepStrictEqual(Object.keys(yield* invoke("filesystem.read", { path })).toSorted(), [
        "content",
        "size",
        "size_bytes"
      ])
    }))

  it.scoped.each(
    [
      ["a field is missing", { path, size: 5 }],
      ["a field has another type", { path, size: "5", checksum }],
      ["a checksum is none", { path, size: 5, checksum: "abc" }],
      ["it is nothing", undefined],
      ["it is a list", []]
    ] as const
  )("fails with OutputMismatch and what came when %s", ([, data]) =>
    Effect.gen(function*() {
      const { invoke } = yield* answering(success(data))
      const error = yield* Effect.flip(invoke("filesystem.write", { path, content: "" }))
      assert.strictEqual(error._tag, "OutputMismatch")
      assert.deepStrictEqual(error._tag === "OutputMismatch" ? error.raw : "", data)
      assert.strictEqual(error.capability, "filesystem.write")
    }))

  it.scoped("refuses bad arguments before anything is sent, naming the field", () =>
    Effect.gen(function*() {
      const gateway = nativeGateway(() => success({}))
      const { invoke, invokeDynamic } = yield* capabilitiesOf(gateway)
      const failures = yield* Effect.all([
        Effect.flip(invoke("filesystem.read", { path, offset: -1 })),
        Effect.flip(invoke("filesystem.read", { path, limit: 1.5 })),
        // @ts-expect-error -- a number is no path
        Effect.flip(invoke("filesystem.read", { path: 7 })),
        // @ts-expect-error -- there is no such argument
        Effect.flip(invoke("filesystem.read", { path, ofset: 1 })),
        // @ts-expect-error -- the path is missing
        Effect.flip(invoke("filesystem.read", {})),
        // @ts-expect-error -- there is no such order
        Effect.flip(invoke("filesystem.list", { path, sort_by: "colour" }))
      ])
      const fields = failures.map((error) => error._tag === "InvalidInput" ? error.field : error._tag)
      assert.deepStrictEqual(fields, ["offset", "limit", "path", "ofset", "path", "sort_by"])
      assert.deepInclude(yield* Effect.flip(invokeDynamic("pack.do", { n: 1n })), {
        _tag: "InvalidInput",
        capability: "pack.do"
      })
      yield* settled
      assert.deepStrictEqual(requests(gateway.connections[0]), [])
    }))

  it.scoped("fails with the errors of the capability", () =>
    Effect.gen(function*() {
      const error = { type: "FileNotFound", message: "gone", recovery: ["search"], context: { path } }
      const { invoke } = yield* answering(failure(error))
      assert.deepInclude(yield* Effect.flip(invoke("filesystem.read", { path })), {
        _tag: "FileNotFound",
        message: "gone",
        path,
        capability: "filesystem.read"
      })
    }))

  it.scoped("makes an error that the capability does not list a CapabilityError with its type and message", () =>
    Effect.gen(function*() {
      const { invoke, invokeDynamic } = yield* answering(
        failure({ type: "DirectoryNotFound", message: "no such", path })
      )
      const narrowed = yield* Effect.flip(invoke("filesystem.read", { path }))
      assert.deepInclude(narrowed, { _tag: "CapabilityError", type: "DirectoryNotFound", message: "no such" })
      assert.strictEqual((yield* Effect.flip(invokeDynamic("filesystem.read", { path })))._tag, "DirectoryNotFound")
    }))

  it.scoped.each(
    [
      [failure("it broke"), "CapabilityError", "it broke"],
      [failure({ message: "it broke" }), "CapabilityError", "it broke"],
      [failure(undefined), "CapabilityError", "The gateway reported an error without a type"],
      [{ success: "yes", data: {} }, "ProtocolError", "The answer to capabilities.invoke is malformed"],
      [null, "ProtocolError", "The answer to capabilities.invoke is malformed"],
      ["text", "ProtocolError", "The answer to capabilities.invoke is malformed"]
    ] as const
  )("says what is wrong with an answer of another form: %j", ([result, tag, message]) =>
    Effect.gen(function*() {
      const { invoke } = yield* answering(result)
      assert.deepInclude(yield* Effect.flip(invoke("filesystem.stat", { path })), { _tag: tag, message })
    }))

  it.scoped("tells an error of the protocol by its code", () =>
    Effect.gen(function*() {
      const { invoke } = yield* capabilitiesOf(nativeGateway((_, __, { id }, server) => {
        server.refuse(id, { code: -32603, message: "" })
      }))
      assert.deepInclude(yield* Effect.flip(invoke("filesystem.stat", { path })), {
        _tag: "ProtocolError",
        code: -32603,
        message: "filesystem.stat was answered with error -32603"
      })
    }))
})

describe("invokeResult", () => {
  it.scoped("gives the output, or the error of the capability, as a value", () =>
    Effect.gen(function*() {
      const good = yield* answering(success({ exists: false }))
      assert.deepStrictEqual<unknown>(yield* good.invokeResult("filesystem.stat", { path }), {
        success: true,
        data: { exists: false }
      })
      const bad = yield* answering(failure({ type: "PathOutOfScope", message: "no", recovery: ["check_scope"] }))
      assert.deepStrictEqual(yield* bad.invokeResult("filesystem.stat", { path: "/etc" }), {
        success: false,
        error: { type: "PathOutOfScope", message: "no", recovery: [{ action: "check_scope", description: "" }] }
      })
    }))

  it.scoped("fails with what the connection fails with", () =>
    Effect.gen(function*() {
      const { invokeResult } = yield* answering(failure({ type: "SessionExpired", message: "over" }))
      assert.strictEqual((yield* Effect.flip(invokeResult("filesystem.stat", { path })))._tag, "SessionExpired")
    }))
})

describe("the time that an invocation is given", () => {
  const run = Capability.make("test.run", {
    tier: "autonomous",
    tags: [],
    inputs: { timeout: Capability.optional(Schema.Int, 60), name: Capability.optional(Schema.String) },
    outputs: {},
    errors: { InvalidInput: Capability.failure(InvalidInput) }
  })
  const wait = Capability.make("test.wait", {
    tier: "autonomous",
    tags: [],
    inputs: { timeout: Capability.optional(Schema.Int) },
    outputs: {},
    errors: {}
  })
  const catalogue = Catalogue.make(run, wait)

  const cases = [
    ["requestTimeout where the capability has none given", 30, "test.wait", {}, undefined],
    ["requestTimeout where the capability's own is shorter", 30, "test.wait", { timeout: 10 }, undefined],
    ["the capability's own as given, and 5 s", 125, "test.wait", { timeout: 120 }, undefined],
    ["the capability's own by default, and 5 s", 65, "test.run", {}, undefined],
    ["the capability's own as given instead of the default", 95, "test.run", { timeout: 90 }, undefined],
    ["what the caller says, though it is shorter", 2, "test.run", { timeout: 90 }, "2 seconds"],
    ["what the caller says, though it is longer", 3600, "test.wait", {}, "1 hour"]
  ] as const

  it.scoped.each(cases)("is %s: %d s", ([, seconds, name, input, timeout]) =>
    Effect.gen(function*() {
      const { invoke, invokeDynamic } = yield* capabilitiesIn(make(initialized(() => {}, native)), catalogue)
      for (const invocation of [invoke(name, input, { timeout }), invokeDynamic(name, input, { timeout })]) {
        const fiber = yield* Effect.fork(Effect.exit(invocation))
        yield* settled
        yield* TestClock.adjust((seconds - 1) * 1000)
        assert.isTrue((yield* Fiber.poll(fiber))._tag === "None")
        yield* TestClock.adjust(1000)
        assert.isTrue(Exit.isFailure(yield* Fiber.join(fiber)))
      }
    }))

  it.scoped("ends in a timeout for what may be repeated, and an unknown outcome for what may not", () =>
    Effect.gen(function*() {
      const { invoke } = yield* capabilitiesOf(make(initialized(() => {}, native)))
      const read = yield* Effect.fork(Effect.flip(invoke("filesystem.read", { path })))
      const write = yield* Effect.fork(Effect.flip(invoke("filesystem.write", { path, content: "" })))
      yield* settled
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual((yield* Fiber.join(read))._tag, "GatewayTimeout")
      assert.strictEqual((yield* Fiber.join(write))._tag, "OutcomeUnknown")
    }))
})

describe("an invocation that the gateway puts off", () => {
  const busy = (retryAfter: number | null) =>
    failure({ error_type: "RateLimited", description: "slow down", retryable: true, retry_after: retryAfter })

  const sequence = (...results: ReadonlyArray<unknown>) => {
    let next = 0
    return nativeGateway(() => results[Math.min(next++, results.length - 1)])
  }

  it.scoped("is asked for again when the gateway says, if it may be repeated", () =>
    Effect.gen(function*() {
      const gateway = sequence(busy(10), busy(5), success({ exists: true }))
      const { invoke } = yield* capabilitiesOf(gateway)
      const fiber = yield* Effect.fork(invoke("filesystem.stat", { path }))
      yield* settled
      yield* TestClock.adjust("9 seconds")
      assert.strictEqual(requests(gateway.connections[0]).length, 1)
      yield* TestClock.adjust("1 second")
      yield* settled
      assert.strictEqual(requests(gateway.connections[0]).length, 2)
      yield* TestClock.adjust("5 seconds")
      assert.isTrue((yield* Fiber.join(fiber)).exists)
    }))

  it.scoped("fails at once where that is later than its deadline, or not said", () =>
    Effect.gen(function*() {
      for (const retryAfter of [30, 60, null]) {
        const { invoke } = yield* capabilitiesOf(sequence(busy(retryAfter)))
        assert.strictEqual((yield* Effect.flip(invoke("filesystem.stat", { path })))._tag, "RateLimited")
      }
    }))

  it.scoped("fails at its deadline however often it is put off", () =>
    Effect.gen(function*() {
      const gateway = sequence(busy(0))
      const { invoke } = yield* capabilitiesOf(gateway)
      const fiber = yield* Effect.fork(Effect.flip(invoke("filesystem.stat", { path }, { timeout: "2 seconds" })))
      yield* settled
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "RateLimited")
      assert.isAtMost(requests(gateway.connections[0]).length, 20)
    }))

  it.scoped("fails at once if it may not be repeated", () =>
    Effect.gen(function*() {
      const gateway = sequence(busy(1), success({ path, size: 0, checksum }))
      const { invoke } = yield* capabilitiesOf(gateway)
      assert.strictEqual((yield* Effect.flip(invoke("filesystem.write", { path, content: "" })))._tag, "RateLimited")
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(requests(gateway.connections[0]).length, 1)
    }))
})

it.scoped("tells the gateway to stop an invocation that is interrupted", () =>
  Effect.gen(function*() {
    const gateway = make(initialized(() => {}, native))
    const { invoke } = yield* capabilitiesOf(gateway)
    const fiber = yield* Effect.fork(invoke("filesystem.stat", { path }))
    yield* settled
    yield* Fiber.interrupt(fiber)
    yield* settled
    const last = gateway.connections[0]?.received.at(-1)
    assert.deepInclude(last, { _tag: "Notification", method: "notifications/cancelled" })
  }))
