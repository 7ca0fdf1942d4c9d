/** Kinds of events that can be asked for, by name. */
export const kinds = {
  outcomes: { title: "Outcomes", types: undefined },
  problems: {
    title: "Errors and refusals",
    types: ["capability_error", "policy_violation", "rate_limit_hit", "health_alert", "entries_lost", "end_lost"]
  },
  approvals: { title: "Approvals", types: ["approval_requested", "approval_resolved"] },
  alerts: { title: "Alerts", types: ["alert_sent", "alert_acknowledged"] },
  sessions: { title: "Sessions", types: ["session_started", "session_ended"] },
  supervisors: {
    title: "What supervisors did",
    types: ["agent_created", "agent_key_rotated", "agent_paused", "agent_resumed", "agent_revoked", "state_removed"]
  },
  everything: { title: "Everything, starts too", types: undefined }
} as const

export type Kind = keyof typeof kinds

/** The kind of this name. */
export const kindOf = (name: string): Kind =>
  name === "problems" || name === "approvals" || name === "alerts" || name === "sessions" || name === "supervisors" ||
    name === "everything"
    ? name
    : "outcomes"

/** The types of a kind's events; undefined where the kind is not told by its types alone. */
export const typesOf = (kind: Kind): ReadonlyArray<string> | undefined => kinds[kind].types

/** Whether an event of this type is of that kind. */
export const includes = (kind: Kind, type: string): boolean =>
  typesOf(kind)?.includes(type) ?? (kind === "everything" || type !== "capability_invoked")
