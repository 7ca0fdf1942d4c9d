import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { builtIn } from "../../../src/catalogue/builtIn.js"
import * as Policy from "../../../src/local/policy/Policy.js"
import { within } from "../../support/deadline.js"
import { at, textAt } from "../../support/json.js"
import { post } from "../../support/rawHttp.js"
import { connect, initialized, initializeParams, type RawSocket } from "../../support/rawSocket.js"
import { decide } from "../../support/supervisor.js"
import { serveCustom } from "./customGateway.js"

const open = Policy.catalogueTiers(Object.values(builtIn))

const policy: Policy.PolicyService = {
  ...open,
  decide: (agent, capability, input, now) =>
    capability.name === "test.run"
      ? { tier: "approval_required", rule: "test:ask", reason: undefined }
      : open.decide(agent, capability, input, now)
}

const invocation = (text: string, more: object = {}) => ({ capability: "test.run", arguments: { text }, ...more })

const ask = (socket: RawSocket, text: string) =>
  Effect.map(
    socket.call("capabilities.invoke", invocation(text)),
    (answer) => textAt(answer, "result", "error", "context", "approval_id")
  )

describe("approvals", () => {
  it.scopedLive("are advertised, and their end is told to all sessions of the agent and to no other", () =>
    Effect.gen(function*() {
      const served = yield* serveCustom({ policy, builtIn: false })
      const key = yield* served.addAgent("other")
      const [one, two, other] = [
        yield* initialized(served),
        yield* initialized(served),
        yield* initialized(served, key)
      ]
      const silent = yield* connect(served)
      const approved = yield* ask(one, "a")
      const rejected = yield* ask(one, "b")
      const withdrawn = yield* ask(two, "c")
      const othersOwn = yield* ask(other, "a")
      const pushed = (approval_id: string, status: string) => ({
        jsonrpc: "2.0",
        method: "notifications/kruxos/approval_resolved",
        params: { approval_id, status }
      })
      yield* decide(served, approved, "approve")
      for (const socket of [one, two]) expect(yield* socket.receive).toEqual(pushed(approved, "approved"))
      yield* decide(served, rejected, "reject")
      for (const socket of [one, two]) expect(yield* socket.receive).toEqual(pushed(rejected, "rejected"))
      yield* two.send({ jsonrpc: "2.0", id: 1, method: "approvals.withdraw", params: { approval_id: withdrawn } })
      expect(yield* one.receive).toEqual(pushed(withdrawn, "withdrawn"))
      const both = [yield* two.receive, yield* two.receive]
      expect(both).toContainEqual(pushed(withdrawn, "withdrawn"))
      expect(both).toContainEqual(
        expect.objectContaining({ id: 1, result: expect.objectContaining({ status: "withdrawn" }) })
      )
      yield* decide(served, othersOwn, "reject")
      expect(yield* other.receive).toEqual(pushed(othersOwn, "rejected"))
      // It has been told nothing before this.
      const answer = yield* silent.call("initialize", initializeParams())
      expect(at(answer, "result", "capabilities", "experimental", "kruxos", "approvals")).toEqual({})
    }))

  it.scopedLive("are held over HTTP too", () =>
    Effect.gen(function*() {
      const served = yield* serveCustom({ policy, builtIn: false })
      const socket = yield* initialized(served)
      const held = yield* Effect.fork(post(served, {
        jsonrpc: "2.0",
        id: 1,
        method: "capabilities.invoke",
        params: invocation("a", { hold_seconds: 5 })
      }))
      const id = yield* ask(socket, "a")
      yield* decide(served, id, "approve")
      expect((yield* held).body).toMatchObject({ result: { success: true, data: { text: "a" } } })
    }))

  it.scopedLive("that are held do not keep a gateway from ending", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const served = yield* serveCustom({ policy, builtIn: false, gracePeriod: "30 seconds" }).pipe(
        Effect.provideService(Scope.Scope, scope)
      )
      const socket = yield* initialized(served)
      yield* socket.send({
        jsonrpc: "2.0",
        id: 1,
        method: "capabilities.invoke",
        params: invocation("a", { hold_seconds: 3600 })
      })
      yield* ask(socket, "b")
      yield* Scope.close(scope, Exit.void).pipe(Effect.disconnect, within("the end of the gateway"))
      expect(yield* socket.receive).toMatchObject({ id: 1, result: { error: { type: "ApprovalPending" } } })
      expect(yield* socket.closed).toMatchObject({ code: 1001 })
    }))
})

describe("a list of tools", () => {
  it.scopedLive("that the policy has changed is told to the sessions that see it", () =>
    Effect.gen(function*() {
      const listeners = new Map<string, () => void>()
      const served = yield* serveCustom({
        policy: {
          ...policy,
          onChange: ({ name }, listener) => Effect.sync(() => void listeners.set(name, listener))
        },
        builtIn: false
      })
      const key = yield* served.addAgent("other")
      const [one, other] = [yield* initialized(served), yield* initialized(served, key)]
      yield* one.call("ping")
      yield* other.call("ping")
      listeners.get("other")?.()
      const told = { jsonrpc: "2.0", method: "notifications/tools/list_changed" }
      expect(yield* other.receive).toEqual(told)
      listeners.get("agent")?.()
      expect(yield* one.receive).toEqual(told)
    }))
})
