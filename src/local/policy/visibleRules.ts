import type { AnyCapability } from "../../catalogue/Capability.js"
import type { PermissionTier } from "../../schema/CapabilityDefinition.js"
import { describeCondition } from "./conditions.js"
import type { ConditionalRule, RateLimit } from "./Layer.js"
import type { Policies } from "./Policies.js"
import { possibleVerdicts, strictest } from "./verdicts.js"

/** A rule as `agent.policy` shows it. */
export interface VisibleRule {
  readonly capability: string
  readonly tier: PermissionTier
  readonly reason: string | undefined
  readonly rate_limit?: { readonly max: number; readonly window: number; readonly on_exceed: PermissionTier | null }
}

const sentence = ({ condition, verdict: { reason, tier } }: ConditionalRule): string =>
  `${tier} if ${describeCondition(condition)}${reason === undefined ? "" : ` (${reason})`}`

const rate = ({ max, windowSeconds }: RateLimit): number => max / windowSeconds

const visibleLimit = (limits: ReadonlyArray<RateLimit>): Pick<VisibleRule, "rate_limit"> => {
  const [lowest] = limits.toSorted((one, other) => rate(one) - rate(other))
  return lowest === undefined
    ? {}
    : { rate_limit: { max: lowest.max, window: lowest.windowSeconds, on_exceed: lowest.onExceed?.tier ?? null } }
}

/**
 * What holds for an agent, capability by capability: the listed tier, and what it depends on. Of several rate limits the one
 * that lets least through is shown.
 */
export const visibleRules = (
  policies: Policies,
  agent: string,
  capabilities: ReadonlyArray<AnyCapability>
): ReadonlyArray<VisibleRule> =>
  capabilities.map((capability): VisibleRule => {
    const { listedTier, parts } = policies.of(agent, capability)
    const conditional = parts.flatMap(({ entry }) => entry?.rules ?? []).map(sentence)
    const ofTier = strictest(parts.flatMap(possibleVerdicts).filter(({ tier }) => tier === listedTier))
    return {
      capability: capability.name,
      tier: listedTier,
      reason: conditional.length === 0 ? ofTier?.reason : conditional.join("; "),
      ...visibleLimit(parts.flatMap(({ entry }) => entry?.rateLimit ?? []))
    }
  })
