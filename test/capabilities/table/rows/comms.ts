import { assert, expect } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { failing, type Table } from "../Row.js"

const unavailable = { _tag: "CapabilityUnavailable", retryable: true }

export const comms: Table<"comms"> = {
  "comms.send": {
    success: ({ agent, another, directory: to, invoke }) =>
      Effect.gen(function*() {
        const other = yield* another({ name: to })
        const sent = yield* invoke("comms.send", { to, message: "come", priority: "high" })
        assert.strictEqual(sent.to, to)
        const { messages } = yield* other.invoke("comms.receive")
        expect(messages).toMatchObject([
          { message_id: sent.message_id, from: agent, message: "come", priority: "high", channel: null }
        ])
      }),
    errors: {
      RecipientNotFound: ({ invoke }) =>
        failing(invoke("comms.send", { to: "nobody", message: "hello" }), { recipient: "nobody" }),
      CommsError: ({ without }) =>
        Effect.gen(function*() {
          const { another, invoke } = yield* without("inbox_messages")
          yield* another({ name: "other" })
          return yield* failing(invoke("comms.send", { to: "other", message: "hello" }), unavailable)
        })
    },
    limits: {
      "takes messages of 65536 characters": ({ another, directory: to, invoke }) =>
        Effect.gen(function*() {
          yield* another({ name: to })
          yield* invoke("comms.send", { to, message: "x".repeat(65_536) })
          const error = yield* Effect.flip(invoke("comms.send", { to, message: "x".repeat(65_537) }))
          expect(error).toMatchObject({ _tag: "InvalidInput", field: "message" })
        })
    }
  },
  "comms.broadcast": {
    success: ({ another, directory: name, invoke }) =>
      Effect.gen(function*() {
        const one = yield* another({ name: `${name}-one`, policyGroup: name })
        const two = yield* another({ name: `${name}-two`, policyGroup: name })
        const input = { message: "all", filter: { policy_group: name, name_pattern: "*-two" } }
        expect(yield* invoke("comms.broadcast", input)).toMatchObject({ delivery_count: 1 })
        expect(yield* one.invoke("comms.receive")).toMatchObject({ messages: [] })
        expect(yield* two.invoke("comms.receive")).toMatchObject({ messages: [{ message: "all" }] })
      }),
    errors: {
      CommsError: ({ without }) =>
        Effect.gen(function*() {
          const { another, invoke } = yield* without("inbox_messages")
          yield* another({ name: "other" })
          return yield* failing(invoke("comms.broadcast", { message: "hello" }), unavailable)
        })
    }
  },
  "comms.subscribe": {
    success: ({ another, directory: channel, invoke }) =>
      Effect.gen(function*() {
        const other = yield* another({ name: channel })
        expect(yield* other.invoke("comms.subscribe", { channel })).toMatchObject({ channel })
        yield* invoke("comms.send", { to: `#${channel}`, message: "on the channel" })
        const { messages } = yield* other.invoke("comms.receive", { channel })
        expect(messages).toMatchObject([{ message: "on the channel", channel }])
      }),
    errors: {
      CommsError: ({ without }) =>
        Effect.flatMap(
          without("channel_subscriptions"),
          ({ invoke }) => failing(invoke("comms.subscribe", { channel: "one" }), unavailable)
        )
    }
  },
  "comms.receive": {
    success: ({ another, directory: to, invoke }) =>
      Effect.gen(function*() {
        const other = yield* another({ name: to })
        for (const priority of ["low", "high", "normal"] as const) {
          yield* invoke("comms.send", { to, message: priority, priority })
        }
        const looked = yield* other.invoke("comms.receive", { limit: 2, acknowledge: false })
        assert.deepStrictEqual(looked.messages.map(({ message }) => message), ["high", "normal"])
        assert.strictEqual(looked.remaining, 3)
        const taken = yield* other.invoke("comms.receive")
        assert.deepStrictEqual(taken.messages.map(({ message }) => message), ["high", "normal", "low"])
        assert.deepStrictEqual(yield* other.invoke("comms.receive"), { messages: [], remaining: 0 })
      }),
    errors: {
      CommsError: ({ without }) =>
        Effect.flatMap(without("inbox_messages"), ({ invoke }) => failing(invoke("comms.receive"), unavailable))
    }
  }
}
