import * as DateTime from "effect/DateTime"
import * as Schema from "effect/Schema"
import { packageVersion } from "../../connection/Options.js"
import type { Attachment } from "../sessions/attaching.js"
import type { Features } from "./methods.js"

const newest = "2025-11-25"

// 2025-03-26 is left out: it demands batches, and a frame of KruxOS holds one message.
const revisions = ["2024-11-05", "2025-06-18", newest]

export const InitializeParams = Schema.Struct({
  protocolVersion: Schema.String,
  clientInfo: Schema.optional(Schema.Struct({ name: Schema.optional(Schema.String) })),
  experimental: Schema.optional(Schema.Struct({
    kruxos: Schema.optional(Schema.Struct({
      // Null of a client that can resume, and has no session yet.
      resume: Schema.optional(Schema.NullOr(Schema.String.pipe(Schema.maxLength(200))))
    }))
  }))
})

/** The result of `initialize`: the client's revision of MCP where the gateway speaks it, else the newest. */
export const initializeResult = (
  requested: string,
  { isResumed, session: { agent, connectedAt, id } }: Pick<Attachment, "isResumed" | "session">,
  features: Features
) => ({
  protocolVersion: revisions.includes(requested) ? requested : newest,
  serverInfo: { name: "kruxos-gateway", version: packageVersion },
  capabilities: {
    tools: { listChanged: true },
    experimental: {
      kruxos: {
        session: { session_id: id, agent: agent.name, created_at: DateTime.formatIso(connectedAt), resumed: isResumed },
        ...features
      }
    }
  }
})
