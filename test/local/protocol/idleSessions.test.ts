import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as Rpc from "../../../src/local/protocol/rpc.js"
import { Agents } from "../../../src/local/store/Agents.js"
import { Sessions as SessionRecords } from "../../../src/local/store/Sessions.js"
import { folders, quietly } from "../../support/gateway.js"
import { at, textAt } from "../../support/json.js"
import { customCore, type CustomOptions } from "./customGateway.js"

/** What `/rpc` says, without a network, so that the time is the test's. */
const withRpc = <A, E>(
  use: (call: (method: string, params?: object) => Effect.Effect<unknown>) => Effect.Effect<A, E, SessionRecords>
) =>
  Effect.gen(function*() {
    const { workspace } = yield* folders
    yield* Effect.gen(function*() {
      const agents = yield* Agents
      const { agent } = yield* agents.create({ name: "agent" })
      const answer = yield* Rpc.make
      yield* use((method, params) =>
        Effect.map(
          answer(agent, JSON.stringify({ jsonrpc: "2.0", id: 1, method, params })),
          (text): unknown => JSON.parse(text ?? "null")
        )
      )
    }).pipe(Effect.provide(customCore(onlyTest, { database: ":memory:", workspace })))
  }).pipe(quietly)

// What the catalogue's capabilities do in the background takes a while under a clock that leaps.
const onlyTest: CustomOptions = { builtIn: false, run: (_text, { sessionId }) => Effect.succeed(sessionId) }

const expired = { error: { data: { error_type: "SessionExpired" } } }

describe("a session of /rpc", () => {
  it.scoped("ends after half an hour without use", () =>
    withRpc((call) =>
      Effect.gen(function*() {
        const session_id = textAt(yield* call("session.create"), "result", "session_id")
        yield* TestClock.adjust("29 minutes")
        expect(yield* call("tools/list", { session_id })).toHaveProperty("result")
        yield* TestClock.adjust("29 minutes")
        expect(yield* call("tools/list", { session_id })).toHaveProperty("result")
        yield* TestClock.adjust("31 minutes")
        expect(yield* call("tools/list", { session_id })).toMatchObject(expired)
        const records = yield* SessionRecords
        const found = (yield* records.list()).find(({ sessionId }) => sessionId === session_id)
        expect(found).toMatchObject({ endedAt: { _tag: "Some" } })
      })
    ))

  it.scoped("that is implicit ends, too, and the next call begins another", () =>
    withRpc((call) =>
      Effect.gen(function*() {
        const ask = Effect.map(
          call("capabilities.invoke", { capability: "test.run" }),
          (answer) => at(answer, "result", "data", "text")
        )
        const first = yield* ask
        yield* TestClock.adjust("29 minutes")
        expect(yield* ask).toBe(first)
        yield* TestClock.adjust("31 minutes")
        expect(yield* ask).not.toBe(first)
      })
    ))

  it.scoped("that is not used makes room for others", () =>
    withRpc((call) =>
      Effect.gen(function*() {
        for (let count = 0; count < 100; count++) yield* call("session.create")
        expect(yield* call("session.create")).toHaveProperty("error")
        yield* TestClock.adjust("31 minutes")
        expect(yield* call("session.create")).toHaveProperty("result")
      })
    ))
})
