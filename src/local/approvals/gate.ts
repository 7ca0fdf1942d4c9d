import canonicalize from "canonicalize"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { createHash } from "node:crypto"
import { ApprovalRequired, InvalidInput } from "../../errors/general.js"
import type { Decision } from "../policy/Policy.js"
import { storeUnavailable } from "../store/agentFailure.js"
import type { Agent } from "../store/Agents.js"
import { ApprovalRequests } from "../store/Approvals.js"

/** What a human approves: exactly these arguments, by the SHA-256 of their canonical JSON (RFC 8785). */
export const digestOf = (input: unknown): Either.Either<string, InvalidInput> =>
  Either.try({
    try: () => createHash("sha256").update(canonicalize(input) ?? "").digest("hex"),
    // Neither half a character nor a number without end has a form that all agree on.
    catch: (cause) =>
      new InvalidInput({ message: "The arguments hold text or a number that cannot be written as JSON", cause })
  })

/** Puts the invocation into the queue for a human, for 24 hours. */
export const requestApproval = (
  agent: Agent,
  capability: string,
  input: { readonly [name: string]: unknown },
  { reason, rule }: Decision
) =>
  Effect.gen(function*() {
    const requests = yield* ApprovalRequests
    const digest = yield* digestOf(input)
    const now = yield* DateTime.now
    const record = yield* Effect.mapError(
      requests.request({
        agent: agent.name,
        capability,
        arguments: input,
        digest,
        rule,
        reason,
        expiresAt: DateTime.add(now, { hours: 24 })
      }),
      storeUnavailable
    )
    return new ApprovalRequired({
      message: `${capability} waits for a human's approval (${record.approvalId})`,
      approvalId: record.approvalId,
      capability,
      context: { expires_at: DateTime.formatIso(record.expiresAt) }
    })
  })
