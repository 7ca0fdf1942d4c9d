import type { AnyCapability } from "../../catalogue/Capability.js"
import type { PermissionTier } from "../../schema/CapabilityDefinition.js"
import { factsOf, type WireInput } from "./conditions.js"
import type { LayerName, RateLimit, Verdict } from "./Layer.js"
import { type Policies, undecided } from "./Policies.js"
import type { Counters } from "./RateCounters.js"
import { strictest, verdictOf } from "./verdicts.js"

/** A rate limit that an invocation would exceed, and that does not say what then holds. */
export interface Exceeded {
  readonly limit: number
  readonly windowSeconds: number
  readonly retryAfterMillis: number
}

/** What the policy makes of an invocation, by which rule, and why. */
export interface Decision {
  /** `blocked` where a rate limit is exceeded. */
  readonly tier: PermissionTier
  readonly rule: string
  readonly reason: string | undefined
  /** Who says so; none where no policy was asked. */
  readonly layer?: LayerName | undefined
  /** Present where the invocation may be made later. */
  readonly exceeded?: Exceeded | undefined
}

/** What is to be decided. */
export interface Question {
  readonly agent: string
  readonly capability: AnyCapability
  readonly input: WireInput
  /** Milliseconds since 1970. */
  readonly now: number
}

const refusal = ({ max, rule, windowSeconds }: RateLimit, layer: LayerName, retryAfterMillis: number): Decision => ({
  tier: "blocked",
  rule,
  reason: `more than ${max} in ${windowSeconds} seconds`,
  layer,
  exceeded: { limit: max, windowSeconds, retryAfterMillis }
})

const waitOf = (decision: Decision | undefined): number => decision?.exceeded?.retryAfterMillis ?? 0

/**
 * Decides what becomes of an invocation: a pure function of the policies, the question and the counters. The strictest layer
 * wins, the first of the equally strict. An exceeded rate limit is stricter than a question to a human, and less strict than a
 * refusal for good.
 */
export const decide = (
  policies: Policies,
  { agent, capability, input, now }: Question,
  counters: Pick<Counters, "fullUntil">
): Decision => {
  const { parts, settled } = policies.of(agent, capability)
  if (settled !== undefined) return settled
  const facts = factsOf(capability, input)
  const verdicts: Array<Verdict> = []
  let refused: Decision | undefined
  for (const part of parts) {
    const verdict = verdictOf(part, facts)
    if (verdict !== undefined) verdicts.push(verdict)
    const limit = part.entry?.rateLimit
    if (limit === undefined) continue
    const wait = (counters.fullUntil(agent, limit) ?? now) - now
    if (wait <= 0) continue
    if (limit.onExceed !== undefined) verdicts.push(limit.onExceed)
    else if (wait > waitOf(refused)) refused = refusal(limit, part.layer.layer, wait)
  }
  const verdict = strictest(verdicts) ?? undecided
  return refused !== undefined && verdict.tier !== "blocked" ? refused : verdict
}
