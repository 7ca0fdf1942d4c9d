import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { WebSocketClientTransport } from "@modelcontextprotocol/sdk/client/websocket.js"
import { WebSocket } from "ws"
import { clientOf } from "./promises.js"

// The transport takes the platform's WebSocket, which Node 20 has not.
Object.assign(globalThis, { WebSocket })

/** The official MCP client over its own WebSocket transport. */
export const client = clientOf(async (url) => {
  const mcp = new Client({ name: "official", version: "1" })
  await mcp.connect(new WebSocketClientTransport(new URL(url)))
  return {
    call: () => mcp.callTool({ name: "system__time", arguments: {} }),
    close: () => mcp.close()
  }
})
