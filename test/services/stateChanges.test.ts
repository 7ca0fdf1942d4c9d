import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { StateChange } from "kruxos/schema"
import { native, type ServerSide, settled } from "../support/scriptedGateway.js"
import { argumentsOf, stateGateway, stateOf } from "./stateSupport.js"
import { failure } from "./support.js"

const polled = { ...native, idempotency: { record_id: "record" } }

const changed = <A>(key: string, version: number, value: A) =>
  StateChange.Changed({ key, version, ownerAgent: "other", deleted: false, value: Option.some(value) })

const deleted = (key: string, version: number) =>
  StateChange.Changed({ key, version, ownerAgent: "other", deleted: true, value: Option.none() })

/** What of a change tests mostly look at. */
const brief = (change: StateChange) =>
  change._tag === "Changed"
    ? [change.key, change.version, Option.getOrUndefined(change.value)]
    : change.entries.map(({ key, value, version }) => [key, version, value])

/** Follows a stream on a fiber of its own. */
const following = <A, E, R>(stream: Stream.Stream<A, E, R>) =>
  Effect.gen(function*() {
    const seen: Array<A> = []
    const fiber = yield* Effect.fork(
      Effect.either(Stream.runForEach(stream, (change) => Effect.sync(() => void seen.push(change))))
    )
    yield* settled
    return {
      seen,
      fiber,
      /** What has been seen since this was asked last. */
      news: Effect.sync(() => seen.splice(0)),
      failure: Effect.flip(Effect.flatten(Fiber.join(fiber)))
    }
  })

