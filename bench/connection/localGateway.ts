import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Effort } from "./calls.js"
import { Core, obeying } from "./Child.js"
import type { Programs } from "./compile.js"
import { startGateway, workspaceIn } from "./gatewayProcess.js"
import { listening } from "./minimal.js"
import type { Samples } from "./Samples.js"

const file = "notes.txt"

const text = "A line of a file that is neither long nor short, of 64 letters.\n".repeat(16)

const width = 64

const tool = (name: string, args: object) => ({ method: "tools/call", params: { name, arguments: args } })

const native = (capability: string, args: object) => ({
  method: "capabilities.invoke",
  params: { capability, arguments: args }
})

const path = `/workspace/${file}`

const tools = [tool("system__time", {}), tool("filesystem__read", { path })]

/** The names under which servers are in the samples. */
export const servers = [
  { name: "officialServer", title: "official MCP Server, `tools/call`" },
  { name: "gatewayTools", title: "local gateway, `tools/call`" },
  { name: "gatewayNative", title: "local gateway, `capabilities.invoke`" }
] as const

/** The local gateway as a server, beside the official one with equal tools; the bare client asks both. */
export const measureServers = async (
  programs: Programs,
  samples: Samples,
  { millis, rounds }: Effort
): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), "kruxos-bench-"))
  const workspace = workspaceIn(folder)
  writeFileSync(join(workspace, file), text)
  try {
    const official = await listening([programs.server("officialServer"), workspace])
    const gateway = await startGateway(folder)
    const { key, url } = gateway
    const asker = obeying(Core.client, [
      programs.asker,
      JSON.stringify([
        { url: official.url, key: "key", questions: tools },
        { url, key, questions: tools },
        { url, key, questions: [native("system.time", {}), native("filesystem.read", { path })] }
      ])
    ])
    await asker.ask("open")
    for (let round = -1; round < rounds; round++) {
      for (const [question, figure] of (["serverTime", "serverRead"] as const).entries()) {
        for (const [index, { name }] of servers.entries()) {
          // oxlint-disable-next-line no-await-in-loop -- by turns
          const [callsPerSecond = Number.NaN] = await asker.ask("throughput", index * 2 + question, width, millis)
          // The first warms up.
          if (round >= 0) samples.add(figure, name, callsPerSecond)
        }
      }
    }
    await Promise.all([asker.end(), official.end(), gateway.end()])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
