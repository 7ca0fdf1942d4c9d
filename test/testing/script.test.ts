import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import * as Capability from "../../src/catalogue/Capability.js"
import * as Catalogue from "../../src/catalogue/Catalogue.js"
import { FileNotFound } from "../../src/errors/filesystem.js"
import { CommandNotFound } from "../../src/errors/process.js"
import { Capabilities } from "../../src/services/Capabilities.js"
import { MockGateway } from "../../src/testing/MockGateway.js"
import * as Reply from "../../src/testing/Reply.js"

const path = "/workspace/notes.txt"

const file = (content: string) => ({ content, size: content.length, size_bytes: content.length })

const read = Effect.flatMap(Capabilities, (capabilities) => capabilities.invoke("filesystem.read", { path }))

const contentOf = Effect.map(read, ({ content }) => content)

describe("what a capability does in a test", () => {
  it.effect("is an output, as often as it is asked for", () =>
    Effect.gen(function*() {
      expect(yield* contentOf).toBe("hello")
      expect(yield* contentOf).toBe("hello")
      yield* (yield* MockGateway).verify
    }).pipe(Effect.provide(MockGateway.layer({ capabilities: { "filesystem.read": file("hello") } }))))

  it.effect("is what a handler says, which gets the arguments with their defaults", () =>
    Effect.gen(function*() {
      expect(yield* contentOf).toBe("/workspace/notes.txt in utf-8 for agent")
    }).pipe(Effect.provide(MockGateway.layer({
      capabilities: {
        "filesystem.read": ({ encoding, path }, { agent }) =>
          Effect.succeed(file(`${path} in ${encoding} for ${agent.name}`))
      }
    }))))

  it.effect("is a failure, one of its own or a general one, of the same class with the same fields", () =>
    Effect.gen(function*() {
      const failure = yield* Effect.flip(read)
      expect(failure).toBeInstanceOf(FileNotFound)
      expect(failure).toMatchObject({ _tag: "FileNotFound", path, capability: "filesystem.read" })
      expect(failure.recovery.map(({ action }) => action)).toEqual(["search", "list"])
      yield* (yield* MockGateway).verify
    }).pipe(Effect.provide(MockGateway.layer({
      capabilities: { "filesystem.read": Reply.failWith(new FileNotFound({ message: "not there", path })) }
    }))))

  it.effect("is one thing after another, until it is used up", () =>
    Effect.gen(function*() {
      const mock = yield* MockGateway
      const answers = yield* Effect.replicateEffect(Effect.either(contentOf), 5)
      expect(answers.slice(0, 3)).toEqual([Either.right("one"), Either.right("two"), Either.right("two")])
      expect(answers.slice(3).map((answer) => Either.isLeft(answer) && answer.left.type)).toEqual([
        "FileNotFound",
        "mock.unscripted"
      ])
      expect((yield* Effect.flip(mock.verify)).message).toBe(
        `One thing did not go by the script:\n`
          + `1. filesystem.read({ path: "/workspace/notes.txt" }) came, and nothing answers it.\n`
          + `   The script answers 4 of them, and this is one more.`
      )
    }).pipe(Effect.provide(MockGateway.layer({
      capabilities: {
        "filesystem.read": Reply.succeed(file("one")).pipe(
          Reply.andThen(Reply.succeed(file("two")).pipe(Reply.times(2))),
          Reply.andThen(Reply.failWith(new FileNotFound({ message: "gone" })))
        )
      }
    }))))

  it.effect("comes late, by the Clock", () =>
    Effect.gen(function*() {
      const fiber = yield* Effect.fork(contentOf)
      yield* TestClock.adjust("19 seconds")
      expect(fiber.unsafePoll()).toBe(null)
      yield* TestClock.adjust("1 second")
      expect(yield* Fiber.join(fiber)).toBe("late")
    }).pipe(Effect.provide(MockGateway.layer({
      capabilities: { "filesystem.read": Reply.succeed(file("late")).pipe(Reply.delay("20 seconds")) }
    }))))

  it.effect("is a rate limit, which the SDK waits for", () =>
    Effect.gen(function*() {
      const fiber = yield* Effect.fork(contentOf)
      yield* TestClock.adjust("3 seconds")
      expect(fiber.unsafePoll()).toBe(null)
      yield* TestClock.adjust("2 seconds")
      expect(yield* Fiber.join(fiber)).toBe("at last")
      expect(yield* Effect.map((yield* MockGateway).invocations, (all) => all.length)).toBe(2)
    }).pipe(Effect.provide(MockGateway.layer({
      capabilities: {
        "filesystem.read": Reply.rateLimit({ retryAfter: "4 seconds" }).pipe(
          Reply.andThen(Reply.succeed(file("at last")))
        )
      }
    }))))

  it.effect("is left to the gateway where it has state, messages and alerts of its own, unless it is scripted", () =>
    Effect.gen(function*() {
      const capabilities = yield* Capabilities
      yield* capabilities.invoke("state.shared.set", { key: "count", value: 7, expected_version: 0 })
      expect(yield* capabilities.invoke("state.shared.get", { key: "count" })).toMatchObject({ value: 7, version: 1 })
      expect(yield* capabilities.invoke("comms.subscribe", { channel: "news" })).toEqual({
        subscription_id: "scripted",
        channel: "news"
      })
      yield* (yield* MockGateway).verify
    }).pipe(Effect.provide(MockGateway.layer({
      capabilities: {
        "comms.subscribe": ({ channel }) => Effect.succeed({ subscription_id: "scripted", channel })
      }
    }))))

  it.effect("is done on files where there are any, unless it is scripted", () =>
    Effect.gen(function*() {
      const capabilities = yield* Capabilities
      expect(yield* contentOf).toBe("real")
      yield* capabilities.invoke("filesystem.write", { path, content: "changed" })
      expect(yield* contentOf).toBe("changed")
      expect((yield* capabilities.invoke("filesystem.list", { path: "/workspace" })).total).toBe(99)
    }).pipe(Effect.provide(MockGateway.layer({
      files: { "notes.txt": "real" },
      capabilities: {
        "filesystem.list": { path: "/workspace", entries: [], total: 99 }
      }
    }))))

  it.effect("is refused by the policy, and its arguments are looked at, before the script is asked", () =>
    Effect.gen(function*() {
      const capabilities = yield* Capabilities
      expect((yield* Effect.flip(contentOf))._tag).toBe("PolicyDenied")
      expect(yield* Effect.flip(capabilities.invokeDynamic("filesystem.write", { path: 3, content: "" })))
        .toMatchObject({
          _tag: "InvalidInput",
          field: "path"
        })
      const mock = yield* MockGateway
      expect((yield* mock.invocations).map(({ capability }) => capability)).toEqual([
        "filesystem.read",
        "filesystem.write"
      ])
      yield* mock.verify
    }).pipe(Effect.provide(MockGateway.layer({ policy: { tiers: { "filesystem.read": "blocked" } } }))))
})

