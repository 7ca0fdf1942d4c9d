import type { Kind } from "../audit/facts.js"
import type { Selected } from "../store/AuditPages.js"
import type { EventType } from "../supervision/SupervisionEvent.js"

const ends = ["invocation", "invocation_ended", "invocation_answered", "approval_carried_out"] as const

const refused = ["refused"] as const

type ToldAsEvents =
  | typeof ends[number]
  | typeof refused[number]
  | "invocation_started"
  | "approval_requested"
  | "approval_decided"
  | "alert_sent"
  | "alert_acknowledged"

// Those have types of their own.
const others = { among: false, names: ["PolicyDenied", "RateLimited"] }

const asEvents: { readonly [Type in EventType]: ReadonlyArray<Selected> } = {
  capability_invoked: [{ kinds: ["invocation_started"] }],
  capability_result: [{ kinds: ends, succeeded: true }, { kinds: refused, succeeded: true, error: others }],
  capability_error: [{ kinds: ends, succeeded: false }, { kinds: refused, succeeded: false, error: others }],
  policy_violation: [{ kinds: refused, error: { among: true, names: ["PolicyDenied"] } }],
  rate_limit_hit: [{ kinds: refused, error: { among: true, names: ["RateLimited"] } }],
  approval_requested: [{ kinds: ["approval_requested"] }],
  approval_resolved: [{ kinds: ["approval_decided"] }],
  alert_sent: [{ kinds: ["alert_sent"] }],
  alert_acknowledged: [{ kinds: ["alert_acknowledged"] }],
  // These are in no audit log.
  session_started: [],
  session_ended: [],
  write_buffered: [],
  health_alert: []
}

const asThemselves: { readonly [Other in Exclude<Kind, ToldAsEvents>]: ReadonlyArray<Selected> } = {
  invocation_resolved: [{ kinds: ["invocation_resolved"] }],
  transaction_started: [{ kinds: ["transaction_started"] }],
  transaction_ended: [{ kinds: ["transaction_ended"] }],
  agent_created: [{ kinds: ["agent_created"] }],
  agent_key_rotated: [{ kinds: ["agent_key_rotated"] }],
  agent_paused: [{ kinds: ["agent_paused"] }],
  agent_resumed: [{ kinds: ["agent_resumed"] }],
  agent_revoked: [{ kinds: ["agent_revoked"] }],
  state_removed: [{ kinds: ["state_removed"] }],
  "secrets.use": [{ kinds: ["secrets.use"] }],
  secret_added: [{ kinds: ["secret_added"] }],
  secret_rotated: [{ kinds: ["secret_rotated"] }],
  secret_revoked: [{ kinds: ["secret_revoked"] }],
  schedule_late: [{ kinds: ["schedule_late"] }],
  schedule_skipped: [{ kinds: ["schedule_skipped"] }],
  schedule_failed: [{ kinds: ["schedule_failed"] }],
  entries_lost: [{ kinds: ["entries_lost"] }],
  end_lost: [{ kinds: ["end_lost"] }]
}

const entriesBy = new Map(Object.entries({ ...asEvents, ...asThemselves }))

/** What activity there can be: the types of events, and the kinds of entries of the audit log that are no event. */
export const activityTypes: ReadonlyArray<string> = [...entriesBy.keys()]

/** The entries of the audit log that supervisors are shown as one of these types. */
export const entriesOf = (types: ReadonlyArray<string>): ReadonlyArray<Selected> =>
  types.flatMap((type) => entriesBy.get(type) ?? [])
