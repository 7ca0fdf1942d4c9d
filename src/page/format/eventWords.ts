import type { SupervisionEvent } from "../../local/supervision/SupervisionEvent.js"
import { shortId } from "../../local/supervision/transactionOf.js"
import { counted } from "./size.js"
import { subjectOf } from "./subject.js"
import { duration, milliseconds } from "./time.js"
import { endedWords } from "./transactionWords.js"

/** How an event should feel. */
export type Tone = "good" | "bad" | "waiting" | "quiet"

/** An event in words. All may hold text that agents chose. */
export interface EventWords {
  readonly tone: Tone
  /** What happened, in few words, such as `failed`. */
  readonly what: string
  /** The capability that it is about. */
  readonly capability: string | undefined
  /** What it was done to, such as a path. */
  readonly subject: string | undefined
  /** More about it, such as a reason. */
  readonly detail: string | undefined
}

const text = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : typeof value === "number" ? String(value) : undefined

const joined = (...parts: ReadonlyArray<string | undefined>): string | undefined => {
  const given = parts.filter((part) => part !== undefined)
  return given.length === 0 ? undefined : given.join(": ")
}

const taken = (value: unknown) => typeof value === "number" ? milliseconds(value) : undefined

const toneOfDecision = (decision: string | undefined): Tone =>
  decision === "approved" || decision === "approve" ? "good" : decision?.startsWith("reject") === true ? "bad" : "quiet"

/** How an alert of this severity should feel. */
export const toneOfSeverity = (severity: unknown): Tone =>
  severity === "critical" ? "bad" : severity === "warning" ? "waiting" : "quiet"

const shortOf = (id: unknown) => typeof id === "string" ? shortId(id) : undefined

const plain = (type: string) => type.replaceAll("_", " ")

const wordsOf = ({ data, type }: SupervisionEvent): Omit<EventWords, "capability" | "subject"> => {
  switch (type) {
    case "capability_invoked":
      return { tone: "quiet", what: "started", detail: undefined }
    case "capability_result":
      return data["success"] === false
        ? { tone: "bad", what: "failed", detail: taken(data["duration_ms"]) }
        : { tone: "good", what: "done", detail: taken(data["duration_ms"]) }
    case "capability_error":
      return { tone: "bad", what: "failed", detail: joined(text(data["error_type"]), text(data["message"])) }
    case "policy_violation":
      return { tone: "bad", what: "refused by the policy", detail: text(data["reason"]) ?? text(data["rule"]) }
    case "approval_requested":
      return { tone: "waiting", what: "asks for approval", detail: text(data["reason"]) }
    case "approval_resolved": {
      const decision = text(data["decision"])
      const by = text(data["decided_by"])
      return {
        tone: toneOfDecision(decision),
        what: `${decision ?? "decided"}${by === undefined ? "" : ` by ${by}`}`,
        detail: text(data["reason"])
      }
    }
    case "session_started":
      return { tone: "quiet", what: "connected", detail: text(data["agent_purpose"]) }
    case "session_ended": {
      const seconds = data["duration_seconds"]
      const count = data["capabilities_invoked"]
      return {
        tone: "quiet",
        what: "disconnected",
        detail: typeof seconds === "number" && typeof count === "number"
          ? `after ${duration(seconds)} and ${counted(count, "invocation")}`
          : undefined
      }
    }
    case "rate_limit_hit":
      return { tone: "waiting", what: "hit a rate limit", detail: text(data["capability_pattern"]) }
    case "health_alert":
      return {
        tone: "waiting",
        what: `alert about ${text(data["component"]) ?? "health"}`,
        detail: text(data["message"])
      }
    case "alert_sent":
      return {
        tone: toneOfSeverity(data["severity"]),
        what: "alert",
        detail: joined(text(data["title"]), text(data["message"]))
      }
    case "alert_acknowledged":
      return {
        tone: "quiet",
        what: `alert acknowledged by ${text(data["by"]) ?? "nobody"}`,
        detail: joined(text(data["title"]), text(data["message"]))
      }
    // Savepoints, and those at whose steps nobody looks.
    case "transaction_started":
      return {
        tone: "quiet",
        what: data["parent"] === undefined ? "began a transaction" : "began a savepoint",
        detail: shortOf(data["transaction_id"])
      }
    case "transaction_ended": {
      const { detail, tone, what } = endedWords(data)
      const kind = data["parent"] === undefined ? "transaction" : "savepoint"
      return { tone, what: `${kind} ${what}`, detail: joined(shortOf(data["transaction_id"]), detail) }
    }
    case "entries_lost":
    case "end_lost":
      return { tone: "bad", what: "entries of the audit log are missing", detail: undefined }
    default:
      return { tone: "quiet", what: plain(type), detail: text(data["reason"]) ?? text(data["message"]) }
  }
}

/** An event in words. */
export const eventWords = (event: SupervisionEvent): EventWords => ({
  ...wordsOf(event),
  capability: text(event.data["capability"]),
  subject: subjectOf(event.data["arguments"])
})
