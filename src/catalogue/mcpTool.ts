import type { AnyCapability } from "./Capability.js"
import { inputJsonSchema, type ObjectJsonSchema, outputJsonSchema } from "./jsonSchema.js"
import type { Prose } from "./Prose.js"
import { isReplayable } from "./replayable.js"
import { toolName } from "./toolName.js"

/** A capability as an MCP tool. */
export interface McpTool {
  readonly name: string
  readonly description: string
  readonly inputSchema: ObjectJsonSchema
  /**
   * A client of MCP refuses a result without isError whose `structuredContent` is missing or does not fit this, so it
   * accepts all that the capability's output schema encodes.
   */
  readonly outputSchema: ObjectJsonSchema
  readonly annotations: {
    readonly title: string
    readonly readOnlyHint: boolean
    readonly destructiveHint: boolean
    readonly idempotentHint: boolean
    readonly openWorldHint: boolean
  }
}

// Doing the same again, when nothing else happened in between, leaves everything as the first time left it: the second
// call writes the same, or fails and changes nothing.
const settled = new Set([
  "alerts.acknowledge",
  "filesystem.write",
  "filesystem.copy",
  "filesystem.move",
  "filesystem.delete",
  "filesystem.restore",
  "git.branch",
  "git.clone",
  "git.commit",
  "git.init",
  "git.pull",
  "git.push",
  "network.download",
  "proxy.cancel_write",
  "scheduler.cron_delete",
  "slack.react",
  "slack.remove_react",
  "state.persistent.delete",
  "state.session.clear",
  "state.session.delete",
  "state.session.set",
  "state.shared.delete",
  "state.shared.set"
])

// They are tagged neither `safe` nor `read`, and yet all that they do is look.
const looking = new Set(["process.list", "process.logs", "process.monitor"])

const onlyLooks = (capability: AnyCapability) =>
  isReplayable(capability) ||
  (capability.sideEffects.length === 0 && (capability.tags.includes("read") || looking.has(capability.name)))

// No side effect is documented of some capabilities that do more than look, such as a request with any method: of those the
// worst is assumed, as by a client of MCP that finds no hint.
const isDestructive = (capability: AnyCapability) =>
  !onlyLooks(capability) && (
    capability.sideEffects.length === 0 ||
    capability.sideEffects.includes("not reversible") ||
    capability.tags.includes("destructive")
  )

const outsideTags = ["egress", "external", "network", "email", "slack"]

const titleOf = (name: string) => {
  const words = name.split(".").map((part) => part.replaceAll("_", " "))
  const [category = "", ...rest] = words
  return `${category.charAt(0).toUpperCase()}${category.slice(1)}: ${rest.join(" ")}`
}

/**
 * The MCP tool of a capability. The hints say what holds for every call: it only reads, it does what nothing undoes, a
 * repeat changes nothing more, it reaches beyond the machine.
 */
export const mcpTool = (capability: AnyCapability, prose: Prose<AnyCapability>): McpTool => ({
  name: toolName(capability.name),
  description: `${prose.purpose} ${prose.whenToUse}`,
  inputSchema: inputJsonSchema(capability, prose),
  outputSchema: outputJsonSchema(capability, prose),
  annotations: {
    title: titleOf(capability.name),
    readOnlyHint: isReplayable(capability),
    destructiveHint: isDestructive(capability),
    idempotentHint: onlyLooks(capability) || settled.has(capability.name),
    openWorldHint: outsideTags.some((tag) => capability.tags.includes(tag))
  }
})
