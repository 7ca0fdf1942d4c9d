import { Server } from "@modelcontextprotocol/sdk/server/index.js"
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js"
import {
  CallToolRequestSchema,
  type JSONRPCMessage,
  JSONRPCMessageSchema,
  ListToolsRequestSchema
} from "@modelcontextprotocol/sdk/types.js"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { type WebSocket, WebSocketServer } from "ws"
import { textOf } from "../textOf.js"
import { obey } from "./obey.js"

const workspace = process.argv[2] ?? ""

/** The official package has no WebSocket transport for servers: this is its client's, turned around. */
class WebSocketTransport implements Transport {
  onclose?: () => void
  onerror?: (error: Error) => void
  onmessage?: (message: JSONRPCMessage) => void
  readonly #socket: WebSocket

  constructor(socket: WebSocket) {
    this.#socket = socket
  }

  async start() {
    this.#socket.on("close", () => this.onclose?.())
    this.#socket.on("error", (error) => this.onerror?.(error))
    this.#socket.on("message", (data) => {
      const message = JSONRPCMessageSchema.safeParse(JSON.parse(textOf(data)))
      if (message.success) this.onmessage?.(message.data)
      else this.onerror?.(message.error)
    })
  }

  async send(message: JSONRPCMessage) {
    this.#socket.send(JSON.stringify(message))
  }

  async close() {
    this.#socket.close()
  }
}

const result = (text: string, structuredContent: { [key: string]: unknown }) => ({
  content: [{ type: "text", text }],
  structuredContent
})

const time = () => {
  const now = new Date()
  const milliseconds = now.getTime()
  const output = {
    utc: now.toISOString(),
    local: null,
    timezone: "UTC",
    unix_epoch: Math.floor(milliseconds / 1000),
    unix_epoch_ms: milliseconds
  }
  return result(JSON.stringify(output), output)
}

const read = async (path: string) => {
  const content = await readFile(join(workspace, path.slice("/workspace".length)), "utf8")
  return result(content, { content, size: content.length })
}

const inputSchema = { type: "object", properties: { path: { type: "string" } } }

const serverFor = () => {
  const server = new Server({ name: "official", version: "1" }, { capabilities: { tools: {} } })
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: ["system__time", "filesystem__read"].map((name) => ({ name, inputSchema }))
  }))
  server.setRequestHandler(
    CallToolRequestSchema,
    ({ params }) => params.name === "system__time" ? time() : read(String(params.arguments?.["path"]))
  )
  return server
}

obey({
  listen: () =>
    new Promise((resolve) => {
      const sockets = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false })
      sockets.on("connection", (socket) => void serverFor().connect(new WebSocketTransport(socket)))
      sockets.on("listening", () => {
        const address = sockets.address()
        resolve([typeof address === "object" && address !== null ? address.port : 0])
      })
    })
})
