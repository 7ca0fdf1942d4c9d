import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { Agents } from "../../../src/local/store/Agents.js"
import { until } from "../../support/deadline.js"
import * as TestGateway from "../../support/gateway.js"
import { at, textAt } from "../../support/json.js"
import { post, rpc } from "../../support/rawHttp.js"
import { connect, initialized, open } from "../../support/rawSocket.js"

const gateway = TestGateway.Gateway

const ping = { jsonrpc: "2.0", id: 1, method: "ping" }

const wrongKey = "0".repeat(64)

const refusal = (type: string) => ({
  jsonrpc: "2.0",
  id: null,
  error: { code: -32003, message: expect.stringMatching(/\S/), data: expect.objectContaining({ error_type: type }) }
})

const revoke = (served: TestGateway.TestGateway, name: string) =>
  served.inStore(Effect.orDie(Effect.flatMap(Agents, (agents) => agents.revoke(name))))

const rotate = (served: TestGateway.TestGateway, name: string) =>
  served.inStore(Effect.orDie(Effect.flatMap(Agents, (agents) => agents.rotate(name)))).pipe(
    Effect.map(Redacted.value)
  )

const refusedHeaders: ReadonlyArray<readonly [string, (key: string) => Record<string, string>, string]> = [
  ["no key", () => ({}), "NotAuthenticated"],
  ["an empty key", () => ({ authorization: "Bearer " }), "NotAuthenticated"],
  ["a key that nobody has", () => ({ authorization: `Bearer ${wrongKey}` }), "auth.invalid_credentials"],
  ["a key that is too short", (key) => ({ authorization: `Bearer ${key.slice(1)}` }), "auth.invalid_credentials"],
  ["a key with more behind it", (key) => ({ authorization: `Bearer ${key} more` }), "NotAuthenticated"],
  ["no scheme", (key) => ({ authorization: key }), "NotAuthenticated"],
  ["another scheme", (key) => ({ authorization: `Basic ${key}` }), "NotAuthenticated"]
]

layer(TestGateway.layer(), { excludeTestServices: true })("a request", (it) => {
  it.scoped.each(refusedHeaders)("to upgrade with %s is answered 401", ([_, headers, type]) =>
    Effect.gen(function*() {
      const served = yield* gateway
      const refused = yield* Effect.flip(open(served.url, { headers: headers(served.key) }))
      expect(refused.status).toBe(401)
      expect(refused.headers["www-authenticate"]).toBe("Bearer")
      expect(refused.body).toEqual(refusal(type))
    }))

  it.effect.each(refusedHeaders)("to /rpc with %s is answered 401", ([_, headers, type]) =>
    Effect.gen(function*() {
      const served = yield* gateway
      const { authorization = "" } = headers(served.key)
      const answer = yield* post(served, ping, { headers: { authorization } })
      expect(answer.status).toBe(401)
      expect(answer.headers.get("www-authenticate")).toBe("Bearer")
      expect(answer.body).toEqual(refusal(type))
    }))

  it.effect("to /rpc without a key is not even read", () =>
    Effect.gen(function*() {
      const answer = yield* post(yield* gateway, "nonsense", { key: wrongKey })
      expect(answer.status).toBe(401)
    }))

  it.scoped.each(["Bearer", "bearer", "BEARER"])("may write the scheme as %s", (scheme) =>
    Effect.gen(function*() {
      const served = yield* gateway
      const headers = { authorization: `${scheme} ${served.key}` }
      const socket = yield* open(served.url, { headers })
      expect(yield* socket.call("ping")).toHaveProperty("result", {})
      expect((yield* post(served, ping, { headers })).status).toBe(200)
    }))

  it.scoped("to upgrade may carry the key in its URL", () =>
    Effect.gen(function*() {
      const served = yield* gateway
      const socket = yield* open(`${served.url}?token=${served.key}`)
      expect(yield* socket.call("ping")).toHaveProperty("result", {})
      const refused = yield* Effect.flip(open(`${served.url}?token=${wrongKey}`))
      expect(refused.body).toEqual(refusal("auth.invalid_credentials"))
    }))

  it.scoped("to upgrade is judged by its header where it has a key there, too", () =>
    Effect.gen(function*() {
      const served = yield* gateway
      const refused = yield* Effect.flip(open(`${served.url}?token=${served.key}`, { key: wrongKey }))
      expect(refused.status).toBe(401)
    }))

  it.effect("to /rpc may not carry the key in its URL", () =>
    Effect.gen(function*() {
      const served = yield* gateway
      const inUrl = { ...served, rpc: `${served.rpc}?token=${served.key}` }
      expect((yield* post(inUrl, ping, { headers: { authorization: "" } })).status).toBe(401)
      expect((yield* post(inUrl, ping)).status).toBe(200)
    }))

  it.scoped("with the key of a revoked agent is answered 401", () =>
    Effect.gen(function*() {
      const served = yield* gateway
      const key = yield* served.addAgent("revoked")
      yield* revoke(served, "revoked")
      const refused = yield* Effect.flip(open(served.url, { key }))
      expect(refused).toMatchObject({ status: 401, body: refusal("auth.agent_revoked") })
      expect(yield* post(served, ping, { key })).toMatchObject({ status: 401, body: refusal("auth.agent_revoked") })
    }))

  it.scoped("with a key that was replaced is answered 401, and with the new one is not", () =>
    Effect.gen(function*() {
      const served = yield* gateway
      const old = yield* served.addAgent("rotated")
      const key = yield* rotate(served, "rotated")
      const refused = yield* Effect.flip(open(served.url, { key: old }))
      expect(refused).toMatchObject({ status: 401, body: refusal("auth.invalid_credentials") })
      expect((yield* post(served, ping, { key: old })).status).toBe(401)
      expect(yield* (yield* connect(served, key)).call("ping")).toHaveProperty("result", {})
      expect((yield* post(served, ping, { key })).status).toBe(200)
    }))
})

