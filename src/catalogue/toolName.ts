/** The name that a capability has as an MCP tool: `filesystem.read` is `filesystem__read`. */
export const toolName = (capability: string): string => capability.replaceAll(".", "__")

/** The name of the capability that an MCP tool stands for: the inverse of {@link toolName}. */
export const capabilityName = (tool: string): string => tool.replaceAll("__", ".")
