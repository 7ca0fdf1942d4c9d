import * as NodeContext from "@effect/platform-node/NodeContext"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { GatewayServices } from "kruxos"
import { LocalGateway } from "kruxos/local"
import { NodeGateway } from "kruxos/node"
import { dirname } from "node:path"
import { mock } from "./mock.js"
import { workspaceFiles } from "./workspaceFiles.js"

/** Where the suites run: a gateway whose workspace holds what {@link makeWorkspace} puts there. */
export interface GatewayLayer {
  readonly name: string
  readonly layer: Layer.Layer<GatewayServices, unknown>
  /** Whether the gateway can send notifications over this transport. */
  readonly pushes: boolean
  /** Whether an MCP client can connect to it. */
  readonly hasUrl: boolean
}

/** A temporary workspace with {@link workspaceFiles}. */
export const makeWorkspace = Effect.gen(function*() {
  const files = yield* FileSystem.FileSystem
  const directory = yield* files.makeTempDirectoryScoped({ prefix: "kruxos-suite-" })
  for (const [path, content] of Object.entries(workspaceFiles)) {
    yield* files.makeDirectory(dirname(`${directory}/${path}`), { recursive: true })
    yield* files.writeFileString(`${directory}/${path}`, content)
  }
  return directory
}).pipe(Effect.provide(NodeContext.layer))

const inMemory = Layer.unwrapScoped(
  Effect.map(makeWorkspace, (workspace) => LocalGateway.layer({ workspace, dataDirectory: ":memory:" }))
)

const served = (transport: "websocket" | "http") =>
  Layer.unwrapScoped(Effect.gen(function*() {
    const workspace = yield* makeWorkspace
    const { apiKey, url } = yield* LocalGateway.serve({ workspace, dataDirectory: ":memory:", port: 0 })
    return NodeGateway.layer({ host: url, apiKey, transport })
  }))

/** Every way to a gateway that there is. */
export const gatewayLayers: ReadonlyArray<GatewayLayer> = [
  { name: "local, in memory", layer: inMemory, pushes: true, hasUrl: false },
  { name: "local, over a WebSocket", layer: served("websocket"), pushes: true, hasUrl: true },
  { name: "local, over HTTP", layer: served("http"), pushes: false, hasUrl: true },
  { name: "mock", layer: mock, pushes: true, hasUrl: false }
]
