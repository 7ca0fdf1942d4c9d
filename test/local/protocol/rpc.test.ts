import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as fs from "node:fs"
import { join } from "node:path"
import { Sessions as SessionRecords } from "../../../src/local/store/Sessions.js"
import * as TestGateway from "../../support/gateway.js"
import { at, listAt, textAt } from "../../support/json.js"
import { post, rpc } from "../../support/rawHttp.js"
import { serveCustom } from "./customGateway.js"

const gateway = TestGateway.Gateway

const sessionOf = (answer: unknown) => textAt(answer, "result", "data", "session_id")

const expired = (session_id: string) => ({
  error: {
    code: -32004,
    message: expect.stringContaining(session_id),
    data: { error_type: "SessionExpired", context: { session_id }, recovery_actions: expect.any(Array) }
  }
})

layer(TestGateway.layer(), { excludeTestServices: true })("sessions of /rpc", (it) => {
  it.effect("are created and ended", () =>
    Effect.gen(function*() {
      const served = yield* gateway
      const created = yield* rpc(served, "session.create", {})
      expect(created).toMatchObject({
        result: {
          session_id: expect.stringMatching(/^ses-/),
          agent: served.agent,
          created_at: expect.stringMatching(/Z$/),
          features: { native: {}, cancellation: {} }
        }
      })
      const session_id = textAt(created, "result", "session_id")
      const own = { capability: "agent.session", session_id }
      expect(sessionOf(yield* rpc(served, "capabilities.invoke", own))).toBe(session_id)
      expect(sessionOf(yield* rpc(served, "capabilities.invoke", own))).toBe(session_id)
      expect(yield* rpc(served, "session.end", { session_id })).toHaveProperty("result", {})
      expect(yield* rpc(served, "capabilities.invoke", own)).toMatchObject(expired(session_id))
      expect(yield* rpc(served, "session.end", { session_id })).toMatchObject(expired(session_id))
      const records = yield* served.inStore(Effect.flatMap(SessionRecords, (kept) => Effect.orDie(kept.list())))
      expect(records.find(({ sessionId }) => sessionId === session_id)).toMatchObject({
        transport: "http",
        endedAt: { _tag: "Some" },
        invocations: 2
      })
    }))

  it.effect("are apart from each other", () =>
    Effect.gen(function*() {
      const served = yield* gateway
      const one = textAt(yield* rpc(served, "session.create"), "result", "session_id")
      const other = textAt(yield* rpc(served, "session.create"), "result", "session_id")
      expect(one).not.toBe(other)
      yield* rpc(served, "session.end", { session_id: one })
      expect(yield* rpc(served, "tools/list", { session_id: other })).toHaveProperty("result.tools")
    }))

  it.effect("are implicit for a key that is used without", () =>
    Effect.gen(function*() {
      const served = yield* gateway
      const ask = (key?: string) =>
        Effect.map(rpc(served, "capabilities.invoke", { capability: "agent.session" }, key), sessionOf)
      const ids = yield* Effect.all([ask(), ask(), ask(), ask()], { concurrency: "unbounded" })
      expect(new Set(ids).size).toBe(1)
      expect(yield* ask(yield* served.addAgent("implicit"))).not.toBe(ids[0])
    }))

  it.effect("can be ended where they are implicit, too, and begin anew", () =>
    Effect.gen(function*() {
      const served = yield* gateway
      const ask = Effect.map(rpc(served, "capabilities.invoke", { capability: "agent.session" }), sessionOf)
      const session_id = yield* ask
      yield* rpc(served, "session.end", { session_id })
      expect(yield* ask).not.toBe(session_id)
    }))

  it.effect.each(["ses-unknown", "", "constructor"])(
    "are not known by the name %j",
    (session_id) =>
      Effect.gen(function*() {
        const served = yield* gateway
        expect(yield* rpc(served, "tools/list", { session_id })).toMatchObject(expired(session_id))
        expect(yield* rpc(served, "session.end", { session_id })).toMatchObject(expired(session_id))
      })
  )

  it.effect("have to be named to be ended, by a string", () =>
    Effect.gen(function*() {
      const served = yield* gateway
      for (const params of [undefined, {}, { session_id: 5 }, { session_id: null }, ["ses-1"]]) {
        expect(yield* rpc(served, "session.end", params)).toMatchObject({
          error: { code: -32602, data: { error_type: "InvalidInput", context: { field: "session_id" } } }
        })
      }
      expect(yield* rpc(served, "tools/list", { session_id: 5 })).toMatchObject({ error: { code: -32602 } })
    }))

  it.effect("are at most 100 for an agent; others have theirs", () =>
    Effect.gen(function*() {
      const served = yield* gateway
      const key = yield* served.addAgent("many")
      const batch = Array.from({ length: 101 }, (_, id) => ({ jsonrpc: "2.0", id, method: "session.create" }))
      const answers = listAt((yield* post(served, batch, { key })).body)
      expect(answers.filter((answer) => at(answer, "result") !== undefined)).toHaveLength(100)
      expect(answers.find((answer) => at(answer, "error") !== undefined)).toMatchObject({
        error: { data: { error_type: "ResourceExhausted", context: { limit: 100, current: 100 } } }
      })
      expect(yield* rpc(served, "session.create")).toHaveProperty("result")
      const session_id = answers.map((answer) => at(answer, "result", "session_id")).find((id) => id !== undefined)
      yield* rpc(served, "session.end", { session_id }, key)
      expect(yield* rpc(served, "session.create", {}, key)).toHaveProperty("result")
    }))

  it.effect("do not need initialize, which is the socket's", () =>
    Effect.gen(function*() {
      expect(yield* rpc(yield* gateway, "initialize", { protocolVersion: "2025-06-18" })).toMatchObject({
        error: { code: -32601 }
      })
    }))
})

