import * as DateTime from "effect/DateTime"
import type { SupervisionEvent } from "../../local/supervision/SupervisionEvent.js"
import { type EventTransaction, shortId, transactionOf } from "../../local/supervision/transactionOf.js"
import { cut, oneLine, shortJson } from "../text.js"
import { timeText } from "../timeText.js"

type Data = SupervisionEvent["data"]

const longestText = 300

const text = (data: Data, name: string): string | undefined => {
  const value = data[name]
  return typeof value === "string" && value !== "" ? cut(value, longestText) : undefined
}

const number = (data: Data, name: string): number | undefined => {
  const value = data[name]
  return typeof value === "number" ? value : undefined
}

/** The parts that there are, with a space between them. */
const words = (...parts: ReadonlyArray<string | undefined>): string =>
  parts.filter((part) => part !== undefined && part !== "").join(" ")

const becauseOf = (reason: string | undefined) => reason === undefined ? undefined : `because: ${reason}`

const tierOf = (tier: string | undefined) => tier === undefined || tier === "autonomous" ? undefined : `(${tier})`

const argumentsOf = (data: Data) => data["arguments"] === undefined ? undefined : shortJson(data["arguments"])

const what = (data: Data) => words(text(data, "capability"), argumentsOf(data))

const lengthOf = (data: Data): string | undefined => {
  const millis = number(data, "duration_ms")
  return millis === undefined ? undefined : timeText(millis / 1000)
}

const succeeded = (data: Data) => {
  const length = lengthOf(data)
  return words(what(data), length === undefined ? undefined : `in ${length}`)
}

const hasFailed = (data: Data) => {
  const length = lengthOf(data)
  const error = `${text(data, "error_type") ?? "Error"}: ${text(data, "message") ?? "no message"}`
  return words(what(data), error, length === undefined ? undefined : `(${length})`)
}

const hasLeft = (data: Data) => {
  const invocations = number(data, "capabilities_invoked") ?? 0
  return words(
    text(data, "session_id"),
    `after ${timeText(number(data, "duration_seconds") ?? 0)} and ${invocations} ${
      invocations === 1 ? "invocation" : "invocations"
    }`
  )
}

const isSavepoint = (data: Data) => data["parent"] !== undefined

const leftOf = (data: Data, name: string, what: string) => {
  const count = number(data, name) ?? 0
  return count === 0 ? undefined : `${count} ${what}`
}

const transactionEnded = (data: Data) => {
  const steps = number(data, "steps") ?? 0
  const length = lengthOf(data)
  const left = [leftOf(data, "not_reversible", "not reversible"), leftOf(data, "conflicts", "in conflict")]
    .filter((part) => part !== undefined)
  return words(
    isSavepoint(data) ? "a savepoint" : "a transaction",
    `of ${steps} ${steps === 1 ? "step" : "steps"}`,
    length === undefined ? undefined : `in ${length}`,
    text(data, "outcome") === "committed" ? undefined : becauseOf(text(data, "reason")),
    left.length === 0 ? undefined : `(${left.join(", ")})`
  )
}

const titleOf = (data: Data) => {
  const title = text(data, "title")
  return title === undefined ? undefined : `${title}:`
}

/** What an event is called, and what is to be said of it. */
const sayings: { readonly [type: string]: (data: Data) => readonly [word: string, rest: string] } = {
  capability_invoked: (data) => [
    "invokes",
    words(text(data, "capability"), tierOf(text(data, "permission_tier")), argumentsOf(data))
  ],
  capability_result: (data) => ["succeeds", succeeded(data)],
  capability_error: (data) => ["fails", hasFailed(data)],
  policy_violation: (data) => [
    "denied",
    words(what(data), `by ${text(data, "rule") ?? "the policy"}`, becauseOf(text(data, "reason")))
  ],
  approval_requested: (data) => [
    "asks",
    words(text(data, "approval_id"), what(data), becauseOf(text(data, "reason")))
  ],
  approval_resolved: (data) => [
    text(data, "decision") ?? "decided",
    words(text(data, "approval_id"), what(data), `by ${text(data, "decided_by") ?? "nobody"}`)
  ],
  session_started: (data) => ["connects", words(text(data, "session_id"), text(data, "agent_purpose"))],
  session_ended: (data) => ["leaves", hasLeft(data)],
  rate_limit_hit: (data) => [
    "limited",
    words(
      text(data, "capability_pattern"),
      `to ${number(data, "limit") ?? "?"} in ${number(data, "window") ?? "?"} s;`,
      `again in ${number(data, "retry_after_seconds") ?? "?"} s`
    )
  ],
  transaction_started: (data) => [
    "begins",
    words(isSavepoint(data) ? "a savepoint" : "a transaction", `for ${timeText(number(data, "timeout_seconds") ?? 0)}`)
  ],
  transaction_ended: (data) => [text(data, "outcome") === "committed" ? "commits" : "undoes", transactionEnded(data)],
  write_buffered: (data) => [
    "buffers",
    words(text(data, "write_id"), text(data, "service"), text(data, "operation"), "until", text(data, "buffer_until"))
  ],
  health_alert: (data) => ["alert", words(text(data, "severity"), text(data, "component"), text(data, "message"))],
  alert_sent: (data) => ["alert", words(text(data, "severity"), titleOf(data), text(data, "message"))],
  alert_acknowledged: (
    data
  ) => ["settles", words(titleOf(data), text(data, "message"), `by ${text(data, "by") ?? "nobody"}`)]
}

const sayingOf = ({ data, type }: SupervisionEvent): readonly [word: string, rest: string] =>
  Object.hasOwn(sayings, type) ? sayings[type]?.(data) ?? [type, ""] : [cut(type, 40), shortJson(data)]

const widestAgent = 24

// Also where lines of other agents stand between them it shows which belong together.
const tagOf = ({ id, root }: EventTransaction) => id === root ? `[${shortId(id)}]` : `[${shortId(root)}/${shortId(id)}]`

/**
 * Makes what says of an event on one line when it was, who did it and what, behind the short id of its transaction if it has one; the
 * lines that it makes line up, if they can.
 */
export const makeLine = (): (event: SupervisionEvent) => string => {
  let agentWidth = 8
  return (event) => {
    const agent = oneLine(cut(event.agent ?? "-", 64))
    agentWidth = Math.max(agentWidth, Math.min(agent.length, widestAgent))
    const [word, rest] = sayingOf(event)
    const transaction = transactionOf(event)
    return [
      DateTime.formatIso(event.timestamp),
      agent.padEnd(agentWidth),
      ...(transaction === undefined ? [] : [oneLine(tagOf(transaction))]),
      oneLine(word).padEnd(9),
      oneLine(rest)
    ].join("  ").trimEnd()
  }
}
