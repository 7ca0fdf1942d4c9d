import type { WireError } from "../../errors/encode.js"

/** The result of MCP's `tools/call`. */
export interface ToolResult {
  readonly content: ReadonlyArray<{ readonly type: "text"; readonly text: string }>
  readonly structuredContent?: unknown
  readonly isError?: boolean
}

const textOf = (text: string): ToolResult["content"] => [{ type: "text", text }]

/** An output as KruxOS shows it to MCP: reading a file gives the bare content, everything else JSON. */
export const outputResult = (capability: string, output: unknown): ToolResult => {
  const content = capability === "filesystem.read" && typeof output === "object" && output !== null &&
      "content" in output && typeof output.content === "string"
    ? output.content
    : JSON.stringify(output)
  return { content: textOf(content), structuredContent: output }
}

/** A failure as KruxOS shows it to MCP: a pending approval is no error, everything else is. */
export const failureResult = (
  capability: string,
  { context, message, recovery, retry_after, retryable, type }: WireError
) =>
  type === "ApprovalPending"
    ? {
      content: textOf(JSON.stringify({
        status: "pending_approval",
        approval_id: context["approval_id"],
        capability,
        message
      }))
    }
    : {
      isError: true,
      content: textOf(JSON.stringify({ error: type, message, recovery, retryable, retry_after, context }))
    }
