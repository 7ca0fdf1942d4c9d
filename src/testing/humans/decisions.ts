import * as Duration from "effect/Duration"
import type { Mismatch } from "../script/ScriptMismatch.js"
import type { DecisionOptions, Which } from "./Humans.js"
import type { PendingApproval } from "./PendingApproval.js"

/** What a human says. */
export type Verdict =
  | { readonly _tag: "Approve" }
  | { readonly _tag: "Reject"; readonly reason: string }
  | { readonly _tag: "Expire" }

/** A decision as a test has made it. */
export interface Decision {
  readonly which: Which
  readonly verdict: Verdict
  readonly after: Duration.Duration
  /** How many requests it is still for. */
  left: number
}

/** A request, and the decision that is for it. */
export interface Claim {
  readonly request: PendingApproval
  readonly decision: Decision
}

/** Whether a request is one of those. */
export const fits = (which: Which, request: PendingApproval): boolean =>
  typeof which === "string" ? which === request.approvalId || which === request.capability : which(request)

export const makeDecision = (
  which: Which,
  verdict: Verdict,
  { after = Duration.zero, times = 1 }: DecisionOptions = {}
): Decision => ({ which, verdict, after: Duration.decode(after), left: times })

/** The decisions for requests that no decision is for yet. Those that are found are used. */
export const claim = (
  decisions: ReadonlyArray<Decision>,
  claimed: Set<string>,
  requests: ReadonlyArray<PendingApproval>
): ReadonlyArray<Claim> =>
  requests.flatMap((request) => {
    if (claimed.has(request.approvalId)) return []
    const decision = decisions.find(({ left, which }) => left > 0 && fits(which, request))
    if (decision === undefined) return []
    decision.left--
    claimed.add(request.approvalId)
    return [{ request, decision }]
  })

const longestText = 80

const shortened = (text: string) => text.length > longestText ? `${text.slice(0, longestText - 1)}…` : text

/** Which requests, for a message. */
export const whichText = (which: Which) =>
  typeof which === "string" ? JSON.stringify(which) : shortened(which.toString().replaceAll(/\s+/g, " "))

const textOf = ({ verdict, which }: Decision) => {
  switch (verdict._tag) {
    case "Approve":
      return `humans.approve(${whichText(which)})`
    case "Reject":
      return `humans.reject(${whichText(which)}, ${JSON.stringify(shortened(verdict.reason))})`
    case "Expire":
      return `humans.expire(${whichText(which)})`
  }
}

/** What was not used up. What is for all that come need not be used. */
export const unusedOf = (decisions: ReadonlyArray<Decision>): ReadonlyArray<Mismatch> =>
  decisions.flatMap((decision) =>
    decision.left > 0 && Number.isFinite(decision.left)
      ? [{ _tag: "Unused" as const, what: textOf(decision), left: decision.left }]
      : []
  )