layer(TestGateway.layer(), { excludeTestServices: true })("an open session", (it) => {
  it.scoped.each([["revoked", "auth.agent_revoked"], ["rotated", "auth.invalid_credentials"]] as const)(
    "ends at the next call when its agent is %s, and nobody else's does",
    ([change, type]) =>
      Effect.gen(function*() {
        const served = yield* gateway
        const key = yield* served.addAgent(`open-${change}`)
        const socket = yield* initialized(served, key)
        const other = yield* initialized(served)
        expect(yield* socket.call("tools/list")).toHaveProperty("result")
        yield* change === "revoked" ? revoke(served, `open-${change}`) : rotate(served, `open-${change}`)
        const refused = Effect.map(socket.call("tools/list"), (answer) => {
          if (at(answer, "error") === undefined) return false
          expect(answer).toMatchObject({ error: { code: -32003, data: { error_type: type } } })
          return true
        })
        yield* until("the refusal", refused)
        expect(yield* socket.closed).toMatchObject({ code: 1008 })
        expect(yield* other.call("tools/list")).toHaveProperty("result")
      })
  )

  it.effect("of /rpc is gone with the key that it was made with", () =>
    Effect.gen(function*() {
      const served = yield* gateway
      const old = yield* served.addAgent("rpc-rotated")
      const created = yield* rpc(served, "session.create", {}, old)
      const session_id = textAt(created, "result", "session_id")
      const before = yield* rpc(served, "capabilities.invoke", { capability: "agent.session" }, old)
      const key = yield* rotate(served, "rpc-rotated")
      expect(yield* rpc(served, "tools/list", { session_id }, key)).toMatchObject({
        error: { data: { error_type: "SessionExpired" } }
      })
      const after = yield* rpc(served, "capabilities.invoke", { capability: "agent.session" }, key)
      expect(textAt(after, "result", "data", "session_id")).not.toBe(textAt(before, "result", "data", "session_id"))
    }))

  it.effect("of /rpc is nobody else's", () =>
    Effect.gen(function*() {
      const served = yield* gateway
      const key = yield* served.addAgent("neighbour")
      const created = yield* rpc(served, "session.create")
      const session_id = textAt(created, "result", "session_id")
      for (const method of ["tools/list", "session.end"]) {
        expect(yield* rpc(served, method, { session_id }, key)).toMatchObject({
          error: { data: { error_type: "SessionExpired", context: { session_id } } }
        })
      }
      expect(yield* rpc(served, "tools/list", { session_id })).toHaveProperty("result")
    }))
})
