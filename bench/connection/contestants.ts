/** A client that is compared; `name` is its file in `clients/`. */
export interface Contestant {
  readonly name: string
  readonly title: string
  /** What it is measured by. */
  readonly base: string
  readonly transport: "websocket" | "http"
}

/** The bare client comes first: the others are measured by it. */
export const clients: ReadonlyArray<Contestant> = [
  { name: "raw", title: "bare `ws` + JSON", base: "raw", transport: "websocket" },
  { name: "kruxos", title: "kruxos, WebSocket", base: "raw", transport: "websocket" },
  { name: "officialMcp", title: "official MCP client", base: "raw", transport: "websocket" },
  { name: "effectRpc", title: "@effect/rpc", base: "raw", transport: "websocket" },
  { name: "rawHttp", title: "bare `node:http`, keep-alive", base: "rawHttp", transport: "http" },
  { name: "kruxosHttp", title: "kruxos, HTTP", base: "rawHttp", transport: "http" }
]
