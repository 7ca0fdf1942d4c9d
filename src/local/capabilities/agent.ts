import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type { BuiltIn } from "../../catalogue/builtIn.js"
import { isListed } from "../../catalogue/listFilter.js"
import { Policy } from "../policy/Policy.js"
import { SessionStates } from "../state/SessionStates.js"
import { mountPoint } from "../workspace/pathForm.js"
import { Directory } from "./Directory.js"
import type { HandlersOf } from "./Handler.js"

/** The handlers of `agent.*`: what the gateway knows of the agent that asks. */
export const makeAgentHandlers = Effect.gen(function*() {
  const directory = yield* Directory
  const policy = yield* Policy
  const states = yield* SessionStates
  const handlers: HandlersOf<BuiltIn, "agent"> = {
    "agent.whoami": (_input, { agent }) =>
      Effect.succeed({
        agent_name: agent.name,
        purpose: agent.purpose,
        policy_group: agent.policyGroup,
        workspace_path: mountPoint,
        created_at: agent.createdAt
      }),

    "agent.capabilities": ({ category }, { agent }) =>
      Effect.sync(() => {
        const capabilities = directory.definitions(agent)
          .filter(isListed({ category }))
          .map(({ name, permissionTier = policy.defaultTier(agent), purpose, tags }) => ({
            name,
            purpose,
            permission_tier: permissionTier,
            tags
          }))
        return { capabilities, total: capabilities.length }
      }),

    "agent.session": (_input, invocation) =>
      Effect.zipWith(DateTime.now, states.used(invocation.sessionId), (now, used) => {
        const usage = invocation.usage()
        return {
          session_id: invocation.sessionId,
          connected_at: invocation.connectedAt,
          duration_seconds: Math.floor(DateTime.distance(invocation.connectedAt, now) / 1000),
          invocation_count: invocation.invocations(),
          resource_usage: {
            cpu_ms: usage.cpuMillis,
            memory_bytes: usage.memoryBytes,
            io_bytes_read: usage.bytesRead,
            io_bytes_written: usage.bytesWritten
          },
          workspace_path: mountPoint,
          state_quota: {
            used_bytes: used,
            limit_bytes: states.quotaBytes,
            percent: Math.round(used / states.quotaBytes * 10_000) / 100
          }
        }
      }),

    "agent.policy": (_input, { agent }) =>
      Effect.sync(() => ({
        policy_group: agent.policyGroup,
        rules: policy.rules(agent).map((rule) => ({ ...rule, reason: rule.reason ?? null })),
        default_tier: policy.defaultTier(agent)
      }))
  }
  return handlers
})
