import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { AnyCapability } from "../../catalogue/Capability.js"
import type { PermissionTier } from "../../schema/CapabilityDefinition.js"
import { type Egress, nowhere } from "../egress/Egress.js"
import type { Agent } from "../store/Agents.js"
import type { Decision } from "./decide.js"
import type { VisibleRule } from "./visibleRules.js"

export type { Decision, Exceeded } from "./decide.js"

/** Decides what an agent may do, by the policies that hold at the time. */
export interface PolicyService {
  /** What becomes of an invocation at a time, in milliseconds since 1970. Counts nothing. */
  readonly decide: (
    agent: Agent,
    capability: AnyCapability,
    input: { readonly [name: string]: unknown },
    now: number
  ) => Decision
  /** Counts an invocation that is about to run against the rate limits on it. */
  readonly count: (agent: Agent, capability: AnyCapability, now: number) => void
  /** The tier to show in a list, where there is no input to look at. */
  readonly listedTier: (agent: Agent, capability: AnyCapability) => PermissionTier
  /** Whether some invocation of it may have to wait for a human. */
  readonly mayRequireApproval: (agent: Agent, capability: AnyCapability) => boolean
  readonly rules: (agent: Agent) => ReadonlyArray<VisibleRule>
  readonly defaultTier: (agent: Agent) => PermissionTier
  /** The hosts that an agent may reach now. */
  readonly egress: (agent: Agent) => Egress
  /**
   * Calls the listener whenever lists show an agent something else than before, from now on until the scope closes. It must neither
   * wait nor throw.
   */
  readonly onChange: (agent: Agent, listener: () => void) => Effect.Effect<void, never, Scope.Scope>
}

export class Policy extends Context.Tag("kruxos/local/Policy")<Policy, PolicyService>() {}

/** Every capability at the tier that the catalogue gives it, whatever files say; no host can be reached. */
export const catalogueTiers = (capabilities: ReadonlyArray<AnyCapability>): PolicyService => ({
  decide: (_agent, { name, tier }) => ({
    tier,
    rule: `catalogue:${name}`,
    reason: tier === "autonomous" || tier === "notify" ? undefined : `${name} is ${tier} unless a policy says otherwise`
  }),
  count: () => undefined,
  listedTier: (_agent, { tier }) => tier,
  mayRequireApproval: (_agent, { tier }) => tier === "approval_required",
  rules: () => capabilities.map(({ name, tier }) => ({ capability: name, tier, reason: undefined })),
  defaultTier: () => "notify",
  egress: () => nowhere,
  onChange: () => Effect.void
})

/** Every capability without asking, whatever files say; but no host can be reached. */
export const allowAll: PolicyService = {
  decide: () => ({ tier: "autonomous", rule: "allow-all", reason: undefined }),
  count: () => undefined,
  listedTier: () => "autonomous",
  mayRequireApproval: () => false,
  rules: () => [{ capability: "*", tier: "autonomous", reason: "the gateway runs with allow-all" }],
  defaultTier: () => "autonomous",
  egress: () => nowhere,
  onChange: () => Effect.void
}
