import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type { Fact } from "../audit/chain.js"
import type { AuditEntry } from "../store/AuditLog.js"
import type { SupervisionEvent } from "./SupervisionEvent.js"

interface Data {
  readonly [name: string]: unknown
}

interface Told {
  readonly type: string
  readonly data: Data
}

// An entry that somebody changed is shown as well as it can be.
const detailsOf = ({ details }: Fact): Data => {
  try {
    const parsed: unknown = JSON.parse(details)
    return Predicate.isReadonlyRecord(parsed) ? parsed : {}
  } catch {
    return {}
  }
}

const optional = (name: string, value: unknown): Data => value === undefined || value === null ? {} : { [name]: value }

const timeOf = ({ at }: Fact) => Option.getOrElse(DateTime.make(at), () => DateTime.unsafeMake(0))

// What is there of it where one entry tells of the start and the end, or of something that was refused.
const asked = ({ approvalId, tier }: Fact, details: Data): Data => ({
  ...optional("approval_id", approvalId),
  ...("arguments" in details ? { arguments: details["arguments"], permission_tier: tier } : {})
})

const without: { readonly [outcome: string]: Data } = {
  interrupted: { error_type: "Interrupted", message: "It was stopped before it ended" },
  defect: { error_type: "InternalError", message: "The gateway failed; its log says how" }
}

const invoked = (fact: Fact, details: Data): Told => ({
  type: "capability_invoked",
  data: {
    capability: fact.capability,
    arguments: details["arguments"] ?? {},
    permission_tier: fact.tier,
    duration_ms: details["queued_ms"] ?? 0,
    ...optional("approval_id", fact.approvalId),
    ...optional("again", details["again"])
  }
})

const ended = (fact: Fact, details: Data): Told => {
  const { capability, kind, tier } = fact
  const rest = {
    ...asked(fact, details),
    ...(kind === "invocation_answered" ? { answered: true } : {})
  }
  const duration = { duration_ms: details["duration_ms"] ?? 0 }
  if (details["outcome"] === "success") {
    return { type: "capability_result", data: { capability, success: true, ...duration, ...rest } }
  }
  const error = details["error"] ?? details["outcome"]
  return {
    type: "capability_error",
    data: {
      capability,
      error_type: details["error_type"] ?? error,
      message: details["message"] ?? "",
      ...without[String(error)],
      tier,
      ...(kind === "refused" ? {} : duration),
      ...rest
    }
  }
}

// As policies name the rule of a limit: `organization:filesystem.*.rate_limit`.
const patternOf = ({ capability, rule }: Fact) => /^[a-z]+:(.+)\.rate_limit$/.exec(rule ?? "")?.[1] ?? capability

const refused = (fact: Fact, details: Data): Told => {
  const { capability, rule, tier } = fact
  switch (details["error"]) {
    case "PolicyDenied":
      return {
        type: "policy_violation",
        data: { capability, rule, reason: details["reason"] ?? null, tier, arguments: details["arguments"] ?? {} }
      }
    case "RateLimited":
      return {
        type: "rate_limit_hit",
        data: {
          capability_pattern: patternOf(fact),
          limit: details["limit"] ?? null,
          window: details["window_seconds"] ?? null,
          retry_after_seconds: details["retry_after_seconds"] ?? null,
          capability,
          rule,
          arguments: details["arguments"] ?? {}
        }
      }
    default:
      return ended(fact, details)
  }
}

// So that what belongs to one transaction can be shown together.
const transactionOf = (details: Data): Data => ({
  ...optional("transaction_id", details["transaction_id"]),
  ...optional("root_transaction_id", details["root_transaction_id"])
})

const toldOf = (fact: Fact, details: Data): Told => {
  const { approvalId, capability, kind, rule } = fact
  switch (kind) {
    case "invocation_started":
      return invoked(fact, details)
    case "invocation":
    case "invocation_ended":
    case "invocation_answered":
    case "approval_carried_out":
      return ended(fact, details)
    case "refused":
      return refused(fact, details)
    case "approval_requested":
      return {
        type: kind,
        data: {
          approval_id: approvalId,
          capability,
          arguments: details["arguments"] ?? {},
          reason: details["reason"] ?? null,
          rule
        }
      }
    case "approval_decided":
      return {
        type: "approval_resolved",
        data: {
          approval_id: approvalId,
          decision: details["decision"],
          decided_by: details["by"],
          decided_at: DateTime.formatIso(timeOf(fact)),
          capability,
          ...optional("reason", details["reason"])
        }
      }
    default:
      return { type: kind, data: { ...optional("capability", capability), ...details } }
  }
}

/**
 * What supervisors are told of something that the audit log has, or will have. What is no event of the protocol, such as that an
 * agent was paused, has the kind of its entry for a type.
 */
export const eventOf = (fact: Fact): SupervisionEvent => {
  const details = detailsOf(fact)
  const { data, type } = toldOf(fact, details)
  return {
    type,
    data: { ...data, ...transactionOf(details) },
    timestamp: timeOf(fact),
    agent: fact.agent,
    ...(fact.sessionId === null ? {} : { session_id: fact.sessionId })
  }
}

/** An entry of the audit log as supervisors are shown it, with its number there. */
export const activityOf = (entry: AuditEntry): { readonly sequence: number; readonly event: SupervisionEvent } => ({
  sequence: entry.sequence,
  event: eventOf(entry)
})
