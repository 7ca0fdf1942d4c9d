import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { Inbox } from "../../../../src/local/store/Inbox.js"
import { at, listAt, textAt } from "../../../support/json.js"
import { temporaryDatabase } from "../../store/support.js"
import { settle, type StateGateway, stateGateway, type TestSession } from "./support.js"

const set = (session: TestSession, key: string, expected_version: number) =>
  session.output("state.shared.set", { key, value: 1, expected_version })

const watch = (session: TestSession, prefix?: string) =>
  Effect.map(
    session.output("state.shared.watch", prefix === undefined ? {} : { prefix }),
    (output) => textAt(output, "subscription_id")
  )

const received = (session: TestSession) =>
  Effect.gen(function*() {
    yield* settle
    const messages = listAt(yield* session.output("comms.receive", { limit: 100 }), "messages")
    return messages.map((message) => ({ ...JSON.parse(textAt(message, "message")), channel: at(message, "channel") }))
  })

const changed = (key: string, version: number, owner_agent: string, deleted = false) => ({
  key,
  version,
  owner_agent,
  deleted
})

const pushed = (told: ReadonlyArray<{ readonly method: string; readonly params: unknown }>) =>
  told.flatMap(({ method, params }) => method === "notifications/kruxos/state_changed" ? [params] : [])

const unread = (gateway: StateGateway, agent: string) =>
  gateway.inStore(Effect.flatMap(Inbox, (inbox) => Effect.orDie(inbox.count(agent))))

