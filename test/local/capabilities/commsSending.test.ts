import { SqlError } from "@effect/sql/SqlError"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { makeSendingHandlers } from "../../../src/local/capabilities/commsSending.js"
import { Methods } from "../../../src/local/protocol/methods.js"
import type { Notification } from "../../../src/local/protocol/Notification.js"
import { Agents } from "../../../src/local/store/Agents.js"
import { Channels } from "../../../src/local/store/Channels.js"
import { Messages } from "../../../src/local/store/Messages.js"
import * as Store from "../../../src/local/store/Store.js"
import { at, textAt } from "../../support/json.js"
import { type Arguments, type Caller, withDatabase, withGateway } from "../scheduler/support.js"
import { invocationBy } from "./invocation.js"

const errorOf = (caller: Caller, capability: string, given: Arguments) =>
  Effect.map(caller.answer(capability, given), (answer) => at(answer, "error"))

const received = (caller: Caller, given: Arguments = {}) =>
  Effect.map(caller.invoke("comms.receive", given), (output) => {
    const messages = at(output, "messages")
    return Array.isArray(messages) ? messages.map((message) => String(at(message, "message"))) : []
  })

interface Told {
  readonly _tag: string
  readonly type: string
  readonly reason?: string | undefined
  readonly message: string
}

describe("comms.send", () => {
  it.effect("puts a message into another agent's inbox, the most urgent first", () =>
    withGateway((gateway) =>
      Effect.gen(function*() {
        const one = yield* gateway.as("one")
        const two = yield* gateway.as("two")
        const send = (message: string, more: Arguments = {}) =>
          one.invoke("comms.send", { to: "two", message, ...more })
        yield* send("later", { priority: "low" })
        const normal = yield* send("normal")
        assert.deepInclude(normal, { status: "queued", to: "two" })
        yield* send("now", { priority: "high" })
        const first = yield* two.invoke("comms.receive", { limit: 2, acknowledge: false })
        assert.strictEqual(at(first, "remaining"), 3)
        assert.deepStrictEqual(at(first, "messages", 1), {
          message_id: textAt(normal, "message_id"),
          from: "one",
          message: "normal",
          priority: "normal",
          sent_at: "2026-01-01T00:00:00.000Z",
          channel: null
        })
        assert.deepStrictEqual(yield* received(two), ["now", "normal", "later"])
        assert.deepStrictEqual(yield* received(two), [])
        assert.deepStrictEqual(yield* received(one), [])
      })
    ))

  it.effect("is delivered at once to who is connected, and told", () =>
    withGateway((gateway) =>
      Effect.gen(function*() {
        const one = yield* gateway.as("one")
        const two = yield* gateway.as("two")
        const methods = yield* gateway.run(Methods)
        const told: Array<Notification> = []
        yield* methods.tell(two.session, (notification) => void told.push(notification))
        const sent = yield* one.invoke("comms.send", { to: "two", message: "hello" })
        assert.strictEqual(at(sent, "status"), "delivered")
        assert.deepStrictEqual(told, [{
          method: "notifications/kruxos/message",
          params: { channel: null, message_id: at(sent, "message_id") }
        }])
      })
    ))

  it.effect("does not find an agent that is not there or is revoked, nor a channel that nobody hears", () =>
    withGateway((gateway) =>
      Effect.gen(function*() {
        const one = yield* gateway.as("one")
        yield* gateway.as("gone")
        yield* gateway.run(Effect.flatMap(Agents, (agents) => agents.revoke("gone")))
        for (const to of ["nobody", "gone", "", "one/keep", "one\0", "#news"]) {
          const error = yield* errorOf(one, "comms.send", { to, message: "" })
          assert.deepStrictEqual([at(error, "type"), at(error, "context", "recipient")], ["RecipientNotFound", to])
        }
      })
    ))

  it.effect("refuses what is too long", () =>
    withGateway((gateway) =>
      Effect.gen(function*() {
        const one = yield* gateway.as("one")
        const long: ReadonlyArray<readonly [field: string, given: Arguments]> = [
          ["message", { to: "one", message: "a".repeat(65_537) }],
          ["to", { to: "a".repeat(257), message: "" }],
          ["to", { to: `#${"a".repeat(129)}`, message: "" }],
          ["to", { to: "#a b", message: "" }]
        ]
        for (const [field, given] of long) {
          const error = yield* errorOf(one, "comms.send", given)
          assert.deepStrictEqual([at(error, "type"), at(error, "context", "field")], ["InvalidInput", field])
        }
        yield* one.invoke("comms.send", { to: "one", message: "a".repeat(65_536) })
      })
    ))

  it.effect("finds the inbox full of one sender's messages, and of all", () =>
    Effect.gen(function*() {
      const agents = yield* Agents
      for (const name of ["one", "two", "three", "four"]) yield* agents.create({ name })
      const handlers = yield* makeSendingHandlers
      const send = (from: string, to: string) =>
        Effect.flatMap(invocationBy(from), (invocation) =>
          handlers["comms.send"]({ to, message: "m", priority: "normal" }, invocation))
      const full = { _tag: "ResourceExhausted", resource: "inbox", retryable: true } as const
      for (let count = 0; count < 2; count++) {
        yield* send("one", "four")
      }
      assert.deepInclude(yield* Effect.flip(send("one", "four")), full)
      yield* send("two", "four")
      assert.deepInclude(yield* Effect.flip(send("three", "four")), full)
      const broadcast = yield* handlers["comms.broadcast"](
        { message: "m", priority: "normal" },
        yield* invocationBy("one")
      )
      assert.deepInclude(broadcast, { delivery_count: 2, delivered: 0, queued: 2 })
    }).pipe(
      Effect.provide(Store.layer({
        filename: ":memory:",
        inbox: { maximumUnread: 3 },
        messages: { maximumUnreadOfSender: 2 }
      })),
      Effect.scoped
    ))
})

