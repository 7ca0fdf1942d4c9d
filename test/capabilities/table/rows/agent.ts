import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Table } from "../Row.js"

export const agent: Table<"agent"> = {
  "agent.whoami": {
    success: ({ another, directory: name }) =>
      Effect.gen(function*() {
        const { invoke } = yield* another({ name, purpose: "to be asked", policyGroup: "askers" })
        const me = yield* invoke("agent.whoami")
        assert.deepInclude(me, { agent_name: name, purpose: "to be asked", policy_group: "askers" })
        assert.strictEqual(me.workspace_path, "/workspace")
      }),
    errors: {}
  },
  "agent.capabilities": {
    success: ({ invoke }) =>
      Effect.gen(function*() {
        const { capabilities, total } = yield* invoke("agent.capabilities", { category: "comms" })
        assert.deepStrictEqual(capabilities.map(({ name }) => name).sort(), [
          "comms.broadcast",
          "comms.receive",
          "comms.send",
          "comms.subscribe"
        ])
        assert.strictEqual(total, 4)
      }),
    errors: {}
  },
  "agent.session": {
    success: ({ another, directory: name }) =>
      Effect.gen(function*() {
        const { invoke } = yield* another({ name })
        yield* invoke("state.session.set", { key: "key", value: "value" })
        const session = yield* invoke("agent.session")
        assert.strictEqual(session.invocation_count, 2)
        assert.isAbove(session.state_quota.used_bytes, 0)
        assert.strictEqual(session.state_quota.limit_bytes, 50 * 1024 * 1024)
      }),
    errors: {}
  },
  "agent.policy": {
    success: ({ elsewhere }) =>
      Effect.gen(function*() {
        const { invoke } = yield* elsewhere({ policy: { tiers: { "process.*": "approval_required" } } })
        const { rules } = yield* invoke("agent.policy")
        assert.strictEqual(rules.find(({ capability }) => capability === "process.run")?.tier, "approval_required")
      }),
    errors: {}
  }
}
