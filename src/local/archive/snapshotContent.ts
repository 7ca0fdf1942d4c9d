import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { HealthCheck } from "../capabilities/system/healthCheck.js"
import { Agents } from "../store/Agents.js"
import { Alerts } from "../store/Alerts.js"
import { ApprovalSummaries } from "../store/ApprovalSummaries.js"
import type { SnapshotContent } from "../store/Snapshots.js"
import { picturesOf, type StatePicture } from "../store/statePicture.js"
import { sharedSpace } from "./stateRecords.js"

const mostAgents = 1000

const mostListed = 100

const healthOf = (root: string) =>
  Effect.map(
    Effect.flatMap(HealthCheck, ({ check }) => Effect.option(check(root))),
    Option.match({
      onNone: () => ({ health: { status: "unknown", components: [] }, resources: {} }),
      onSome: ({ components, resourceUsage, status }) => ({
        health: { status, components: components.map(({ message, name, status }) => ({ name, status, message })) },
        resources: resourceUsage
      })
    })
  )

const agentsOf = Effect.map(Effect.flatMap(Agents, ({ list }) => list), (agents) => ({
  agents: agents.slice(0, mostAgents).map(({ name, status }) => ({ name, status })),
  total: agents.length
}))

const approvalsOf = (agent: string) =>
  Effect.gen(function*() {
    const { list } = yield* ApprovalSummaries
    const pending = yield* list({ agent, status: "pending", limit: 1 })
    const { approvals, total } = yield* list({ agent, limit: mostListed })
    return {
      approvals: approvals.map(({ approvalId, capability, expiresAt, requestedAt, status }) => ({
        approval_id: approvalId,
        capability,
        status,
        created_at: DateTime.formatIso(requestedAt),
        expires_at: DateTime.formatIso(expiresAt)
      })),
      pending: pending.total,
      total
    }
  })

const alertsOf = (agent: string) =>
  Effect.gen(function*() {
    const { list } = yield* Alerts
    const pending = yield* list({ agent, status: "pending", limit: 1 })
    const { alerts, total } = yield* list({ agent, limit: mostListed })
    return {
      alerts: alerts.map(({ alertId, createdAt, message, severity, status, title }) => ({
        alert_id: alertId,
        severity,
        ...(title === null ? {} : { title }),
        message,
        status,
        created_at: DateTime.formatIso(createdAt)
      })),
      pending: pending.total,
      total
    }
  })

const stateOf = ({ count, entries, size }: StatePicture, hasOwners: boolean) => ({
  entries: entries.map(({ key, owner, size, updatedAt, version, ...rest }) => ({
    key,
    version,
    size_bytes: size,
    ...(hasOwners ? { owner_agent: owner } : {}),
    updated_at: DateTime.formatIso(DateTime.unsafeMake(updatedAt)),
    ...rest
  })),
  left_out: count - entries.length,
  count,
  total_size_bytes: size
})

/**
 * How things stand for an agent, with names as they go on the wire: all agents and how they are, its own requests for approval and
 * alerts (the newest hundred), its own persistent state and what all share. Of the state about 4 MiB: long values are left out, and
 * then keys.
 */
export const contentFor = (
  agent: string,
  root: string
): Effect.Effect<
  SnapshotContent,
  SqlError,
  Agents | Alerts | ApprovalSummaries | HealthCheck | SqlClient.SqlClient
> =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const { health, resources } = yield* healthOf(root)
    const [own, shared] = yield* picturesOf(sql, [agent, sharedSpace])
    return {
      agents: yield* agentsOf,
      resources,
      approvals: yield* approvalsOf(agent),
      alerts: yield* alertsOf(agent),
      health,
      state: {
        persistent: own === undefined ? {} : stateOf(own, false),
        shared: shared === undefined ? {} : stateOf(shared, true)
      }
    }
  })
