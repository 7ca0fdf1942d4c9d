import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as Inbox from "../../../src/local/store/Inbox.js"
import * as Store from "../../../src/local/store/Store.js"
import { parameters } from "../../support/runs.js"
import { temporaryDatabase, withStore } from "./support.js"

const inMemory = withStore(":memory:")

const texts = (fetched: { readonly messages: ReadonlyArray<Inbox.InboxMessage> }) =>
  fetched.messages.map((message) => message.message)

describe("deliver and receive", () => {
  it.effect("give back what was sent", () =>
    inMemory(Effect.gen(function*() {
      yield* TestClock.setTime(Date.UTC(2026, 0, 1))
      const inbox = yield* Inbox.Inbox
      const messageId = yield* inbox.deliver({ agent: "one", from: "two", message: "hello", channel: "news" })
      const { messages, remaining } = yield* inbox.receive({ agent: "one", limit: 10, acknowledge: true })
      assert.strictEqual(remaining, 0)
      assert.deepStrictEqual(messages, [{
        messageId,
        from: "two",
        message: "hello",
        priority: "normal",
        sentAt: DateTime.unsafeMake("2026-01-01T00:00:00Z"),
        channel: "news"
      }])
      yield* inbox.deliver({ agent: "one", from: "two", message: "to you alone", priority: "low" })
      const next = yield* inbox.receive({ agent: "one", limit: 10, acknowledge: true })
      assert.deepInclude(next.messages[0], { channel: null, priority: "low" })
    })))

  it.effect("change no message, whatever it holds", () =>
    inMemory(Effect.gen(function*() {
      const inbox = yield* Inbox.Inbox
      const messages = [
        "",
        "a\0b",
        "\ud800",
        "\"'; DROP TABLE inbox_messages; --",
        "é🎉\n",
        "null",
        "x".repeat(200_000)
      ]
      for (const message of messages) yield* inbox.deliver({ agent: "one", from: "two", message })
      assert.deepStrictEqual(texts(yield* inbox.receive({ agent: "one", limit: 10, acknowledge: true })), messages)
    })))

  it.effect("sort by priority, then by age, even at the same instant and when the clock goes back", () =>
    inMemory(Effect.gen(function*() {
      const inbox = yield* Inbox.Inbox
      const send = (message: string, priority: Inbox.Priority) =>
        inbox.deliver({ agent: "one", from: "two", message, priority })
      yield* TestClock.setTime(10_000)
      yield* send("low 1", "low")
      yield* send("normal 1", "normal")
      yield* send("high 1", "high")
      yield* TestClock.setTime(5_000)
      yield* send("low 2", "low")
      yield* send("high 2", "high")
      yield* send("normal 2", "normal")
      yield* send("high 3", "high")
      const first = yield* inbox.receive({ agent: "one", limit: 4, acknowledge: true })
      assert.deepStrictEqual(texts(first), ["high 1", "high 2", "high 3", "normal 1"])
      assert.strictEqual(first.remaining, 3)
      const second = yield* inbox.receive({ agent: "one", limit: 4, acknowledge: true })
      assert.deepStrictEqual(texts(second), ["normal 2", "low 1", "low 2"])
      assert.strictEqual(second.remaining, 0)
    })))

  it.effect("without acknowledging leave everything", () =>
    inMemory(Effect.gen(function*() {
      const inbox = yield* Inbox.Inbox
      for (const message of ["a", "b", "c"]) yield* inbox.deliver({ agent: "one", from: "two", message })
      for (let i = 0; i < 2; i++) {
        const fetched = yield* inbox.receive({ agent: "one", limit: 2, acknowledge: false })
        assert.deepStrictEqual(texts(fetched), ["a", "b"])
        assert.strictEqual(fetched.remaining, 3)
      }
      assert.strictEqual(yield* inbox.count("one"), 3)
    })))

  it.effect("filter by channel, and by agent always", () =>
    inMemory(Effect.gen(function*() {
      const inbox = yield* Inbox.Inbox
      yield* inbox.deliver({ agent: "one", from: "x", message: "direct" })
      for (const message of ["a1", "a2"]) yield* inbox.deliver({ agent: "one", from: "x", message, channel: "a" })
      yield* inbox.deliver({ agent: "one", from: "x", message: "b1", channel: "b" })
      yield* inbox.deliver({ agent: "two", from: "x", message: "other", channel: "a" })
      const fetched = yield* inbox.receive({ agent: "one", limit: 1, channel: "a", acknowledge: true })
      assert.deepStrictEqual(texts(fetched), ["a1"])
      assert.strictEqual(fetched.remaining, 1)
      const all = yield* inbox.receive({ agent: "one", limit: 10, acknowledge: true })
      assert.deepStrictEqual(texts(all), ["direct", "a2", "b1"])
      assert.strictEqual(yield* inbox.count("two"), 1)
      assert.strictEqual(yield* inbox.count("three"), 0)
    })))

  it.effect("take a limit of nothing, and one of everything", () =>
    inMemory(Effect.gen(function*() {
      const inbox = yield* Inbox.Inbox
      yield* inbox.deliver({ agent: "one", from: "two", message: "a" })
      for (const limit of [0, -1, 0.5]) {
        const fetched = yield* inbox.receive({ agent: "one", limit, acknowledge: true })
        assert.deepStrictEqual([texts(fetched), fetched.remaining], [[], 1])
      }
      const fetched = yield* inbox.receive({ agent: "one", limit: Number.POSITIVE_INFINITY, acknowledge: true })
      assert.deepStrictEqual(texts(fetched), ["a"])
    })))

  it.effect("agree with a list, whatever the order of steps", () =>
    inMemory(Effect.gen(function*() {
      const inbox = yield* Inbox.Inbox
      const priority = FastCheck.constantFrom<Inbox.Priority>("low", "normal", "high")
      const channel = FastCheck.constantFrom(undefined, "a", "b")
      const step = FastCheck.oneof(
        { weight: 3, arbitrary: FastCheck.record({ send: priority, channel }) },
        {
          weight: 1,
          arbitrary: FastCheck.record({ limit: FastCheck.nat(5), channel, acknowledge: FastCheck.boolean() })
        }
      )
      const order: ReadonlyArray<Inbox.Priority> = ["high", "normal", "low"]
      let model: ReadonlyArray<{ id: string; priority: Inbox.Priority; channel: string | undefined }> = []
      for (const next of FastCheck.sample(step, parameters(2000))) {
        if ("send" in next) {
          const { channel, send } = next
          const id = yield* inbox.deliver({ agent: "one", from: "two", message: "m", priority: send, channel })
          model = [...model, { id, priority: send, channel }]
        } else {
          const matching = order.flatMap((priority) => model.filter((message) => message.priority === priority))
            .filter((message) => next.channel === undefined || message.channel === next.channel)
          const expected = matching.slice(0, next.limit).map((message) => message.id)
          const { messages, remaining } = yield* inbox.receive({ agent: "one", ...next })
          assert.deepStrictEqual(messages.map((message) => message.messageId), expected)
          assert.strictEqual(remaining, matching.length - (next.acknowledge ? expected.length : 0))
          if (next.acknowledge) model = model.filter((message) => !expected.includes(message.id))
        }
      }
      assert.strictEqual(yield* inbox.count("one"), model.length)
    })))
})

