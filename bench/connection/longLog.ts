import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Core, obeying } from "./Child.js"
import type { Programs } from "./compile.js"
import { startGateway } from "./gatewayProcess.js"
import type { Samples } from "./Samples.js"

/** How many entries the audit log has. */
export const lengths = [0, 1_000_000] as const

const filledAtOnce = 100_000

/** How long a gateway takes to start, and how much memory it takes then, by the length of its audit log. */
export const measureLongLog = async (programs: Programs, samples: Samples, rounds: number): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), "kruxos-bench-log-"))
  try {
    // Makes the database.
    await (await startGateway(folder)).end()
    let length = 0
    for (const wanted of lengths) {
      /* oxlint-disable no-await-in-loop -- one after the other */
      if (wanted > length) {
        const filler = obeying(Core.server, [programs.auditFiller, join(folder, "data", "gateway.db")])
        for (; length < wanted; length += filledAtOnce) await filler.ask("fill", length, filledAtOnce)
        await filler.end()
      }
      for (let round = 0; round < rounds; round++) {
        const gateway = await startGateway(folder)
        samples.add("start", `log-${wanted}`, gateway.startMillis)
        samples.add("resident", `log-${wanted}`, gateway.resident())
        await gateway.end()
      }
      /* oxlint-enable no-await-in-loop */
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
