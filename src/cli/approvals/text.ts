import * as DateTime from "effect/DateTime"
import * as Schema from "effect/Schema"
import { ApprovalView } from "../../local/supervisor/ApprovalView.js"
import { compactJson, cut, oneLine, prettyJson, printable, shortJson, withTextsCut } from "../text.js"

const leftOut = ({ arguments_length }: ApprovalView): string | undefined =>
  arguments_length === undefined ? undefined : `(${arguments_length} characters: \`kruxos approvals show\` has them)`

/** The arguments of a request on one line, with what is long cut. */
export const argumentsLine = (view: ApprovalView): string => leftOut(view) ?? shortJson(view.arguments)

const time = (at: DateTime.Utc): string => DateTime.formatIso(at)

const endOf = ({ decided_at, decided_by, decision_reason, status, success }: ApprovalView): string => {
  const by = decided_by === undefined || status === "withdrawn" ? "" : ` by ${decided_by}`
  const at = decided_at === undefined ? "" : ` at ${time(decided_at)}`
  const because = decision_reason === undefined || decision_reason === "" ? "" : `: ${cut(decision_reason, 500)}`
  const result = success === undefined ? "" : success ? "; it has succeeded" : "; it has failed"
  return status === "running"
    ? `approved${by}${at}${because}; it runs`
    : `${status}${by}${at}${because}${result}`
}

/** All that is known of a request, for people. */
export const page = (view: ApprovalView): string => {
  const fields: ReadonlyArray<readonly [string, string]> = [
    ["Request", view.id],
    ["Status", endOf(view)],
    ["Agent", view.agent],
    ["Capability", view.capability],
    ["Rule", view.rule],
    ["Reason", view.reason ?? "-"],
    ...(view.transaction_id === undefined ? [] : [["Transaction", view.transaction_id] as const]),
    ["Asked", time(view.created_at)],
    ["Expires", time(view.expires_at)],
    ["SHA-256", view.digest]
  ]
  const lines = fields.map(([name, value]) => `${`${name}:`.padEnd(13)}${oneLine(value)}`)
  const json = prettyJson(withTextsCut(view.arguments, 400))
  return [...lines, "Arguments:", printable(cut(json, 20_000))].join("\n")
}

/** The heading of a table of requests, and their rows. */
export const tableOf = (views: ReadonlyArray<ApprovalView>): ReadonlyArray<ReadonlyArray<string>> => [
  ["ID", "STATUS", "AGENT", "CAPABILITY", "ASKED", "EXPIRES", "ARGUMENTS"],
  ...views.map((view) => [
    view.id,
    view.status,
    view.agent,
    view.capability,
    time(view.created_at),
    time(view.expires_at),
    argumentsLine(view)
  ])
]

/** What has become of a request, on one line. */
export const event = (view: ApprovalView): string => {
  const what = view.status === "pending"
    ? `${view.agent} wants ${view.capability} ${argumentsLine(view)}, until ${time(view.expires_at)}`
    : `${view.capability} of ${view.agent}: ${endOf(view)}`
  return oneLine(`${view.id} ${what}`)
}

const encode = Schema.encodeSync(ApprovalView)

/** Requests as JSON, which is whole. */
export const jsonOf = (views: ReadonlyArray<ApprovalView>): string => prettyJson(views.map((view) => encode(view)))

export const jsonOfOne = (view: ApprovalView): string => prettyJson(encode(view))

export const jsonLine = (view: ApprovalView): string => compactJson(encode(view))