describe("receivers beside each other", () => {
  it.scoped("never get the same message, and lose none, on two connections too", () =>
    Effect.gen(function*() {
      const filename = yield* temporaryDatabase
      const [one, two] = yield* Effect.all([1, 2].map(() => Layer.build(Layer.fresh(Store.layer({ filename })))))
      assert.isDefined(one)
      assert.isDefined(two)
      const sent: Array<string> = []
      const inbox = yield* Effect.provide(Inbox.Inbox, one)
      for (let i = 0; i < 60; i++) {
        sent.push(yield* inbox.deliver({ agent: "one", from: "two", message: `${i}` }))
      }
      const drain = Effect.gen(function*() {
        const inbox = yield* Inbox.Inbox
        const received: Array<string> = []
        for (let i = 0; i < 30; i++) {
          const { messages } = yield* inbox.receive({ agent: "one", limit: 1, acknowledge: true })
          received.push(...messages.map((message) => message.messageId))
        }
        return received
      })
      const both = yield* Effect.all([
        Effect.provide(drain, one),
        Effect.provide(drain, two),
        Effect.provide(drain, two)
      ], {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(both.flat().sort(), sent.sort())
      assert.strictEqual(yield* inbox.count("one"), 0)
    }))

  it.effect("lose nothing when the step around them fails", () =>
    inMemory(Effect.gen(function*() {
      const inbox = yield* Inbox.Inbox
      const sql = yield* SqlClient.SqlClient
      yield* inbox.deliver({ agent: "one", from: "two", message: "kept" })
      yield* Effect.exit(sql.withTransaction(
        Effect.zipRight(inbox.receive({ agent: "one", limit: 1, acknowledge: true }), Effect.fail("no"))
      ))
      assert.strictEqual(yield* inbox.count("one"), 1)
    })))
})

describe("an inbox", () => {
  it.effect("has a bound for each agent, and room again once something is acknowledged", () =>
    Effect.gen(function*() {
      const inbox = yield* Inbox.Inbox
      const send = (agent: string) => inbox.deliver({ agent, from: "two", message: "m" })
      for (let i = 0; i < 3; i++) yield* send("one")
      const error = yield* Effect.flip(send("one"))
      assert.deepInclude(error, { _tag: "InboxFull", agent: "one", limit: 3 })
      assert.strictEqual(yield* inbox.count("one"), 3)
      yield* send("two")
      yield* inbox.receive({ agent: "one", limit: 1, acknowledge: false })
      assert.strictEqual((yield* Effect.flip(send("one")))._tag, "InboxFull")
      yield* inbox.receive({ agent: "one", limit: 1, acknowledge: true })
      yield* send("one")
      yield* Effect.exit(send("one"))
      assert.strictEqual(yield* inbox.count("one"), 3)
    }).pipe(Effect.provide(Store.layer({ filename: ":memory:", inbox: { maximumUnread: 3 } }))))

  it.scoped("is there after reopening, in the same order", () =>
    Effect.gen(function*() {
      const filename = yield* temporaryDatabase
      const messages = ["a", "b", "c"]
      for (const message of messages) {
        yield* withStore(filename)(
          Effect.flatMap(Inbox.Inbox, (inbox) => inbox.deliver({ agent: "one", from: "two", message }))
        )
      }
      const fetched = yield* withStore(filename)(
        Effect.flatMap(Inbox.Inbox, (inbox) => inbox.receive({ agent: "one", limit: 10, acknowledge: true }))
      )
      assert.deepStrictEqual(texts(fetched), messages)
      assert.strictEqual(yield* withStore(filename)(Effect.flatMap(Inbox.Inbox, (inbox) => inbox.count("one"))), 0)
    }))
})

describe("deliverAll", () => {
  it.effect("delivers as many as there is room for, in the inbox and of the channel", () =>
    Effect.gen(function*() {
      const inbox = yield* Inbox.Inbox
      const deliver = (channel: string, maximumUnread: number, ...messages: ReadonlyArray<string>) =>
        inbox.deliverAll({ agent: "one", from: "two", channel, messages, maximumUnread })
      assert.strictEqual(yield* deliver("a", 2, "1", "2", "3"), 2)
      assert.strictEqual(yield* deliver("a", 2, "4"), 0)
      assert.strictEqual(yield* deliver("b", 9, "5", "6", "7"), 2)
      assert.strictEqual(yield* deliver("c", 9, "8"), 0)
      const fetched = yield* inbox.receive({ agent: "one", limit: 3, acknowledge: true })
      assert.deepStrictEqual(texts(fetched), ["1", "2", "5"])
      assert.strictEqual(yield* deliver("a", 2, "9"), 1)
    }).pipe(Effect.provide(Store.layer({ filename: ":memory:", inbox: { maximumUnread: 4 } }))))
})

describe("deliverAll to a family of channels", () => {
  const deliverTo =
    (inbox: Inbox.InboxService, over: ReadonlyArray<string>) =>
    (agent: string, channel: string, ...messages: ReadonlyArray<string>) =>
      inbox.deliverAll({
        agent,
        from: "two",
        channel,
        messages,
        maximumUnread: 3,
        family: { prefix: "w:", isOver: (one) => over.includes(one) }
      })

  const channelsOf = (inbox: Inbox.InboxService, agent: string) =>
    Effect.map(
      inbox.receive({ agent, limit: 99, acknowledge: false }),
      ({ messages }) => messages.map(({ channel, message }) => `${channel} ${message}`)
    )

  const withEight = Effect.provide(Store.layer({ filename: ":memory:", inbox: { maximumUnread: 8 } }))

  it.effect("fills half of the inbox, then the oldest channels that are over make room, and no others", () =>
    withEight(Effect.gen(function*() {
      const inbox = yield* Inbox.Inbox
      const over: Array<string> = []
      const deliver = deliverTo(inbox, over)
      yield* inbox.deliver({ agent: "one", from: "two", message: "m", channel: "w" })
      assert.strictEqual(yield* deliver("two", "w:z", "1"), 1)
      assert.strictEqual(yield* deliver("one", "w:b", "1", "2"), 2)
      assert.strictEqual(yield* deliver("one", "w:a", "3"), 1)
      assert.strictEqual(yield* deliver("one", "w:c", "4", "5"), 1)
      over.push("w:a", "w:b", "w:z")
      assert.strictEqual(yield* deliver("one", "w:c", "6"), 1)
      assert.deepStrictEqual(yield* channelsOf(inbox, "one"), ["w m", "w:a 3", "w:c 4", "w:c 6"])
      assert.strictEqual(yield* deliver("one", "w:d", "7", "8"), 2)
      assert.deepStrictEqual(yield* channelsOf(inbox, "one"), ["w m", "w:c 4", "w:c 6", "w:d 7", "w:d 8"])
      assert.strictEqual(yield* deliver("one", "w:d", "9"), 0)
      assert.deepStrictEqual(yield* channelsOf(inbox, "two"), ["w:z 1"])
    })))

  it.effect("keeps what it may not exceed for a channel, and drops nothing for what does not fit anyway", () =>
    withEight(Effect.gen(function*() {
      const inbox = yield* Inbox.Inbox
      const deliver = deliverTo(inbox, ["w:a", "w:b"])
      yield* deliver("one", "w:a", "1")
      assert.strictEqual(yield* deliver("one", "w:b", "2", "3", "4", "5"), 3)
      assert.strictEqual(yield* deliver("one", "w:b", "6"), 0)
      assert.deepStrictEqual(yield* channelsOf(inbox, "one"), ["w:a 1", "w:b 2", "w:b 3", "w:b 4"])
    })))

  it.effect("leaves the other half to everything else, and has no more than what that leaves", () =>
    withEight(Effect.gen(function*() {
      const inbox = yield* Inbox.Inbox
      const deliver = deliverTo(inbox, [])
      for (const channel of ["w:a", "w:b"]) yield* deliver("one", channel, "1", "2", "3")
      for (let i = 0; i < 4; i++) yield* inbox.deliver({ agent: "one", from: "two", message: "m" })
      assert.strictEqual(
        (yield* Effect.flip(inbox.deliver({ agent: "one", from: "two", message: "m" })))._tag,
        "InboxFull"
      )
      for (let i = 0; i < 6; i++) yield* inbox.deliver({ agent: "two", from: "two", message: "m" })
      assert.strictEqual(yield* deliver("two", "w:a", "1", "2", "3"), 2)
    })))
})

describe("listen", () => {
  it.effect("tells what an agent gets, until the scope ends", () =>
    inMemory(Effect.gen(function*() {
      const inbox = yield* Inbox.Inbox
      const told: Array<Inbox.Arrival> = []
      const ids: Array<string> = []
      const deliver = Effect.gen(function*() {
        ids.push(yield* inbox.deliver({ agent: "one", from: "two", message: "m" }))
        yield* inbox.deliver({ agent: "three", from: "two", message: "m" })
        yield* inbox.deliverAll({ agent: "one", from: "two", channel: "c", messages: ["m", "n"], maximumUnread: 9 })
      })
      yield* Effect.scoped(Effect.zipRight(inbox.listen("one", (arrival) => void told.push(arrival)), deliver))
      yield* deliver
      assert.deepStrictEqual(told.map(({ channel }) => channel), [null, "c", "c"])
      assert.strictEqual(told[0]?.messageId, ids[0])
      assert.strictEqual(new Set(told.map(({ messageId }) => messageId)).size, 3)
    })))
})