describe("comms.broadcast", () => {
  it.effect("reaches all others, or those of a group or with certain names", () =>
    withGateway((gateway) =>
      Effect.gen(function*() {
        const one = yield* gateway.as("one")
        yield* gateway.run(Effect.flatMap(Agents, (agents) =>
          Effect.all([
            agents.create({ name: "build-1", policyGroup: "builders" }),
            agents.create({ name: "build-2" }),
            agents.create({ name: "test-1", policyGroup: "builders" }),
            Effect.zipRight(agents.create({ name: "build-3" }), agents.revoke("build-3"))
          ])))
        const reached: ReadonlyArray<readonly [count: number, filter: Arguments | undefined]> = [
          [3, undefined],
          [3, {}],
          [2, { policy_group: "builders" }],
          [2, { name_pattern: "build-*" }],
          [1, { name_pattern: "build-*", policy_group: "builders" }],
          [2, { name_pattern: "*-[1]" }],
          [0, { name_pattern: "o*" }],
          [0, { policy_group: "none" }]
        ]
        for (const [delivery_count, filter] of reached) {
          const sent = yield* one.invoke("comms.broadcast", {
            message: JSON.stringify(filter ?? null),
            ...(filter === undefined ? {} : { filter })
          })
          assert.deepInclude(sent, { delivery_count, delivered: 0, queued: delivery_count }, JSON.stringify(filter))
        }
        assert.deepStrictEqual(yield* received(one), [])
        const test = yield* gateway.as("test-1")
        const got = yield* test.invoke("comms.receive")
        assert.strictEqual(at(got, "remaining"), 0)
        assert.match(textAt(got, "messages", 0, "message_id"), /^msg-[0-9a-f-]{36}\.3$/)
        for (const name_pattern of ["", "[", "a".repeat(257)]) {
          const error = yield* errorOf(one, "comms.broadcast", { message: "", filter: { name_pattern } })
          assert.deepInclude(at(error, "context"), { field: "filter.name_pattern" })
        }
        const error = yield* errorOf(one, "comms.broadcast", { message: "a".repeat(65_537) })
        assert.strictEqual(at(error, "type"), "InvalidInput")
      })
    ))
})