const slow = serveCustom({ run: (text) => Effect.as(Effect.sleep(text === "first" ? 50 : 0), text) })

layer(Layer.scoped(gateway, slow), { excludeTestServices: true })("a batch", (it) => {
  const invoke = (id: number, text: string) => ({
    jsonrpc: "2.0",
    id,
    method: "capabilities.invoke",
    params: { capability: "test.run", arguments: { text } }
  })
  const notification = { jsonrpc: "2.0", method: "notifications/initialized" }

  it.effect("is answered in its order, whatever took longest", () =>
    Effect.gen(function*() {
      const { body } = yield* post(yield* gateway, [invoke(3, "first"), invoke(1, "second"), invoke(2, "third")])
      expect(listAt(body).map((answer) => [at(answer, "id"), at(answer, "result", "data", "text")])).toEqual([
        [3, "first"],
        [1, "second"],
        [2, "third"]
      ])
    }))

  it.effect("has an answer of its own for each request, and none for a notification", () =>
    Effect.gen(function*() {
      const { body, status } = yield* post(yield* gateway, [
        notification,
        invoke(1, "good"),
        { jsonrpc: "2.0", id: 2, method: "no/such/method" },
        5,
        { jsonrpc: "2.0", id: 3, method: "capabilities.invoke", params: { capability: "filesystem.read" } },
        { jsonrpc: "2.0", id: 4, method: "tools/list", params: { session_id: "ses-none" } },
        { jsonrpc: "2.0", id: 9, result: {} },
        notification
      ])
      expect(status).toBe(200)
      expect(body).toMatchObject([
        { id: 1, result: { success: true } },
        { id: 2, error: { code: -32601 } },
        { id: null, error: { code: -32600 } },
        { id: 3, result: { success: false, error: { type: "InvalidInput" } } },
        { id: 4, error: { data: { error_type: "SessionExpired" } } }
      ])
    }))

  it.effect("of one is answered as a batch", () =>
    Effect.gen(function*() {
      expect(listAt((yield* post(yield* gateway, [invoke(1, "only")])).body)).toHaveLength(1)
    }))

  it.effect.each([[[notification, notification]], [notification], [{ jsonrpc: "2.0", id: 1, result: {} }]] as const)(
    "without a request has no answer: %j",
    ([body]) =>
      Effect.gen(function*() {
        expect(yield* post(yield* gateway, body)).toMatchObject({ status: 204, body: "" })
      })
  )

  it.effect("runs no more requests when its answers have 16 MiB, and says so", () =>
    Effect.gen(function*() {
      const served = yield* gateway
      const size = 1024 * 1024
      fs.writeFileSync(join(served.workspace, "large"), "x".repeat(size))
      const given = (id: number, capability: string, input: object) => ({
        jsonrpc: "2.0",
        id,
        method: "capabilities.invoke",
        params: { capability, arguments: input }
      })
      const { body } = yield* post(served, [
        ...Array.from({ length: 50 }, (_, id) => given(id, "filesystem.read", { path: "large" })),
        given(50, "filesystem.write", { path: "marker", content: "" })
      ])
      const answers = listAt(body)
      expect(answers).toHaveLength(51)
      const read = answers.filter((answer) => at(answer, "result", "success") === true)
      expect(read.length).toBeGreaterThanOrEqual(16)
      expect(read.length).toBeLessThan(16 + 16)
      for (const answer of answers.filter((refused) => !read.includes(refused))) {
        expect(answer).toMatchObject({ error: { data: { error_type: "ResourceExhausted" } } })
      }
      expect(fs.existsSync(join(served.workspace, "marker"))).toBe(false)
    }))
})
