import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import type { AuditEntry } from "../store/AuditLog.js"

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** The time of an entry as text. A log that somebody changed may hold any number. */
export const timeOf = ({ at }: AuditEntry): string =>
  Option.match(DateTime.make(at), { onNone: () => String(at), onSome: DateTime.formatIso })

/** An entry as commands print it and supervisors get it. */
export const entryView = (entry: AuditEntry) => ({
  sequence: entry.sequence,
  at: timeOf(entry),
  kind: entry.kind,
  agent: entry.agent,
  session_id: entry.sessionId,
  capability: entry.capability,
  tier: entry.tier,
  rule: entry.rule,
  approval_id: entry.approvalId,
  idempotency_key: entry.idempotencyKey,
  details: parsed(entry.details),
  previous_hash: entry.previousHash,
  hash: entry.hash
})
