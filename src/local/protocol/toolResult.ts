import type { WireError } from "../../errors/encode.js"
import { Written } from "./answer.js"

const textOf = (text: string) => [{ type: "text", text }]

/** An output as KruxOS shows it to MCP: reading a file gives the bare content, everything else JSON. */
export const outputResult = (capability: string, output: unknown): Written => {
  const json = JSON.stringify(output)
  const text = capability === "filesystem.read" && typeof output === "object" && output !== null &&
      "content" in output && typeof output.content === "string"
    ? output.content
    : json
  // The output is in it twice, and made into JSON once.
  return new Written(`{"content":${JSON.stringify(textOf(text))},"structuredContent":${json}}`)
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
