import type { SqlError } from "@effect/sql/SqlError"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { sharedSpace } from "../archive/stateRecords.js"
import { type Component, HealthCheck, type HealthReport } from "../capabilities/system/healthCheck.js"
import { AgentActivity, type ChangedKey } from "../store/AgentActivity.js"
import { type Agent, Agents } from "../store/Agents.js"
import { type Alert, Alerts } from "../store/Alerts.js"
import { ApprovalRequests } from "../store/Approvals.js"
import { Inbox } from "../store/Inbox.js"
import type { Workspace } from "../workspace/Workspace.js"
import { type FileChanges, fileChanges } from "./fileChanges.js"
import { type Operation, operationsOf, pathEventsOf } from "./operations.js"
import { changedFiles } from "./scan.js"
import { summaryOf } from "./summary.js"

/** How many items the lists of a detailed briefing have at most. */
export const mostListed = 100

const mostEntries = 20_000

/** Who wants to know, and since when; none for since it was last there. */
export interface Question {
  readonly agent: Agent
  readonly workspace: Workspace
  readonly connectedAt: DateTime.Utc
  readonly since: DateTime.Utc | undefined
  readonly isDetailed: boolean
}

/** What a briefing works with. */
export type BriefingServices = AgentActivity | Agents | Alerts | ApprovalRequests | HealthCheck | Inbox

const iso = (milliseconds: number) => DateTime.formatIso(DateTime.unsafeMake(milliseconds))

const sinceOf = ({ agent, connectedAt, since }: Question) =>
  since === undefined
    ? Effect.flatMap(AgentActivity, ({ lastBefore }) => lastBefore(agent.name, DateTime.toEpochMillis(connectedAt)))
      .pipe(
        Effect.map(Option.map((at) => DateTime.unsafeMake(at))),
        Effect.map(Option.getOrElse(() => agent.createdAt))
      )
    : Effect.succeed(since)

const workspaceOf = ({ workspace }: Agent) => Option.getOrNull(workspace)

const companionsOf = (agent: Agent) =>
  Effect.map(
    Effect.flatMap(Agents, ({ list }) => list),
    (all) => new Set(all.filter((other) => workspaceOf(other) === workspaceOf(agent)).map(({ name }) => name))
  )

/** The paths that operations on files before a time had to do with. */
const mentionedBefore = (until: number, companions: ReadonlySet<string>) =>
  Effect.map(
    Effect.flatMap(AgentActivity, ({ entries }) => entries({ categories: ["filesystem"], until, mostEntries })),
    ({ entries }): ReadonlySet<string> => {
      const paths = new Set<string>()
      for (const operation of operationsOf(entries)) {
        if (operation.succeeded !== true || !companions.has(operation.agent)) continue
        for (const { event, path } of pathEventsOf(operation)) {
          if (event === "removed") paths.delete(path)
          else paths.add(path)
        }
      }
      return paths
    }
  )

const filesystemOf = (
  { agent, isDetailed, workspace }: Question,
  since: number,
  done: { readonly operations: ReadonlyArray<Operation>; readonly isWhole: boolean }
) =>
  Effect.gen(function*() {
    const companions = yield* companionsOf(agent)
    const scanned = yield* changedFiles(workspace, since)
    const operations = done.operations.filter((operation) => companions.has(operation.agent))
    const changes = yield* fileChanges(workspace, since, operations, scanned.files, mentionedBefore(since, companions))
    const isWhole = scanned.isWhole && done.isWhole
    const lists = {
      created_paths: changes.created.slice(0, mostListed),
      modified_paths: changes.modified.slice(0, mostListed),
      deleted_paths: changes.deleted.slice(0, mostListed)
    }
    return { counts: countsOf(changes), isWhole, lists: isDetailed ? lists : {} }
  })

const countsOf = ({ created, deleted, modified }: FileChanges) => ({
  created: created.length,
  modified: modified.length,
  deleted: deleted.length
})

const processesOf = ({ agent, isDetailed }: Question, operations: ReadonlyArray<Operation>) => {
  const own = operations.filter((operation) =>
    operation.agent === agent.name && operation.capability.startsWith("process.")
  )
  const runs = own.filter(({ capability }) => capability === "process.run")
  const succeeded = runs.filter((run) => run.succeeded === true).length
  const failed = runs.filter((run) => run.succeeded === false).length
  const killed = own.filter((one) => one.capability === "process.kill" && one.succeeded === true).length
  const events = own.slice(-mostListed).map(({ at, capability, succeeded }) => ({
    capability,
    at: iso(at),
    succeeded: succeeded ?? null
  }))
  return { started: runs.length, succeeded, failed, killed, ...(isDetailed ? { events } : {}) }
}