describe("changes", () => {
  it.scoped("tells what changes from now on, with its value", () =>
    Effect.gen(function*() {
      const gateway = stateGateway()
      gateway.write("config.old", 1)
      const { shared } = yield* stateOf(gateway)
      const { seen } = yield* following(shared.changes("config."))
      gateway.write("config.limit", { n: 1 })
      gateway.write("other", 1)
      yield* settled
      gateway.write("config.old", 2)
      yield* settled
      gateway.remove("config.old")
      yield* settled
      gateway.write("config.old", 3)
      yield* settled
      assert.deepStrictEqual(seen, [
        changed("config.limit", 1, { n: 1 }),
        changed("config.old", 2, 2),
        deleted("config.old", 2),
        changed("config.old", 3, 3)
      ])
      assert.deepStrictEqual(gateway.invoked("state.shared.watch").map(argumentsOf), [{ prefix: "config." }])
      assert.strictEqual(gateway.invoked("state.shared.list").length, 1)
    }))

  it.scoped("begins with what there is, where it is told to", () =>
    Effect.gen(function*() {
      const gateway = stateGateway()
      gateway.write("a", 1)
      gateway.write("b", "2")
      const { shared } = yield* stateOf(gateway)
      const { news } = yield* following(shared.changes("", { current: true }))
      assert.deepStrictEqual((yield* news).map(brief), [[["a", 1, 1], ["b", 1, "2"]]])
      gateway.write("a", 3)
      yield* settled
      assert.deepStrictEqual((yield* news).map(brief), [["a", 2, 3]])
      assert.deepStrictEqual(gateway.invoked("state.shared.watch").map(argumentsOf), [{}])
    }))

  it.scoped("decodes values by the schema, and fails where one does not fit", () =>
    Effect.gen(function*() {
      const gateway = stateGateway()
      const { shared } = yield* stateOf(gateway)
      const { failure, seen } = yield* following(shared.changes("n", Schema.NumberFromString))
      gateway.write("n", "7")
      yield* settled
      assert.deepStrictEqual(seen, [changed("n", 1, 7)])
      gateway.write("n", [])
      assert.deepInclude(yield* failure, { _tag: "OutputMismatch", raw: [] })
    }))

  it.scoped("leaves out what was written in between, and never the last value", () =>
    Effect.gen(function*() {
      const gateway = stateGateway()
      const { shared } = yield* stateOf(gateway)
      const { seen } = yield* following(shared.changes())
      for (let n = 1; n <= 50; n++) {
        gateway.write("a", n)
        gateway.write("b", n)
      }
      yield* settled
      assert.deepStrictEqual(seen, [changed("a", 50, 50), changed("b", 50, 50)])
    }))

  it.scoped("does not tell twice of what it has told", () =>
    Effect.gen(function*() {
      const gateway = stateGateway()
      gateway.write("a", 1)
      const { shared } = yield* stateOf(gateway)
      const { seen } = yield* following(shared.changes())
      gateway.tell("a")
      gateway.tell("never there", 7, true)
      gateway.tell("a", 0)
      yield* settled
      assert.deepStrictEqual(seen, [])
    }))

  it.scoped("tells after a reconnect what has changed meanwhile, oldest first", () =>
    Effect.gen(function*() {
      const gateway = stateGateway()
      gateway.write("a", 1)
      gateway.write("b", 1)
      gateway.write("gone", 1)
      const { shared } = yield* stateOf(gateway)
      const { news } = yield* following(shared.changes())
      gateway.connections[0]?.close()
      gateway.write("b", 2)
      gateway.write("new", 1)
      gateway.write("a", 2)
      gateway.write("b", 3)
      gateway.remove("gone")
      yield* settled
      yield* TestClock.adjust("2 seconds")
      yield* settled
      assert.deepStrictEqual(yield* news, [
        changed("new", 1, 1),
        changed("a", 2, 2),
        changed("b", 3, 3),
        deleted("gone", 1)
      ])
      assert.strictEqual(gateway.connections.length, 2)
      assert.strictEqual(gateway.invoked("state.shared.watch").length, 2)
      gateway.write("a", 4)
      yield* settled
      assert.deepStrictEqual(yield* news, [changed("a", 3, 4)])
    }))

  it.scoped("goes on after any number of drops at any point", () =>
    Effect.gen(function*() {
      let drops = 12
      const hasMore = () => drops > 0
      let asked = 0
      const gateway = stateGateway({
        instead: (_, __, server: ServerSide) => {
          asked++
          // Each time one answer further.
          if (drops === 0 || asked % 4 !== 0) return false
          drops--
          server.close()
          return true
        }
      })
      const { shared } = yield* stateOf(gateway)
      const { fiber, seen } = yield* following(shared.changes())
      for (let n = 1; n < 20 || hasMore(); n++) {
        gateway.write(`k${n % 7}`, n)
        yield* settled
        yield* TestClock.adjust("1 second")
      }
      for (let n = 0; n < 60; n++) {
        yield* TestClock.adjust("1 second")
        yield* settled
      }
      assert.isTrue(Option.isNone(yield* Fiber.poll(fiber)))
      for (let k = 0; k < 7; k++) {
        const versions = seen.flatMap((change) =>
          change._tag === "Changed" && change.key === `k${k}` ? change.version : []
        )
        assert.deepStrictEqual(versions, [...new Set(versions)].toSorted((one, other) => one - other))
        const last = seen.findLast((change) => change._tag === "Changed" && change.key === `k${k}`)
        assert.deepStrictEqual(last && brief(last)[2], gateway.value(`k${k}`))
      }
    }))

  it.scoped("has one subscription for a prefix in a session, however many streams", () =>
    Effect.gen(function*() {
      const gateway = stateGateway()
      const { shared } = yield* stateOf(gateway)
      const streams = yield* Effect.all(
        ["a", "a", "a.b", "b"].map((prefix) => following(shared.changes(prefix))),
        { concurrency: "unbounded" }
      )
      gateway.write("a.b", 1)
      yield* settled
      assert.deepStrictEqual(streams.map(({ seen }) => seen.length), [1, 1, 1, 0])
      const watched = () => gateway.invoked("state.shared.watch").map(argumentsOf)
      assert.sameDeepMembers([...watched()], [{ prefix: "a" }, { prefix: "a.b" }, { prefix: "b" }])
      yield* following(shared.changes("a.c"))
      assert.strictEqual(watched().length, 3)
    }))

  it.scoped("lists again after so many pushes that some may be lost", () =>
    Effect.gen(function*() {
      const gateway = stateGateway()
      const { shared } = yield* stateOf(gateway)
      const { seen } = yield* following(shared.changes("k"))
      gateway.write("k.silent", 1, { silent: true })
      for (let n = 0; n < 999; n++) gateway.connections[0]?.notify("notifications/kruxos/message", { message_id: n })
      yield* settled
      gateway.write("k.told", 1)
      yield* settled
      assert.sameDeepMembers(seen.map(brief), [["k.told", 1, 1], ["k.silent", 1, 1]])
    }))

  it.scoped("looks every few minutes, also where nothing is pushed", () =>
    Effect.gen(function*() {
      const gateway = stateGateway()
      const { shared } = yield* stateOf(gateway)
      const { seen } = yield* following(shared.changes())
      gateway.write("a", 1, { silent: true })
      yield* TestClock.adjust("4 minutes")
      yield* settled
      assert.deepStrictEqual(seen, [])
      yield* TestClock.adjust("1 minute")
      yield* settled
      assert.deepStrictEqual(seen, [changed("a", 1, 1)])
    }))

  it.scoped("says Resynced where the versions have gone back", () =>
    Effect.gen(function*() {
      const gateway = stateGateway()
      gateway.write("a", 1, { version: 7 })
      gateway.write("b", 1)
      const { shared } = yield* stateOf(gateway)
      const { news } = yield* following(shared.changes())
      gateway.write("a", "restored", { version: 3 })
      yield* settled
      assert.deepStrictEqual((yield* news).map(brief), [[["a", 3, "restored"], ["b", 1, 1]]])
      gateway.write("a", "on", { version: 4 })
      yield* settled
      assert.deepStrictEqual(yield* news, [changed("a", 4, "on")])
    }))

  it.scoped("says Resynced where another gateway has the same version with another value", () =>
    Effect.gen(function*() {
      const gateway = stateGateway()
      gateway.write("a", 1)
      const { shared } = yield* stateOf(gateway)
      const { news } = yield* following(shared.changes())
      gateway.write("a", "another", { version: 1, silent: true })
      gateway.connections[0]?.close()
      yield* settled
      yield* TestClock.adjust("2 seconds")
      yield* settled
      assert.deepStrictEqual((yield* news).map(brief), [[["a", 1, "another"]]])
    }))

  it.scoped("asks again over what passes by itself, and not at once", () =>
    Effect.gen(function*() {
      let refusals = 3
      const gateway = stateGateway({
        instead: (capability, { id }, server) => {
          if (capability !== "state.shared.get" || refusals === 0) return false
          refusals--
          server.answer(id, failure({ type: "SessionPaused", message: "paused by the supervisor" }))
          return true
        }
      })
      const { shared } = yield* stateOf(gateway)
      const { seen } = yield* following(shared.changes())
      gateway.write("a", 1)
      yield* settled
      assert.strictEqual(refusals, 2)
      for (let n = 0; n < 10; n++) {
        yield* TestClock.adjust("1 second")
        yield* settled
      }
      assert.deepStrictEqual(seen, [changed("a", 1, 1)])
    }))

  it.scoped.each([
    ["state.shared.watch", "SubscriptionFailed"],
    ["state.shared.watch", "PolicyDenied"],
    ["state.shared.list", "PolicyDenied"],
    ["state.shared.get", "PolicyDenied"]
  ])("fails where %s is refused with %s", ([refused, type]) =>
    Effect.gen(function*() {
      const gateway = stateGateway({
        instead: (capability, { id }, server) => {
          if (capability !== refused) return false
          server.answer(id, failure({ type, message: "no" }))
          return true
        }
      })
      const { shared } = yield* stateOf(gateway)
      const { failure: error } = yield* following(shared.changes())
      gateway.write("a", 1)
      assert.strictEqual((yield* error)._tag, type)
    }))

  it.scoped("fails with what ended the connection", () =>
    Effect.gen(function*() {
      const gateway = stateGateway()
      const { shared } = yield* stateOf(gateway, { reconnect: Schedule.stop })
      const { failure } = yield* following(shared.changes())
      gateway.connections[0]?.close()
      yield* settled
      gateway.connections[1]?.close()
      yield* settled
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* failure)._tag, "ConnectionFailed")
    }))

  it.scoped("refuses a prefix that no key has", () =>
    Effect.gen(function*() {
      const { shared } = yield* stateOf(stateGateway())
      const error = yield* Effect.flip(Stream.runDrain(shared.changes("a\n")))
      assert.deepInclude(error, { _tag: "InvalidInput", field: "prefix" })
    }))

  it.scoped("ends its listening with the stream", () =>
    Effect.gen(function*() {
      const gateway = stateGateway()
      const { shared } = yield* stateOf(gateway)
      const first = yield* Effect.fork(Stream.runCollect(Stream.take(shared.changes(), 1)))
      yield* settled
      gateway.write("a", 1)
      yield* Fiber.join(first)
      gateway.write("a", 2)
      yield* settled
      assert.strictEqual(gateway.invoked("state.shared.get").length, 1)
    }))
})