describe("comms.subscribe", () => {
  it.effect("brings what is sent to a channel, until the session ends", () =>
    withGateway((gateway) =>
      Effect.gen(function*() {
        const one = yield* gateway.as("one")
        const scope = yield* Scope.make()
        const two = yield* Scope.extend(gateway.as("two"), scope)
        const subscribed = yield* two.invoke("comms.subscribe", { channel: "news" })
        assert.strictEqual(at(subscribed, "channel"), "news")
        assert.deepStrictEqual(yield* two.invoke("comms.subscribe", { channel: "news" }), subscribed)
        assert.deepInclude(yield* one.invoke("comms.send", { to: "#news", message: "extra" }), { to: "#news" })
        yield* one.invoke("comms.send", { to: "two", message: "direct" })
        assert.deepStrictEqual(yield* received(two, { channel: "news", acknowledge: false }), ["extra"])
        const [message] = [at(yield* two.invoke("comms.receive"), "messages", 0)]
        assert.deepInclude(message, { from: "one", channel: "news" })
        yield* Scope.close(scope, Exit.void)
        const error = yield* errorOf(one, "comms.send", { to: "#news", message: "" })
        assert.strictEqual(at(error, "type"), "RecipientNotFound")
      })
    ))

  it.effect("reaches agents at another gateway on the same data, as long as that runs", () =>
    withDatabase((start) =>
      Effect.gen(function*() {
        const here = yield* start()
        const there = yield* start()
        const one = yield* here.as("one")
        const two = yield* there.as("two")
        yield* two.invoke("comms.subscribe", { channel: "news" })
        yield* one.invoke("comms.send", { to: "#news", message: "extra" })
        assert.deepStrictEqual(yield* received(two, { channel: "news" }), ["extra"])
        yield* there.stop
        const error = yield* errorOf(one, "comms.send", { to: "#news", message: "" })
        assert.strictEqual(at(error, "type"), "RecipientNotFound")
      })
    ))

  it.effect("refuses what is no name, and more than 100 of a session", () =>
    withGateway((gateway) =>
      Effect.gen(function*() {
        const one = yield* gateway.as("one")
        for (const channel of ["", " ", "#news", "a\nb", "a".repeat(129)]) {
          const error = yield* errorOf(one, "comms.subscribe", { channel })
          assert.deepStrictEqual([at(error, "type"), at(error, "context", "field")], ["InvalidInput", "channel"])
        }
        for (let count = 0; count < 100; count++) yield* one.invoke("comms.subscribe", { channel: `c${count}` })
        const error = yield* errorOf(one, "comms.subscribe", { channel: "more" })
        assert.strictEqual(at(error, "type"), "ResourceExhausted")
        yield* one.invoke("comms.subscribe", { channel: "c1" })
      })
    ))
})

it.effect("CommsError is what a failure of the store becomes", () =>
  Effect.gen(function*() {
    yield* (yield* Agents).create({ name: "one" })
    yield* (yield* Agents).create({ name: "two" })
    const broken = Effect.fail(new SqlError({ cause: new Error("made up"), message: "cannot read /host/path" }))
    const handlers = yield* makeSendingHandlers.pipe(
      Effect.provideService(Messages, { ...yield* Messages, send: () => broken }),
      Effect.provideService(Channels, { subscribe: () => broken, subscribers: () => broken })
    )
    const invocation = yield* invocationBy("one")
    const priority = "normal"
    const failed = [
      Effect.either(handlers["comms.send"]({ to: "two", message: "", priority }, invocation)),
      Effect.either(handlers["comms.send"]({ to: "#two", message: "", priority }, invocation)),
      Effect.either(handlers["comms.broadcast"]({ message: "", priority }, invocation)),
      Effect.either(handlers["comms.subscribe"]({ channel: "a" }, invocation))
    ]
    for (const each of failed) {
      const error = Either.getOrThrow(Either.flip<unknown, Told>(yield* each))
      assert.deepInclude(error, { _tag: "CapabilityUnavailable", type: "CommsError", reason: "CommsError" })
      assert.notInclude(error.message, "/host/path")
    }
  }).pipe(Effect.provide(Store.layer({ filename: ":memory:" })), Effect.scoped))
