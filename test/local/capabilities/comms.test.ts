import { SqlError } from "@effect/sql/SqlError"
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import { receive } from "../../../src/catalogue/comms.js"
import { CapabilityUnavailable, InvalidInput } from "../../../src/errors/general.js"
import { makeCommsHandlers } from "../../../src/local/capabilities/comms.js"
import { Inbox } from "../../../src/local/store/Inbox.js"
import * as Store from "../../../src/local/store/Store.js"
import { invocationBy } from "./invocation.js"

const store = Effect.provide(Store.layer({ filename: ":memory:" }))

/** Calls `comms.receive` as an agent, with an input as it comes from the wire. */
const receiveAs = (agent: string, input: { readonly [name: string]: unknown } = {}) =>
  Effect.gen(function*() {
    const handlers = yield* makeCommsHandlers
    const decoded = yield* Schema.decode(receive.handlerInputSchema)(input)
    return yield* handlers["comms.receive"](decoded, yield* invocationBy(agent))
  })

const texts = (output: { readonly messages: ReadonlyArray<{ readonly message: string }> }) =>
  output.messages.map(({ message }) => message)

describe("comms.receive", () => {
  it.scoped("gives an agent its own messages, and takes them out of its inbox", () =>
    store(Effect.gen(function*() {
      const inbox = yield* Inbox
      yield* TestClock.setTime(Date.UTC(2026, 0, 1))
      const direct = yield* inbox.deliver({ agent: "one", from: "two", message: "hello" })
      const urgent = yield* inbox.deliver({
        agent: "one",
        from: "news",
        message: "now",
        priority: "high",
        channel: "news"
      })
      yield* inbox.deliver({ agent: "two", from: "one", message: "not yours" })
      const sent_at = DateTime.unsafeMake("2026-01-01T00:00:00Z")
      const output = yield* receiveAs("one")
      assert.deepStrictEqual(output, {
        messages: [
          { message_id: urgent, from: "news", message: "now", priority: "high", sent_at, channel: "news" },
          { message_id: direct, from: "two", message: "hello", priority: "normal", sent_at, channel: null }
        ],
        remaining: 0
      })
      assert.deepNestedInclude(yield* Schema.encode(receive.outputSchema)(output), {
        "messages[0].sent_at": "2026-01-01T00:00:00.000Z"
      })
      assert.deepStrictEqual(yield* receiveAs("one"), { messages: [], remaining: 0 })
      assert.strictEqual(yield* inbox.count("two"), 1)
    })))

  it.scoped("takes ten at most, or as many as the limit says", () =>
    store(Effect.gen(function*() {
      const inbox = yield* Inbox
      for (let i = 0; i < 130; i++) yield* inbox.deliver({ agent: "one", from: "two", message: `${i}` })
      const ten = yield* receiveAs("one")
      assert.deepStrictEqual([ten.messages.length, ten.remaining], [10, 120])
      const one = yield* receiveAs("one", { limit: 1 })
      assert.deepStrictEqual([texts(one), one.remaining], [["10"], 119])
      const hundred = yield* receiveAs("one", { limit: 100 })
      assert.deepStrictEqual([hundred.messages.length, hundred.remaining], [100, 19])
    })))

  it.scoped("leaves the messages where they are when they are only looked at", () =>
    store(Effect.gen(function*() {
      const inbox = yield* Inbox
      for (const message of ["a", "b"]) yield* inbox.deliver({ agent: "one", from: "two", message })
      for (let i = 0; i < 2; i++) {
        const output = yield* receiveAs("one", { acknowledge: false, limit: 1 })
        assert.deepStrictEqual([texts(output), output.remaining], [["a"], 2])
      }
    })))

  it.scoped("keeps to a channel", () =>
    store(Effect.gen(function*() {
      const inbox = yield* Inbox
      for (const channel of ["a", undefined, "b", "a"]) {
        yield* inbox.deliver({ agent: "one", from: "two", message: channel ?? "direct", channel })
      }
      assert.deepStrictEqual(texts(yield* receiveAs("one", { channel: "a" })), ["a", "a"])
      for (const channel of ["c", "", "a\0"]) {
        assert.deepStrictEqual(yield* receiveAs("one", { channel }), { messages: [], remaining: 0 })
      }
      assert.deepStrictEqual(texts(yield* receiveAs("one")), ["direct", "b"])
    })))

  it.scoped("refuses a limit above 100, and takes nothing", () =>
    store(Effect.gen(function*() {
      const inbox = yield* Inbox
      yield* inbox.deliver({ agent: "one", from: "two", message: "kept" })
      for (const limit of [101, Number.MAX_SAFE_INTEGER]) {
        const error = yield* Effect.flip(receiveAs("one", { limit }))
        assert.instanceOf(error, InvalidInput)
        assert.deepInclude(error, { type: "InvalidInput", field: "limit" })
      }
      assert.strictEqual(yield* inbox.count("one"), 1)
    })))

  it.scoped("fails with CommsError where the store fails", () =>
    store(Effect.gen(function*() {
      const inbox = yield* Inbox
      const cause = new SqlError({ cause: new Error("made up"), message: "cannot read /host/path" })
      const error = yield* receiveAs("one").pipe(
        Effect.provideService(Inbox, { ...inbox, receive: () => Effect.fail(cause) }),
        Effect.flip
      )
      assert.instanceOf(error, CapabilityUnavailable)
      assert.deepInclude(error, { type: "CommsError", reason: "CommsError", cause })
      assert.notInclude(error.message, "/host/path")
    })))
})
