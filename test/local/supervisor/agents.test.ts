import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { join } from "node:path"
import { Agents } from "../../../src/local/store/Agents.js"
import { until } from "../../support/deadline.js"
import { Gateway, layer as gatewayLayer } from "../../support/gateway.js"
import { at, listAt, textAt } from "../../support/json.js"
import * as RawSocket from "../../support/rawSocket.js"
import { activityOf, get, post, time } from "./asking.js"

layer(gatewayLayer({ policy: "enterprise-restrictive" }), { excludeTestServices: true })(
  "what supervisors see of agents",
  (it) => {
    it.effect("shows agents and what they are at", () =>
      Effect.gen(function*() {
        const gateway = yield* Gateway
        const key = yield* gateway.addAgent("at-work")
        const idle = yield* get(gateway, "/agents/at-work")
        assert.deepInclude(idle, {
          name: "at-work",
          purpose: "",
          policy_group: "default",
          status: "active",
          workspace: null,
          last_active_at: null,
          sessions: [],
          open_sessions: 0,
          pending_approvals: 0,
          recent_sessions: []
        })
        assert.match(textAt(idle, "created_at"), time)

        const first = yield* RawSocket.initialized(gateway, key)
        const second = yield* RawSocket.initialized(gateway, key)
        fs.writeFileSync(join(gateway.workspace, "read.txt"), "text")
        for (const path of ["read.txt", "none.txt"]) {
          yield* second.call("capabilities.invoke", { capability: "filesystem.read", arguments: { path } })
        }
        yield* second.call("capabilities.invoke", { capability: "filesystem.delete", arguments: { path: "read.txt" } })
        const busy = yield* get(gateway, "/agents/at-work")
        assert.strictEqual(at(busy, "open_sessions"), 2)
        assert.strictEqual(at(busy, "pending_approvals"), 1)
        const sessions = listAt(busy, "sessions")
        assert.sameMembers(sessions.map((session) => at(session, "invocations")), [0, 3])
        for (const session of sessions) {
          assert.deepInclude(session, { transport: "websocket", client_name: "raw", ended_at: null })
          assert.match(textAt(session, "started_at"), time)
          assert.match(textAt(session, "session_id"), /^ses-/)
        }
        assert.isAtLeast(
          Date.parse(textAt(busy, "last_active_at")),
          Math.max(...sessions.map((session) => Date.parse(textAt(session, "started_at"))))
        )
        assert.sameDeepMembers([...listAt(busy, "recent_sessions")], [...sessions])

        yield* second.close
        yield* until(
          "the end of the session",
          Effect.map(get(gateway, "/agents/at-work"), (body) => at(body, "open_sessions") === 1)
        )
        yield* first.close
        yield* until(
          "the end of the other",
          Effect.map(get(gateway, "/agents/at-work"), (body) => at(body, "open_sessions") === 0)
        )
        const after = yield* get(gateway, "/agents/at-work")
        assert.deepStrictEqual(listAt(after, "sessions"), [])
        assert.sameMembers(listAt(after, "recent_sessions").map((session) => at(session, "invocations")), [0, 3])
        for (const session of listAt(after, "recent_sessions")) assert.match(textAt(session, "ended_at"), time)
        assert.isAtLeast(
          Date.parse(textAt(after, "last_active_at")),
          Date.parse(textAt(busy, "last_active_at"))
        )

        const all = yield* get(gateway, "/agents")
        assert.strictEqual(at(all, "total"), listAt(all, "agents").length)
        const listed = listAt(all, "agents").find((agent) => at(agent, "name") === "at-work")
        assert.deepStrictEqual({ ...Object(listed), recent_sessions: at(after, "recent_sessions") }, after)
      }).pipe(Effect.scoped))

    it.effect("pauses an agent and lets it go on, in whose name the audit log says", () =>
      Effect.gen(function*() {
        const gateway = yield* Gateway
        const key = yield* gateway.addAgent("stopped")
        const socket = yield* RawSocket.initialized(gateway, key)
        fs.writeFileSync(join(gateway.workspace, "stopped.txt"), "text")
        const call = Effect.map(
          socket.call("capabilities.invoke", {
            capability: "filesystem.read",
            arguments: { path: "/workspace/stopped.txt" }
          }),
          (answer) => at(answer, "result", "error", "type") ?? at(answer, "result", "success")
        )
        assert.strictEqual(yield* call, true)
        for (let time = 0; time < 2; time++) {
          const paused = yield* post(gateway, "/agents/stopped/pause")
          assert.strictEqual(paused.status, 200)
          assert.deepInclude(paused.body, { name: "stopped", status: "paused", open_sessions: 1 })
          // At once, although the gateway had just looked.
          assert.strictEqual(yield* call, "SessionPaused")
        }
        const resumed = yield* post(gateway, "/agents/stopped/resume")
        assert.deepInclude(resumed.body, { name: "stopped", status: "active", open_sessions: 1 })
        assert.strictEqual(yield* call, true)

        const entries = yield* Effect.flatMap(
          Effect.zipRight(activityOf(gateway, "stopped", 7), get(gateway, "/audit?agent=stopped")),
          (body) => Effect.succeed(listAt(body, "entries"))
        )
        const changes = entries.filter((entry) => textAt(entry, "kind").startsWith("agent_"))
        assert.deepStrictEqual(
          changes.map((entry) => [at(entry, "kind"), at(entry, "details", "by")]),
          [["agent_paused", "supervisor"], ["agent_paused", "supervisor"], ["agent_resumed", "supervisor"]]
        )
      }).pipe(Effect.scoped))

    it.effect("changes nothing of agents that are not there any more", () =>
      Effect.gen(function*() {
        const gateway = yield* Gateway
        yield* gateway.addAgent("gone")
        yield* gateway.inStore(Effect.orDie(Effect.flatMap(Agents, (agents) => agents.revoke("gone"))))
        assert.strictEqual(at(yield* get(gateway, "/agents/gone"), "status"), "revoked")
        for (const change of ["pause", "resume"]) {
          const refused = yield* post(gateway, `/agents/gone/${change}`)
          assert.strictEqual(refused.status, 409)
          assert.include(textAt(refused.body, "error"), "revoked")
          assert.strictEqual((yield* post(gateway, `/agents/nobody/${change}`)).status, 404)
        }
        assert.strictEqual(at(yield* get(gateway, "/agents/gone"), "status"), "revoked")
      }))
  }
)
