import * as Schema from "effect/Schema"
import { DateTimeUtc } from "../../schema/primitives.js"

const SessionView = Schema.Struct({
  session_id: Schema.String,
  transport: Schema.String,
  client_name: Schema.NullOr(Schema.String),
  started_at: DateTimeUtc,
  ended_at: Schema.NullOr(DateTimeUtc),
  invocations: Schema.Number
})
/** A session of an agent, open or over. */
export interface SessionView extends Schema.Schema.Type<typeof SessionView> {}

/** An agent as supervisors see it; `sessions` are the open ones, and only one that is asked for by its name has `recent_sessions`. */
export const AgentView = Schema.Struct({
  name: Schema.String,
  purpose: Schema.NullOr(Schema.String),
  policy_group: Schema.NullOr(Schema.String),
  status: Schema.String,
  workspace: Schema.NullOr(Schema.String),
  created_at: DateTimeUtc,
  last_active_at: Schema.NullOr(DateTimeUtc),
  sessions: Schema.Array(SessionView),
  recent_sessions: Schema.optional(Schema.Array(SessionView)),
  pending_approvals: Schema.Number
})
export interface AgentView extends Schema.Schema.Type<typeof AgentView> {}

/** What `GET /api/agents` answers. */
export const AgentList = Schema.Struct({ agents: Schema.Array(AgentView), total: Schema.Number })
