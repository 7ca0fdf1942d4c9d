import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Core, obeying } from "./Child.js"
import type { Programs } from "./compile.js"
import { startGateway } from "./gatewayProcess.js"
import type { Samples } from "./Samples.js"
import { kinds, ways, writesName } from "./writes.js"

const repeats = 10

/** Ten writes as one transaction, and the same ten alone. */
export const measureTransactions = async (programs: Programs, samples: Samples, rounds: number): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), "kruxos-bench-transactions-"))
  try {
    const gateway = await startGateway(folder)
    const transactor = obeying(Core.client, [programs.transactor, gateway.url, gateway.key])
    await transactor.ask("open")
    for (let round = -1; round < rounds * repeats; round++) {
      for (const [index, kind] of kinds.entries()) {
        for (const way of ways) {
          // oxlint-disable-next-line no-await-in-loop -- by turns
          const [millis = Number.NaN] = await transactor.ask(way, index)
          // The first warms up.
          if (round >= 0) samples.add("writes", writesName(kind, way), millis)
        }
      }
    }
    await Promise.all([transactor.end(), gateway.end()])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
