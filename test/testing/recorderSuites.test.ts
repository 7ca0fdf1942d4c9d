import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"
import { Recorder } from "../../src/testing/recorder/Recorder.js"
import { approvalsSuite } from "../suites/approvals.js"
import { capabilitiesSuite } from "../suites/capabilities.js"
import { type GatewayLayer, gatewayLayers } from "../suites/GatewayLayer.js"
import { stateSuite } from "../suites/state.js"

const folder = fs.mkdtempSync(join(tmpdir(), "kruxos-cassettes-"))

afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

/** What holds for every gateway holds for one that is recorded, and for what was recorded. */
const both = (title: string, suite: (layer: GatewayLayer) => void, layer: GatewayLayer) => {
  const file = join(folder, `${title} (${layer.name}).json`)
  suite({ ...layer, layer: Recorder.layer(file, layer.layer) })
  suite({ ...layer, layer: Recorder.replay(file) })
}

const real = gatewayLayers.filter(({ name }) => name !== "mock")

for (const layer of real) {
  both("capabilities", capabilitiesSuite, layer)
  both("approvals", approvalsSuite, layer)
  both("state", stateSuite, layer)
}
