import * as Context from "effect/Context"
import type { AnyCapability } from "../../catalogue/Capability.js"
import type { AnyCatalogue } from "../../catalogue/Catalogue.js"
import { definitionOf } from "../../catalogue/definition.js"
import { type McpTool, mcpTool } from "../../catalogue/mcpTool.js"
import type { Prose } from "../../catalogue/Prose.js"
import type { CapabilityDefinition } from "../../schema/CapabilityDefinition.js"
import type { PolicyService } from "../policy/Policy.js"
import type { Agent } from "../store/Agents.js"

/** What the gateway shows of its capabilities. What the policy blocks for an agent is not shown to it. */
export interface DirectoryService {
  /** The definitions that an agent sees, by name, with the tier that holds for it. */
  readonly definitions: (agent: Agent) => ReadonlyArray<CapabilityDefinition>
  readonly definition: (agent: Agent, name: string) => CapabilityDefinition | undefined
  /** The entry of the catalogue that an agent sees under a name. */
  readonly capability: (agent: Agent, name: string) => AnyCapability | undefined
  /** The same as MCP tools. */
  readonly tools: (agent: Agent) => ReadonlyArray<Omit<McpTool, "outputSchema"> & Partial<McpTool>>
}

export class Directory extends Context.Tag("kruxos/local/Directory")<Directory, DirectoryService>() {}

interface Described {
  readonly prose: Prose<AnyCapability>
  readonly definition: CapabilityDefinition
  readonly tool: McpTool
}

// What is said of a capability is the same at every gateway of a process, and takes long to derive.
const described = new WeakMap<AnyCapability, Described>()

const describe = (capability: AnyCapability, prose: Prose<AnyCapability>): Described => {
  const known = described.get(capability)
  if (known?.prose === prose) return known
  const made = { prose, definition: definitionOf(capability, prose), tool: mcpTool(capability, prose) }
  described.set(capability, made)
  return made
}

/** Makes the directory of a catalogue and its words; definitions and tools are derived once, when somebody first asks for them. */
export const make = (
  catalogue: AnyCatalogue,
  proses: { readonly [name: string]: Prose<AnyCapability> },
  policy: PolicyService
): DirectoryService => {
  const entries = Object.values(catalogue)
    .flatMap((capability) => {
      const prose = proses[capability.name]
      return prose === undefined ? [] : [{ capability, prose }]
    })
    .sort((one, other) => one.capability.name < other.capability.name ? -1 : 1)

  const shownTo = (agent: Agent) => ({ capability, prose }: typeof entries[number]) => {
    const permissionTier = policy.listedTier(agent, capability)
    if (permissionTier === "blocked") return []
    const { definition, tool } = describe(capability, prose)
    return [{ capability, definition: { ...definition, permissionTier }, tool }]
  }

  const visible = (agent: Agent) => entries.flatMap(shownTo(agent))

  const byName = new Map(entries.map((entry) => [entry.capability.name, entry]))

  const entryOf = (agent: Agent, name: string) => {
    const entry = byName.get(name)
    return entry === undefined ? undefined : shownTo(agent)(entry)[0]
  }

  return {
    definitions: (agent) => visible(agent).map(({ definition }) => definition),
    definition: (agent, name) => entryOf(agent, name)?.definition,
    capability: (agent, name) => entryOf(agent, name)?.capability,
    // A client of MCP refuses an answer that does not fit the tool's output schema, and "waits for approval" does not.
    tools: (agent) =>
      visible(agent).map(({ capability, tool: { outputSchema, ...tool } }) =>
        policy.mayRequireApproval(agent, capability) ? tool : { ...tool, outputSchema }
      )
  }
}
