import * as DateTime from "effect/DateTime"
import * as Schema from "effect/Schema"
import { packageVersion } from "../../connection/Options.js"
import type { Session } from "../sessions/Session.js"
import type { Features } from "./methods.js"

const newest = "2025-11-25"

// 2025-03-26 is left out: it demands batches, and a frame of KruxOS holds one message.
const revisions = ["2024-11-05", "2025-06-18", newest]

export const InitializeParams = Schema.Struct({
  protocolVersion: Schema.String,
  clientInfo: Schema.optional(Schema.Struct({ name: Schema.optional(Schema.String) }))
})

/** The result of `initialize`: the client's revision of MCP where the gateway speaks it, else the newest. */
export const initializeResult = (requested: string, { agent, connectedAt, id }: Session, features: Features) => ({
  protocolVersion: revisions.includes(requested) ? requested : newest,
  serverInfo: { name: "kruxos-gateway", version: packageVersion },
  capabilities: {
    tools: { listChanged: true },
    experimental: {
      kruxos: {
        session: { session_id: id, agent: agent.name, created_at: DateTime.formatIso(connectedAt), resumed: false },
        ...features
      }
    }
  }
})
