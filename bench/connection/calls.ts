import { median } from "../measurement.js"
import { Core, obeying } from "./Child.js"
import type { Programs } from "./compile.js"
import { clients } from "./contestants.js"
import { minimalServer } from "./minimal.js"
import type { Samples } from "./Samples.js"

/** How long one figure of one client is measured in a round, in milliseconds. */
export interface Effort {
  readonly rounds: number
  readonly millis: number
}

const connectsPerRound = 5

const widths = [
  { width: 64, figure: "throughput64", processor: "processor64" },
  { width: 1024, figure: "throughput1024", processor: "processor1024" }
] as const

/** Calls by all clients in turn, each in a process of its own that stays for all rounds. */
export const measureCalls = async (programs: Programs, samples: Samples, { millis, rounds }: Effort): Promise<void> => {
  const server = await minimalServer(programs)
  const children = clients.map(({ name }) => ({
    name,
    child: obeying(Core.client, [programs.client(name), server.url])
  }))
  for (let round = -1; round < rounds; round++) {
    // The first warms up.
    const add: Samples["add"] = round < 0 ? () => {} : (...sample) => samples.add(...sample)
    for (const { child, name } of children) {
      /* oxlint-disable no-await-in-loop -- by turns */
      await child.ask("open")
      const [half = Number.NaN, most = Number.NaN] = await child.ask("sequential", millis)
      add("sequentialHalf", name, half)
      add("sequentialMost", name, most)
    }
    for (const { figure, processor, width } of widths) {
      for (const { child, name } of children) {
        const [callsPerSecond = Number.NaN, microseconds = Number.NaN] = await child.ask("throughput", width, millis)
        add(figure, name, callsPerSecond)
        add(processor, name, microseconds)
      }
    }
    for (const { child, name } of children) {
      add("connect", name, median(await child.ask("connect", connectsPerRound)))
    }
    /* oxlint-enable no-await-in-loop */
  }
  await Promise.all([...children.map(({ child }) => child.end()), server.end()])
}
