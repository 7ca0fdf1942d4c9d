import * as NodeContext from "@effect/platform-node/NodeContext"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { GatewayServices } from "kruxos"
import { LocalGateway } from "kruxos/local"
import { NodeGateway } from "kruxos/node"

/** Where the suites run: a gateway whose workspace holds what {@link makeWorkspace} puts there. */
export interface GatewayLayer {
  readonly name: string
  readonly layer: Layer.Layer<GatewayServices, unknown>
  /** Whether the gateway can send notifications over this transport. */
  readonly pushes: boolean
}

/** A temporary workspace: a README, a folder with notes, and nothing else. */
export const makeWorkspace = Effect.gen(function*() {
  const files = yield* FileSystem.FileSystem
  const directory = yield* files.makeTempDirectoryScoped({ prefix: "kruxos-suite-" })
  yield* files.makeDirectory(`${directory}/notes`)
  yield* files.writeFileString(`${directory}/README.md`, "# Workspace\n\nA file to read.\n")
  yield* files.writeFileString(`${directory}/notes/one.txt`, "one\n")
  yield* files.writeFileString(`${directory}/notes/two.txt`, "two\n")
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

/** Every way to a gateway that there is so far. */
export const gatewayLayers: ReadonlyArray<GatewayLayer> = [
  { name: "local, in memory", layer: inMemory, pushes: true },
  { name: "local, over a WebSocket", layer: served("websocket"), pushes: true },
  { name: "local, over HTTP", layer: served("http"), pushes: false }
]
