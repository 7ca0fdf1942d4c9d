import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Session } from "../sessions/Session.js"
import { Agent } from "../store/Agents.js"
import type { SessionRecord, SessionSummary } from "../store/Sessions.js"

const optionalTime = Schema.OptionFromNullOr(Schema.DateTimeUtc)

/** A session as supervisors see it, with the invocations that it has made so far. */
export const SessionView = Schema.Struct({
  session_id: Schema.String,
  transport: Schema.String,
  client_name: Schema.OptionFromNullOr(Schema.String),
  started_at: Schema.DateTimeUtc,
  ended_at: optionalTime,
  invocations: Schema.Int
})
export interface SessionView extends Schema.Schema.Type<typeof SessionView> {}

/** An agent as supervisors see it. `sessions` are the newest of the `open_sessions` that are open. */
export const AgentView = Schema.Struct({
  name: Schema.String,
  purpose: Schema.String,
  policy_group: Schema.String,
  status: Agent.fields.status,
  workspace: Agent.fields.workspace,
  created_at: Schema.DateTimeUtc,
  last_active_at: optionalTime,
  sessions: Schema.Array(SessionView),
  open_sessions: Schema.Int,
  pending_approvals: Schema.Int
})
export interface AgentView extends Schema.Schema.Type<typeof AgentView> {}

export const AgentList = Schema.Struct({ agents: Schema.Array(AgentView), total: Schema.Int })

/** An agent with the sessions that it had last, open or not. */
export const AgentDetails = Schema.Struct({ ...AgentView.fields, recent_sessions: Schema.Array(SessionView) })

/** What the gateway knows of the sessions that it serves itself, by their ids. */
type Running = ReadonlyMap<string, Session>

/** The view of a session, whose record says how many invocations it made only when it has ended. */
export const ofSession = (record: SessionRecord, running: Running): SessionView => ({
  session_id: record.sessionId,
  transport: record.transport,
  client_name: record.clientName,
  started_at: record.startedAt,
  ended_at: record.endedAt,
  invocations: running.get(record.sessionId)?.invocations() ?? record.invocations
})

const latest = (times: ReadonlyArray<DateTime.Utc>): Option.Option<DateTime.Utc> =>
  times.length === 0 ? Option.none() : Option.some(times.reduce(DateTime.max))

/** What the view of an agent is made of. */
export interface Known {
  readonly agent: Agent
  readonly summary: SessionSummary | undefined
  readonly open: ReadonlyArray<SessionRecord>
  readonly running: Running
  readonly pendingApprovals: number
}

/** The view of an agent. */
export const ofAgent = ({ agent, open, pendingApprovals, running, summary }: Known): AgentView => ({
  name: agent.name,
  purpose: agent.purpose,
  policy_group: agent.policyGroup,
  status: agent.status,
  workspace: agent.workspace,
  created_at: agent.createdAt,
  last_active_at: latest([
    ...(summary === undefined ? [] : Option.toArray(summary.lastActiveAt)),
    ...open.flatMap(({ sessionId }) => {
      const session = running.get(sessionId)
      return session === undefined ? [] : [DateTime.unsafeMake(session.lastActiveAt())]
    })
  ]),
  sessions: open.map((record) => ofSession(record, running)),
  open_sessions: summary?.open ?? open.length,
  pending_approvals: pendingApprovals
})
