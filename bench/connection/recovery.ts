import { Core, obeying } from "./Child.js"
import type { Programs } from "./compile.js"
import { clients } from "./contestants.js"
import { minimalServer } from "./minimal.js"
import type { Samples } from "./Samples.js"

/** How long a client may take to find back, in milliseconds; after that it is said to never do. */
export const longestRecovery = 5000

/** From the moment at which the server cuts every connection to the next call that succeeds. */
export const measureRecovery = async (programs: Programs, samples: Samples, rounds: number): Promise<void> => {
  const server = await minimalServer(programs)
  const never = new Set<string>()
  for (let round = 0; round < rounds; round++) {
    for (const { name } of clients) {
      // Waiting for it once is enough.
      if (never.has(name)) continue
      /* oxlint-disable no-await-in-loop -- by turns */
      const child = obeying(Core.client, [programs.client(name), server.url])
      await child.ask("open")
      await child.ask("sequential", 100)
      const [cut = Number.NaN] = await server.ask("cut")
      const [recovered] = await child.ask("recover", longestRecovery)
      if (recovered === undefined) never.add(name)
      samples.add("recovery", name, recovered === undefined ? Infinity : recovered - cut)
      await child.end()
      /* oxlint-enable no-await-in-loop */
    }
  }
  await server.end()
}
