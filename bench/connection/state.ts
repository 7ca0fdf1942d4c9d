import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Effort } from "./calls.js"
import { Core, obeying } from "./Child.js"
import type { Programs } from "./compile.js"
import { startGateway } from "./gatewayProcess.js"
import type { Samples } from "./Samples.js"
import { bareOperations, operations, sqliteName, stateName, widths } from "./stateOperations.js"

/** Reading and writing state at the local gateway, and at the same database without it. */
export const measureState = async (programs: Programs, samples: Samples, { millis, rounds }: Effort): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), "kruxos-bench-state-"))
  try {
    const gateway = await startGateway(folder)
    const sqlite = obeying(Core.server, [programs.sqlite, join(folder, "bare.db")])
    const asker = obeying(Core.client, [programs.stateAsker, gateway.url, gateway.key])
    await Promise.all([sqlite.ask("open"), asker.ask("open")])
    for (let round = -1; round < rounds; round++) {
      const add = (name: string, [callsPerSecond = Number.NaN, most = Number.NaN]: ReadonlyArray<number>) => {
        // The first warms up.
        if (round < 0) return
        samples.add("stateCalls", name, callsPerSecond)
        samples.add("stateMost", name, most)
      }
      /* oxlint-disable no-await-in-loop -- by turns */
      for (const operation of bareOperations) add(sqliteName(operation), await sqlite.ask(operation, millis))
      for (const [index, { capability }] of operations.entries()) {
        for (const width of widths) {
          add(stateName(capability, width), await asker.ask("throughput", index, width, millis))
        }
      }
      /* oxlint-enable no-await-in-loop */
    }
    await Promise.all([asker.end(), sqlite.end(), gateway.end()])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
