import { createServer, type IncomingMessage } from "node:http"
import type { Duplex } from "node:stream"
import { WebSocketServer } from "ws"
import { textOf } from "../textOf.js"
import { obey, sharedNow } from "./obey.js"

const time = JSON.stringify({
  utc: "2026-11-03T09:30:00.000Z",
  local: null,
  timezone: "UTC",
  unix_epoch: 1_793_698_200,
  unix_epoch_ms: 1_793_698_200_000
})

const session = JSON.stringify({ session_id: "session-1", agent: "agent", resumed: false })

const initialized = JSON.stringify({
  protocolVersion: "2024-11-05",
  serverInfo: { name: "minimal", version: "1" },
  capabilities: { tools: {}, experimental: { kruxos: { session: JSON.parse(session), native: {} } } }
})

// Written once: answering costs the server a concatenation, whoever asks.
const results = new Map([
  ["capabilities.invoke", `{"success":true,"data":${time}}`],
  ["tools/call", `{"content":[{"type":"text","text":${JSON.stringify(time)}}]}`],
  ["initialize", initialized],
  ["session.create", `{"session_id":"session-1","agent":"agent","features":{"native":{}}}`],
  ["session.end", "{}"],
  ["ping", "{}"]
])

interface Asked {
  readonly id?: number | string
  readonly method?: string
  readonly _tag?: string
}

const invoking = new Set(["capabilities.invoke", "tools/call"])

/** The answer, or nothing for what is none's business to answer. */
const answerTo = ({ _tag, id, method }: Asked): string | undefined => {
  // The messages of Effect's RPC.
  if (_tag === "Request") {
    return `{"_tag":"Exit","requestId":${JSON.stringify(id)},"exit":{"_tag":"Success","value":${time}}}`
  }
  if (_tag === "Ping") return "{\"_tag\":\"Pong\"}"
  if (id === undefined || method === undefined) return undefined
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${results.get(method) ?? "null"}}`
}

let held: Array<() => void> = []
let holding = 0
let allHeld = () => {}

const isCall = ({ _tag, method = "" }: Asked) => _tag === "Request" || invoking.has(method)

const sockets = new Set<Duplex>()

const upgrades = new WebSocketServer({ noServer: true, perMessageDeflate: false })

const converse = (request: IncomingMessage, socket: Duplex, head: Buffer) =>
  upgrades.handleUpgrade(request, socket, head, (webSocket) => {
    let corked = false
    // What is answered in one go is written in one go.
    const send = (text: string) => {
      if (!corked) {
        corked = true
        socket.cork()
        process.nextTick(() => {
          corked = false
          socket.uncork()
        })
      }
      webSocket.send(text)
    }
    webSocket.on("message", (data) => {
      const asked: Asked = JSON.parse(textOf(data))
      const answer = answerTo(asked)
      if (answer === undefined) return
      if (held.length >= holding || !isCall(asked)) return send(answer)
      held.push(() => send(answer))
      if (held.length === holding) allHeld()
    })
    webSocket.on("error", () => {})
  })

const server = createServer((request, response) => {
  let body = ""
  request.setEncoding("utf8")
  request.on("data", (chunk) => {
    body += chunk
  })
  request.on("end", () => {
    const asked: Asked | Array<Asked> = JSON.parse(body)
    const text = Array.isArray(asked) ? `[${asked.map(answerTo).join(",")}]` : answerTo(asked)
    response.writeHead(200, { "content-type": "application/json" }).end(text)
  })
})

server.keepAliveTimeout = 600_000
server.on("upgrade", converse)
server.on("connection", (socket) => {
  sockets.add(socket)
  socket.on("close", () => sockets.delete(socket))
})

obey({
  listen: () =>
    new Promise((resolve) =>
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resolve([typeof address === "object" && address !== null ? address.port : 0])
      })
    ),
  // From now on calls wait; it ends when that many do.
  hold: (count = 0) => {
    holding = count
    held = []
    return new Promise((resolve) => {
      allHeld = () => resolve([])
    })
  },
  release: async () => {
    holding = 0
    for (const answer of held.splice(0)) answer()
    return []
  },
  // Ends every connection without a word, and says when.
  cut: async () => {
    for (const socket of sockets) socket.destroy()
    return [sharedNow()]
  }
})
