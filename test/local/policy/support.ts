import * as Either from "effect/Either"
import { builtIn } from "../../../src/catalogue/builtIn.js"
import type { AnyCapability } from "../../../src/catalogue/Capability.js"
import { templateLayer } from "../../../src/local/policy/compile.js"
import { decide, type Decision } from "../../../src/local/policy/decide.js"
import { formatProblem } from "../../../src/local/policy/InvalidPolicy.js"
import type { Layer, LayerName } from "../../../src/local/policy/Layer.js"
import { parsePolicy } from "../../../src/local/policy/parse.js"
import { join, type Policies } from "../../../src/local/policy/Policies.js"
import * as RateCounters from "../../../src/local/policy/RateCounters.js"
import { type TemplateName, templates } from "../../../src/local/policy/templates.js"

export const capabilities: ReadonlyArray<AnyCapability> = Object.values(builtIn)

export const capability = (name: string): AnyCapability => {
  const found = capabilities.find((one) => one.name === name)
  if (found === undefined) throw new Error(`no capability ${name}`)
  return found
}

/** The policy that a text holds, which has to be a good one. */
export const layerOf = (text: string, layer: LayerName = "organization"): Layer =>
  Either.getOrThrowWith(parsePolicy(text, "policy.yaml", { layer }), (error) => error)

/** What is wrong with a text, each as `file:line:column: message`. */
export const problemsOf = (text: string, layer: LayerName = "organization", agent?: string): ReadonlyArray<string> =>
  Either.match(parsePolicy(text, "policy.yaml", { layer, agent }), {
    onLeft: ({ problems }) => problems.map(formatProblem),
    onRight: () => []
  })

export interface Texts {
  readonly system?: string
  readonly organization?: string
  readonly template?: TemplateName
  /** The policy of the agent `agent`. */
  readonly agent?: string
}

export const policiesOf = ({ agent, organization, system, template = "team-moderate" }: Texts): Policies =>
  join({
    system: system === undefined ? undefined : layerOf(system, "system"),
    organization: organization === undefined
      ? templateLayer(templates[template], "organization")
      : layerOf(organization),
    agents: new Map(agent === undefined ? [] : [["agent", layerOf(agent, "agent")]])
  })

/** What is decided when nothing has been counted. */
export const decided = (
  policies: Policies,
  name: string,
  input: { readonly [name: string]: unknown } = {},
  agent = "agent"
): Decision => decide(policies, { agent, capability: capability(name), input, now: 0 }, RateCounters.make())
