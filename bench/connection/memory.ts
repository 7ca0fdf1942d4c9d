import { Core, obeying } from "./Child.js"
import type { Programs } from "./compile.js"
import { clients } from "./contestants.js"
import { minimalServer } from "./minimal.js"
import type { Samples } from "./Samples.js"

/** The calls in flight whose memory is measured. */
export const inFlight = 10_000

const warmUpCalls = 1000

const collecting = 1

/** What ten thousand unanswered calls take, each time in a fresh process. */
export const measureMemory = async (programs: Programs, samples: Samples, rounds: number): Promise<void> => {
  const server = await minimalServer(programs)
  for (let round = 0; round < rounds; round++) {
    for (const { name, transport } of clients) {
      if (transport === "http") continue
      /* oxlint-disable no-await-in-loop -- by turns */
      const child = obeying(Core.client, ["--expose-gc", programs.client(name), server.url])
      await child.ask("open")
      await child.ask("burst", warmUpCalls)
      await child.ask("answered")
      const [residentBefore = 0, heapBefore = 0] = await child.ask("memory", collecting)
      const arrived = server.ask("hold", inFlight)
      await child.ask("burst", inFlight)
      await arrived
      const [resident = 0] = await child.ask("memory", 0)
      const [, heap = 0] = await child.ask("memory", collecting)
      await server.ask("release")
      await child.ask("answered")
      const [, , peak = 0] = await child.ask("memory", 0)
      samples.add("memory", name, resident - residentBefore)
      samples.add("heap", name, heap - heapBefore)
      samples.add("peak", name, peak - residentBefore)
      await child.end()
      /* oxlint-enable no-await-in-loop */
    }
  }
  await server.end()
}
