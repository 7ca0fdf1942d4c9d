import type { AnyCapability } from "../../catalogue/Capability.js"
import type { PermissionTier } from "../../schema/CapabilityDefinition.js"
import * as Egress from "../egress/Egress.js"
import type { Layer, Verdict } from "./Layer.js"
import { patternsOf } from "./patterns.js"
import { isStricter, stricter } from "./tiers.js"
import { type Part, possibleVerdicts, strictest } from "./verdicts.js"

/** The layers that hold at a time. */
export interface Layers {
  readonly system: Layer | undefined
  readonly organization: Layer
  /** By the agents' names in lower case: two agents never differ in case only. */
  readonly agents: ReadonlyMap<string, Layer>
}

/** What the layers have for a capability. */
export interface Resolved {
  readonly parts: ReadonlyArray<Part>
  /** What holds whatever the input and the counters, if that is so. */
  readonly settled: Verdict | undefined
  /** The tier to list: `blocked` if nothing can get through, else the strictest of the others. */
  readonly listedTier: PermissionTier
  /** Whether a human may have to be asked. */
  readonly mayRequireApproval: boolean
}

/** All policies, ready for use. What they have for a capability is worked out once. */
export interface Policies {
  readonly layers: Layers
  readonly of: (agent: string, capability: AnyCapability) => Resolved
  readonly defaultTier: (agent: string) => PermissionTier
  readonly egress: (agent: string) => Egress.Egress
}

/** What nobody has an opinion of does not run. */
export const undecided: Verdict = {
  tier: "blocked",
  rule: "gateway:undecided",
  reason: "no policy says anything about it",
  layer: "system",
  line: 0
}

const templateVerdict = ({ layer, template }: Layer, { name, tier: given }: AnyCapability): Verdict | undefined => {
  if (template === undefined) return undefined
  const tier = template.tierOf(given)
  const reason = isStricter(tier, "notify") ? `${name} is ${tier} unless a policy says otherwise` : undefined
  return { tier, rule: `${layer}:${template.name}`, reason, layer, line: 0 }
}

const partOf = (capability: AnyCapability, patterns: ReadonlyArray<string>) => (layer: Layer): Part => ({
  layer,
  entry: patterns.map((pattern) => layer.entries.get(pattern)).find((entry) => entry !== undefined),
  base: layer.defaults ?? templateVerdict(layer, capability)
})

const leastOf = (verdicts: ReadonlyArray<Verdict>): PermissionTier =>
  verdicts.map(({ tier }) => tier).reduce((one, other) => isStricter(one, other) ? other : one)

const listedTierOf = (possible: ReadonlyArray<ReadonlyArray<Verdict>>): PermissionTier => {
  const isBlocked = possible.length === 0 || possible.some((verdicts) => leastOf(verdicts) === "blocked")
  return isBlocked
    ? "blocked"
    : possible.flat().map(({ tier }) => tier).filter((tier) => tier !== "blocked").reduce(stricter, "autonomous")
}

const resolve = (layers: ReadonlyArray<Layer>, capability: AnyCapability): Resolved => {
  const parts = layers.map(partOf(capability, patternsOf(capability.name)))
  const possible = parts.map(possibleVerdicts).filter((verdicts) => verdicts.length > 0)
  const limits = parts.flatMap(({ entry }) => entry?.rateLimit ?? [])
  const depends = limits.length > 0 || parts.some(({ entry }) => entry !== undefined && entry.rules.length > 0)
  const listedTier = listedTierOf(possible)
  const asks = ({ tier }: Verdict) => tier === "approval_required"
  return {
    parts,
    settled: depends ? undefined : strictest(possible.flat()) ?? undecided,
    listedTier,
    mayRequireApproval: listedTier !== "blocked" &&
      (possible.flat().some(asks) || limits.some(({ onExceed }) => onExceed !== undefined && asks(onExceed)))
  }
}

// Only the organization lets agents out: the other layers restrict it, where they say something.
const hostsOf = ({ allowedHosts, layer }: Layer): ReadonlyArray<Egress.AllowedHosts> =>
  allowedHosts === undefined && layer !== "organization"
    ? []
    : [{ rule: `${layer}:network.allow`, patterns: allowedHosts ?? [] }]

const byCapability = (layers: ReadonlyArray<Layer>) => {
  const known = new Map<string, Resolved>()
  return (capability: AnyCapability): Resolved => {
    const found = known.get(capability.name)
    if (found !== undefined) return found
    const made = resolve(layers, capability)
    known.set(capability.name, made)
    return made
  }
}

/** Joins layers. */
export const join = (layers: Layers): Policies => {
  const shared = [...(layers.system === undefined ? [] : [layers.system]), layers.organization]
  const forAll = byCapability(shared)
  const own = new Map([...layers.agents].map(([agent, layer]) => [agent, byCapability([...shared, layer])]))
  const defaultOf = ({ defaults, template }: Layer) =>
    defaults === undefined && template === undefined ? [] : [defaults?.tier ?? template?.tierOf("notify") ?? "notify"]
  const layersOf = (agent: string) => {
    const layer = layers.agents.get(agent.toLowerCase())
    return layer === undefined ? shared : [...shared, layer]
  }
  return {
    layers,
    of: (agent, capability) => (own.size === 0 ? forAll : own.get(agent.toLowerCase()) ?? forAll)(capability),
    defaultTier: (agent) => layersOf(agent).flatMap(defaultOf).reduce(stricter, "autonomous"),
    egress: (agent) => Egress.make(layersOf(agent).flatMap(hostsOf))
  }
}
