import { Core, ended, firstOutput, start } from "./Child.js"
import type { Programs } from "./compile.js"
import { clients } from "./contestants.js"
import { minimalServer } from "./minimal.js"
import type { Samples } from "./Samples.js"

/** The name under which Node itself is in the samples. */
export const nodeAlone = "node"

const spawned = async (...args: ReadonlyArray<string>): Promise<number> => {
  const started = performance.now()
  const child = start(Core.client, args, "pipe")
  await firstOutput(child)
  const millis = performance.now() - started
  await ended(child)
  return millis
}

/** From starting a process to its first answer. */
export const measureColdStart = async (programs: Programs, samples: Samples, rounds: number): Promise<void> => {
  const server = await minimalServer(programs)
  // The first fills the caches of files.
  for (let round = -1; round < rounds; round++) {
    const add: Samples["add"] = round < 0 ? () => {} : (...sample) => samples.add(...sample)
    for (const kind of ["unbundled", "bundled"] as const) {
      /* oxlint-disable no-await-in-loop -- by turns */
      add(kind, nodeAlone, await spawned("--eval", "process.stdout.write('answered')"))
      for (const { name } of clients) add(kind, name, await spawned(programs.cold(name, kind), server.url))
      /* oxlint-enable no-await-in-loop */
    }
  }
  await server.end()
}
