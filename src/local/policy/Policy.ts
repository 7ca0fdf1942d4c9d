import * as Context from "effect/Context"
import type { AnyCapability } from "../../catalogue/Capability.js"
import type { PermissionTier } from "../../schema/CapabilityDefinition.js"
import type { Agent } from "../store/Agents.js"

/** What the policy makes of an invocation, by which rule, and why. */
export interface Decision {
  readonly tier: PermissionTier
  readonly rule: string
  readonly reason: string | undefined
}

/** A rule as `agent.policy` shows it. */
export interface VisibleRule {
  readonly capability: string
  readonly tier: PermissionTier
  readonly reason: string | undefined
}

/** Decides what an agent may do. Each is a pure function of its arguments. */
export interface PolicyService {
  readonly decide: (
    agent: Agent,
    capability: AnyCapability,
    input: { readonly [name: string]: unknown }
  ) => Decision
  /** The tier to show in a list, where there is no input to look at. */
  readonly listedTier: (agent: Agent, capability: AnyCapability) => PermissionTier
  readonly rules: (agent: Agent) => ReadonlyArray<VisibleRule>
  readonly defaultTier: PermissionTier
}

export class Policy extends Context.Tag("kruxos/local/Policy")<Policy, PolicyService>() {}

/** Every capability at the tier that the catalogue gives it. */
export const catalogueTiers = (capabilities: ReadonlyArray<AnyCapability>): PolicyService => ({
  decide: (_agent, { name, tier }) => ({
    tier,
    rule: `catalogue:${name}`,
    reason: tier === "autonomous" || tier === "notify" ? undefined : `${name} is ${tier} unless a policy says otherwise`
  }),
  listedTier: (_agent, { tier }) => tier,
  rules: () => capabilities.map(({ name, tier }) => ({ capability: name, tier, reason: undefined })),
  defaultTier: "notify"
})

/** Every capability without asking. */
export const allowAll: PolicyService = {
  decide: () => ({ tier: "autonomous", rule: "allow-all", reason: undefined }),
  listedTier: () => "autonomous",
  rules: () => [{ capability: "*", tier: "autonomous", reason: "the gateway runs with allow-all" }],
  defaultTier: "autonomous"
}