describe("state.shared.watch", () => {
  it.scoped("tells of what begins with the prefix, by message and at once, also of what the watcher does itself", () =>
    Effect.gen(function*() {
      const gateway = yield* stateGateway()
      const one = yield* gateway.session("one")
      const other = yield* gateway.session("one")
      const two = yield* gateway.session("two")
      const told = yield* one.told
      const toldOther = yield* other.told
      const id = yield* watch(one, "config.")
      yield* set(two, "config.a", 0)
      yield* set(two, "config.a", 1)
      yield* set(two, "Config.a", 0)
      yield* set(two, "config", 0)
      yield* two.output("state.shared.delete", { key: "config.a" })
      yield* set(one, "config.a", 0)
      const changes = [
        changed("config.a", 1, "two"),
        changed("config.a", 2, "two"),
        changed("config.a", 2, "two", true),
        changed("config.a", 3, "one")
      ]
      yield* settle
      assert.deepStrictEqual(pushed(told), changes)
      assert.deepStrictEqual(pushed(toldOther), [])
      assert.deepStrictEqual(
        yield* received(one),
        changes.map((change) => ({ subscription_id: id, type: "change", ...change, channel: `state:${id}` }))
      )
      assert.deepStrictEqual(yield* received(two), [])
    }))

  it.scoped("tells a session of a change once, and each subscription", () =>
    Effect.gen(function*() {
      const gateway = yield* stateGateway()
      const one = yield* gateway.session("one")
      const told = yield* one.told
      const ids = yield* Effect.all([watch(one), watch(one, "a"), watch(one, "b")])
      yield* set(one, "ab", 0)
      yield* settle
      assert.deepStrictEqual(pushed(told), [changed("ab", 1, "one")])
      assert.sameMembers((yield* received(one)).map((message) => message.subscription_id), ids.slice(0, 2))
    }))

  it.scoped("ends with its session", () =>
    Effect.gen(function*() {
      const gateway = yield* stateGateway()
      const one = yield* gateway.session("one")
      const two = yield* gateway.session("two")
      yield* watch(one)
      yield* set(two, "a", 0)
      yield* settle
      yield* one.end
      yield* set(two, "a", 1)
      const again = yield* gateway.session("one")
      const told = yield* again.told
      yield* set(two, "a", 2)
      yield* settle
      assert.deepStrictEqual((yield* received(again)).map(({ version }) => version), [1])
      assert.deepStrictEqual(pushed(told), [])
    }))

  it.scoped("gives a session a hundred subscriptions", () =>
    Effect.gen(function*() {
      const gateway = yield* stateGateway()
      const one = yield* gateway.session("one")
      for (let i = 0; i < 100; i++) yield* watch(one)
      assert.deepInclude(yield* one.error("state.shared.watch"), { type: "SubscriptionFailed", retryable: false })
      yield* watch(yield* gateway.session("one"))
    }))

  it.scoped("fails nobody where an inbox is full, and says later what did not get in", () =>
    Effect.gen(function*() {
      const gateway = yield* stateGateway({ store: { inbox: { maximumUnread: 6 } } })
      const one = yield* gateway.session("one")
      const told = yield* one.told
      yield* watch(one)
      for (let version = 0; version < 10; version++) yield* set(one, "k", version)
      yield* settle
      assert.strictEqual(pushed(told).length, 10)
      assert.deepStrictEqual((yield* received(one)).map(({ version }) => version), [1, 2, 3])
      yield* TestClock.adjust("1 second")
      yield* set(one, "k", 10)
      const [overflow, change] = yield* received(one)
      assert.deepInclude(overflow, { type: "overflow", dropped: 7 })
      assert.deepInclude(change, { type: "change", version: 11 })
    }))

  it.scoped("leaves room in an inbox for other messages", () =>
    Effect.gen(function*() {
      const gateway = yield* stateGateway()
      const one = yield* gateway.session("one")
      yield* watch(one)
      for (let version = 0; version < 1010; version++) {
        yield* set(one, "k", version)
        if (version % 100 === 0) yield* settle
      }
      yield* settle
      assert.strictEqual(yield* unread(gateway, "one"), 1000)
    }), 30_000)

  it.scoped("of sessions that have ended makes room for others, however many they were", () =>
    Effect.gen(function*() {
      const gateway = yield* stateGateway({ store: { inbox: { maximumUnread: 8 } } })
      const two = yield* gateway.session("two")
      let version = 0
      for (let i = 0; i < 10; i++) {
        const one = yield* gateway.session("one")
        yield* watch(one)
        for (let j = 0; j < 3; j++) yield* set(two, "k", version++)
        yield* settle
        yield* one.end
      }
      yield* gateway.inStore(Effect.flatMap(Inbox, (inbox) =>
        Effect.orDie(Effect.forEach(["a", "b", "c", "d"], (message) =>
          inbox.deliver({ agent: "one", from: "two", message })))))
      const last = yield* gateway.session("one")
      const messages = listAt(yield* last.output("comms.receive", { limit: 100 }), "messages")
      const [before, after] = [messages.slice(0, 3), messages.slice(3)]
      assert.deepStrictEqual(
        before.map((one) =>
          at(JSON.parse(textAt(one, "message")), "version")
        ),
        [28, 29, 30]
      )
      assert.deepStrictEqual(after.map((one) => textAt(one, "message")), ["a", "b", "c", "d"])
    }))

  it.scoped("sees what another gateway on the same data directory changes", () =>
    Effect.gen(function*() {
      const database = yield* temporaryDatabase
      const here = yield* stateGateway({ database })
      const there = yield* stateGateway({ database })
      const one = yield* here.session("one")
      const two = yield* there.session("two")
      yield* set(two, "a", 0)
      const told = yield* one.told
      yield* watch(one)
      yield* set(one, "mine", 0)
      yield* set(two, "b", 0)
      yield* set(two, "b", 1)
      yield* two.output("state.shared.delete", { key: "a" })
      yield* set(one, "mine", 1)
      yield* settle
      assert.deepStrictEqual(pushed(told), [changed("mine", 1, "one"), changed("mine", 2, "one")])
      yield* TestClock.adjust("1 second")
      yield* settle
      // Of what happens elsewhere each key's last change is told.
      assert.deepStrictEqual(pushed(told).slice(2), [changed("b", 2, "two"), changed("a", 1, "two", true)])
      yield* set(two, "c", 0)
      yield* TestClock.adjust("1 second")
      yield* settle
      assert.deepStrictEqual(pushed(told).slice(4), [changed("c", 1, "two")])
    }))
})

describe("notifications/kruxos/message", () => {
  it.scoped("says that the agent has a message, to all of its sessions", () =>
    Effect.gen(function*() {
      const gateway = yield* stateGateway()
      const one = yield* gateway.session("one")
      const same = yield* gateway.session("one")
      const two = yield* gateway.session("two")
      const told = yield* Effect.all([one.told, same.told, two.told])
      const ids = yield* gateway.inStore(Effect.flatMap(Inbox, (inbox) =>
        Effect.orDie(Effect.all([
          inbox.deliver({ agent: "one", from: "two", message: "direct" }),
          inbox.deliver({ agent: "one", from: "news", message: "to all", channel: "news" })
        ]))))
      yield* settle
      const messages = [
        { method: "notifications/kruxos/message", params: { channel: null, message_id: ids[0] } },
        { method: "notifications/kruxos/message", params: { channel: "news", message_id: ids[1] } }
      ]
      assert.deepStrictEqual(told, [messages, messages, []])
    }))
})
