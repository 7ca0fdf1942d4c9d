import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import { ApprovalList, ApprovalView } from "../../local/supervisor/ApprovalView.js"
import { ActivityList } from "../schemas/Activity.js"
import { AgentList, AgentView } from "../schemas/Agent.js"
import { AlertList, AlertView } from "../schemas/Alert.js"
import { Health } from "../schemas/Health.js"
import { Deletion, EntryList, EntryView } from "../schemas/StateEntry.js"
import { Status } from "../schemas/Status.js"
import { makeAsk } from "./ask.js"
import type { AskFailure } from "./failures.js"

/** What to ask a list for; what is undefined or empty is not asked for. */
type Query = { readonly [name: string]: string | number | undefined }

const withQuery = (path: string, query: Query): string => {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || value === "" ? [] : [[name, String(value)]]
  )
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`
}

const part = encodeURIComponent

// A key as a part of the path would be lost where it is `.` or `..`: browsers resolve those.
const entryPath = (of: string, key: string): string => withQuery(`/api/state/${part(of)}`, { key })

/** Whose state: an agent's by its name, or the one that all agents share. */
export type StateOwner = { readonly shared: true } | { readonly shared: false; readonly agent: string }

/** Makes what asks the gateway's resources for supervisors with this token. */
export const makeClient = (token: Redacted.Redacted<string>) => {
  const ask = makeAsk(token)
  const decide = (id: string, verdict: "approve" | "reject", reason?: string) =>
    ask(ApprovalView, `/api/approvals/${part(id)}/${verdict}`, {
      method: "POST",
      ...(reason === undefined ? {} : { body: { reason } })
    })
  return {
    status: ask(Status, "/api/status"),
    health: ask(Health, "/api/health"),
    approvals: (query: Query) => ask(ApprovalList, withQuery("/api/approvals", query)),
    approval: (id: string) => ask(ApprovalView, `/api/approvals/${part(id)}`),
    approve: (id: string) => decide(id, "approve"),
    reject: (id: string, reason: string) => decide(id, "reject", reason),
    alerts: (query: Query) => ask(AlertList, withQuery("/api/alerts", query)),
    acknowledge: (id: string) => ask(AlertView, `/api/alerts/${part(id)}/acknowledge`, { method: "POST" }),
    agents: ask(AgentList, "/api/agents"),
    agent: (name: string) => ask(AgentView, `/api/agents/${part(name)}`),
    setPaused: (name: string, isPaused: boolean) =>
      ask(AgentView, `/api/agents/${part(name)}/${isPaused ? "pause" : "resume"}`, { method: "POST" }),
    activity: (query: Query) => ask(ActivityList, withQuery("/api/activity", query)),
    entries: (owner: StateOwner, query: Query) =>
      ask(EntryList, withQuery(owner.shared ? "/api/state/shared" : `/api/state/${part(owner.agent)}`, query)),
    entry: (owner: StateOwner, key: string): Effect.Effect<EntryView, AskFailure> =>
      ask(EntryView, entryPath(owner.shared ? "shared" : owner.agent, key)),
    deleteEntry: (agent: string, key: string) => ask(Deletion, entryPath(agent, key), { method: "DELETE" })
  }
}

/** Asks the gateway's resources for supervisors. */
export type Client = ReturnType<typeof makeClient>