const alertView = ({ alertId, createdAt, message, severity, status, title }: Alert) => ({
  alert_id: alertId,
  severity,
  ...(title === null ? {} : { title }),
  message,
  status,
  created_at: DateTime.formatIso(createdAt)
})

const alertsOf = ({ agent, isDetailed }: Question, since: DateTime.Utc) =>
  Effect.gen(function*() {
    const { list, pendingOf } = yield* Alerts
    const { alerts, total } = yield* list({ agent: agent.name, status: "pending", limit: mostListed })
    const { recent, ...bySeverity } = yield* pendingOf(agent.name, DateTime.toEpochMillis(since))
    return {
      pending: total,
      new: recent,
      ...bySeverity,
      ...(isDetailed ? { alerts: alerts.map(alertView) } : {})
    }
  })

const componentView = ({ message, name, status }: Component) => ({ name, status, message })

const healthOf = ({ isDetailed, workspace }: Question) =>
  Effect.flatMap(HealthCheck, ({ check }) => check(workspace.root)).pipe(
    Effect.timeoutOption("2 seconds"),
    Effect.orElseSucceed(() => Option.none<HealthReport>()),
    Effect.map(Option.match({
      onNone: () => ({ status: "unknown", problems: [] }),
      onSome: ({ components, resourceUsage, status }) => ({
        status,
        problems: components.filter((component) => component.status !== "healthy").map(componentView),
        ...(isDetailed ? { components: components.map(componentView), resource_usage: resourceUsage } : {})
      })
    }))
  )

const keyView = (hasOwners: boolean) => ({ key, owner, removed, updatedAt, version }: ChangedKey) => ({
  key,
  version,
  ...(hasOwners ? { owner_agent: owner } : {}),
  deleted: removed,
  updated_at: DateTime.formatIso(updatedAt)
})

const stateOf = (space: string, since: number) =>
  Effect.flatMap(AgentActivity, ({ keysChangedSince }) => keysChangedSince(space, since, mostListed))

/** What happened since an agent was last there, with names as they go on the wire. `detailed` adds lists of a hundred items at most. */
export const generate = (question: Question) =>
  Effect.gen(function*() {
    const { agent, isDetailed } = question
    const since = yield* sinceOf(question)
    const from = DateTime.toEpochMillis(since)
    const { entries, isWhole: isLogWhole } = yield* Effect.flatMap(AgentActivity, ({ entries }) =>
      entries({ categories: ["filesystem", "process", "state.backup"], since: from, mostEntries }))
    const operations = operationsOf(entries)
    const { counts, isWhole, lists } = yield* filesystemOf(question, from, { operations, isWhole: isLogWhole })
    const processes = processesOf(question, operations)
    const alerts = yield* alertsOf(question, since)
    const health = yield* healthOf(question)
    const persistent = yield* stateOf(agent.name, from)
    const shared = yield* stateOf(sharedSpace, from)
    const restored = operations.filter((one) =>
      one.capability === "state.backup.restore" && one.succeeded === true
    )
    const totals = {
      since,
      files: counts,
      isWhole,
      processes,
      pendingApprovals: yield* Effect.flatMap(ApprovalRequests, ({ pendingCountOf }) => pendingCountOf(agent.name)),
      unreadMessages: yield* Effect.flatMap(Inbox, ({ count }) => count(agent.name)),
      alerts,
      health: health.status,
      persistent: { count: persistent.count, keys: persistent.keys.map(({ key }) => key) },
      shared: { count: shared.count, keys: shared.keys.map(({ key }) => key) },
      restored: restored.length
    }
    return {
      since,
      filesystem_changes: { ...counts, complete: isWhole, ...lists },
      process_events: processes,
      pending_approvals: totals.pendingApprovals,
      unread_messages: totals.unreadMessages,
      alerts,
      health,
      state_changes: {
        persistent: persistent.count,
        shared: shared.count,
        restores: restored.length,
        ...(isDetailed
          ? { persistent_keys: persistent.keys.map(keyView(false)), shared_keys: shared.keys.map(keyView(true)) }
          : {})
      },
      summary: summaryOf(totals)
    }
  }) satisfies Effect.Effect<unknown, SqlError, BriefingServices>

/** Whether a time is one since which something can have happened. */
export const isPast = (since: DateTime.Utc): Effect.Effect<boolean> =>
  Effect.map(Clock.currentTimeMillis, (now) => DateTime.toEpochMillis(since) <= now)