const mine = Catalogue.make(Capability.make("weather.forecast", {
  tier: "autonomous",
  tags: ["safe"],
  inputs: { city: Schema.String, days: Capability.optional(Schema.Number, 3) },
  outputs: { degrees: Schema.Number },
  errors: {}
}))

describe("capabilities of one's own", () => {
  it.effect("are scripted and expected as the others are", () =>
    Effect.gen(function*() {
      const mock = yield* MockGateway.withCatalogue(mine)
      const capabilities = yield* Capabilities.withCatalogue(mine)
      yield* mock.expect("weather.forecast", { city: "Oslo" }, { degrees: -4 })
      expect(yield* capabilities.invoke("weather.forecast", { city: "Rome" })).toEqual({ degrees: 3 })
      expect(yield* capabilities.invoke("weather.forecast", { city: "Oslo" })).toEqual({ degrees: -4 })
      expect((yield* capabilities.list({ category: "weather" })).map(({ name }) => name)).toEqual(["weather.forecast"])
      yield* mock.verify
    }).pipe(Effect.provide(MockGateway.layer({
      catalogue: mine,
      capabilities: { "weather.forecast": ({ days }) => Effect.succeed({ degrees: days }) }
    }))))

  it.effect("fail as the others do where nobody has scripted them", () =>
    Effect.gen(function*() {
      const capabilities = yield* Capabilities.withCatalogue(mine)
      const failure = yield* Effect.flip(capabilities.invoke("weather.forecast", { city: "Rome" }))
      expect(failure).toMatchObject({ _tag: "CapabilityError", type: "mock.unscripted", retryable: false })
    }).pipe(Effect.provide(MockGateway.layer({ catalogue: mine }))))

  it.effect("have to exist", () =>
    Effect.gen(function*() {
      const options = { capabilities: Object.fromEntries([["filesystem.raed", file("hello")]]) }
      const exit = yield* Effect.exit(Effect.provide(Effect.void, MockGateway.layer(options)))
      expect(Exit.isFailure(exit) && Cause.pretty(exit.cause)).toContain(
        "There is no capability filesystem.raed that could be scripted"
      )
      const mock = yield* MockGateway
      const expected = yield* Effect.exit(mock.expectDynamic("filesystem.raed", {}, {}))
      expect(Exit.isFailure(expected) && Cause.pretty(expected.cause)).toContain("no capability filesystem.raed")
    }).pipe(Effect.provide(MockGateway.layer())))
})

describe("invocations", () => {
  it.effect("are those that came, in their order, with what they came to", () =>
    Effect.gen(function*() {
      const mock = yield* MockGateway
      const capabilities = yield* Capabilities
      yield* TestClock.setTime(1_000_000)
      yield* contentOf
      yield* Effect.flip(capabilities.invoke("process.run", { command: "make" }))
      yield* Effect.ignore(capabilities.invokeDynamic("no.such", { a: 1 }))
      const [first, second, third] = yield* mock.invocations
      expect(first).toMatchObject({
        capability: "filesystem.read",
        arguments: { path },
        at: DateTime.unsafeMake(1_000_000),
        idempotencyKey: undefined,
        transactionId: undefined,
        isRolledBack: false
      })
      expect(first?.exit).toEqual(Exit.succeed(file("hello")))
      expect(second).toMatchObject({ capability: "process.run", arguments: { command: "make" } })
      expect(second?.idempotencyKey).toEqual(expect.any(String))
      expect(second?.sessionId).toBe(first?.sessionId)
      expect(second?.exit?._tag === "Failure" && [...Cause.failures(second.exit.cause)]).toMatchObject([
        { _tag: "CommandNotFound", command: "make" }
      ])
      expect(third?.exit?._tag === "Failure" && [...Cause.failures(third.exit.cause)]).toMatchObject([
        { _tag: "CapabilityNotFound" }
      ])
    }).pipe(Effect.provide(MockGateway.layer({
      capabilities: {
        "filesystem.read": file("hello"),
        "process.run": Reply.failWith(new CommandNotFound({ message: "no make", command: "make" }))
      }
    }))))
})
