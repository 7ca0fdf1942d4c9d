import { Agent, request } from "node:http"
import { clientOf } from "./promises.js"

/** Node's HTTP client with sockets that are kept, and JSON. */
export const client = clientOf(async (url) => {
  const agent = new Agent({ keepAlive: true })
  const { hostname, port } = new URL(url)
  const headers = { "content-type": "application/json", authorization: "Bearer key" }
  let lastId = 0
  const ask = (method: string, params: unknown) =>
    new Promise<{ readonly session_id: string }>((resolve, reject) => {
      const body = JSON.stringify({ jsonrpc: "2.0", id: ++lastId, method, params })
      const asking = request({ agent, hostname, port, path: "/rpc", method: "POST", headers }, (response) => {
        let text = ""
        response.setEncoding("utf8")
        response.on("data", (chunk) => {
          text += chunk
        })
        response.on("end", () => resolve(JSON.parse(text).result))
      })
      asking.on("error", reject)
      asking.end(body)
    })
  const { session_id } = await ask("session.create", {})
  return {
    call: () => ask("capabilities.invoke", { capability: "system.time", arguments: {}, session_id }),
    close: async () => {
      await ask("session.end", { session_id })
      agent.destroy()
    }
  }
})