describe("changes, where nothing is pushed", () => {
  it.scoped("are found by asking, at the interval", () =>
    Effect.gen(function*() {
      const gateway = stateGateway({ experimental: polled })
      gateway.write("a", 1)
      const { shared } = yield* stateOf(gateway)
      const { news } = yield* following(shared.changes("", { pollInterval: "10 seconds" }))
      gateway.write("b", 1)
      gateway.write("a", 2)
      gateway.write("b", 2)
      yield* TestClock.adjust("9 seconds")
      yield* settled
      assert.deepStrictEqual(yield* news, [])
      yield* TestClock.adjust("1 second")
      yield* settled
      assert.deepStrictEqual(yield* news, [changed("a", 2, 2), changed("b", 2, 2)])
      gateway.remove("a")
      yield* TestClock.adjust("10 seconds")
      yield* settled
      assert.deepStrictEqual(yield* news, [deleted("a", 2)])
      assert.deepStrictEqual(gateway.invoked("state.shared.watch"), [])
      assert.strictEqual(gateway.invoked("state.shared.list").length, 3)
    }))

  it.scoped("are never asked for while nobody reads", () =>
    Effect.gen(function*() {
      const gateway = stateGateway({ experimental: polled })
      const { shared } = yield* stateOf(gateway)
      const slow = yield* Effect.fork(
        Stream.runForEach(shared.changes(), () => Effect.sleep("1 hour"))
      )
      yield* settled
      gateway.write("a", 1)
      yield* TestClock.adjust("30 minutes")
      yield* settled
      assert.strictEqual(gateway.invoked("state.shared.list").length, 2)
      yield* Fiber.interrupt(slow)
    }))
})
