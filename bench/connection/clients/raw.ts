import { once } from "node:events"
import { WebSocket } from "ws"
import { textOf } from "../textOf.js"
import type { Client } from "./Client.js"
import { clientOf, type Connection } from "./promises.js"

/** What is asked, over and over. */
export interface Question {
  readonly method: string
  readonly params: unknown
}

interface Pending {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
}

/** A connection that may ask anything. */
export interface Line {
  readonly request: (method: string, params: unknown) => Promise<unknown>
  readonly close: () => Promise<void>
}

/** The least that asks over a WebSocket: ids, a Map of what is pending, JSON. */
export const dial = async (url: string, headers = {}): Promise<Line> => {
  const socket = new WebSocket(url, { headers, perMessageDeflate: false })
  const pending = new Map<number, Pending>()
  let lastId = 0
  const request = (method: string, params: unknown) =>
    new Promise<unknown>((resolve, reject) => {
      if (socket.readyState !== socket.OPEN) return reject(new Error("closed"))
      const id = ++lastId
      pending.set(id, { resolve, reject })
      socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }))
    })
  socket.on("message", (data) => {
    const { error, id, result } = JSON.parse(textOf(data))
    const call = pending.get(id)
    if (call === undefined) return
    pending.delete(id)
    if (error === undefined) call.resolve(result)
    else call.reject(new Error(error.message))
  })
  socket.on("error", () => {})
  socket.on("close", () => {
    for (const call of pending.values()) call.reject(new Error("closed"))
    pending.clear()
  })
  await once(socket, "open")
  const clientInfo = { name: "raw", version: "1" }
  await request("initialize", { protocolVersion: "2024-11-05", clientInfo, capabilities: {} })
  socket.send("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}")
  return {
    request,
    close: async () => {
      socket.close(1000)
      await once(socket, "close")
    }
  }
}

/** A connection that asks the same over and over. */
export const connect = async (url: string, { method, params }: Question, headers = {}): Promise<Connection> => {
  const { close, request } = await dial(url, headers)
  return { call: () => request(method, params), close }
}

/** A bare WebSocket and JSON: what everything else is measured by. */
export const client: Client = {
  ...clientOf((url) =>
    connect(url, { method: "capabilities.invoke", params: { capability: "system.time", arguments: {} } })
  ),
  redials: true
}
