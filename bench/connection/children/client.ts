import { setTimeout as sleep } from "node:timers/promises"
import { quantile } from "../../measurement.js"
import type { Client, Session } from "../clients/Client.js"
import { obey, sharedNow } from "./obey.js"

const microseconds = 1000

const megabyte = 1_000_000

const longestAttempt = 2000

const within = (attempt: Promise<void>, milliseconds: number): Promise<boolean> =>
  Promise.race([
    attempt.then(() => true, () => false),
    sleep(milliseconds, false)
  ])

/** Makes this process the given client of the server that its arguments name. */
export const serve = async (client: Client): Promise<void> => {
  const url = process.argv[2] ?? ""
  let session: Session | undefined
  let bursting: Promise<void> = Promise.resolve()

  const opened = async (): Promise<Session> => session ??= await client.open(url)

  const attempt = async (): Promise<void> => {
    try {
      await (await opened()).one()
    } catch (error) {
      if (client.redials === true) session = undefined
      throw error
    }
  }

  obey({
    open: async () => {
      await (await opened()).one()
      return []
    },
    sequential: async (milliseconds = 0) => {
      const latencies = (await (await opened()).sequential(milliseconds)).toSorted((one, other) => one - other)
      return [quantile(latencies, 0.5) * microseconds, quantile(latencies, 0.99) * microseconds]
    },
    // Calls a second, and what each cost this process.
    throughput: async (width = 0, milliseconds = 0) => {
      const [used, start] = [process.cpuUsage(), performance.now()]
      const callsPerSecond = await (await opened()).throughput(width, milliseconds)
      const calls = callsPerSecond * (performance.now() - start) / 1000
      const { system, user } = process.cpuUsage(used)
      return [callsPerSecond, (system + user) / calls]
    },
    connect: async (times = 0) => {
      const all: Array<number> = []
      for (let index = 0; index < times; index++) {
        const start = performance.now()
        // oxlint-disable-next-line no-await-in-loop -- one after another, each alone
        await client.once(url, () => all.push(performance.now() - start))
      }
      return all
    },
    burst: async (count = 0) => {
      bursting = (await opened()).burst(count)
      return []
    },
    answered: async () => {
      await bursting
      return []
    },
    // Resident and heap, and the most that was ever resident.
    memory: async (collects = 0) => {
      if (collects === 1) globalThis.gc?.()
      const { heapUsed, rss } = process.memoryUsage()
      return [rss / megabyte, heapUsed / megabyte, process.resourceUsage().maxRSS * 1024 / megabyte]
    },
    // When a call succeeded again; nothing where none did in time.
    recover: async (milliseconds = 0) => {
      const end = performance.now() + milliseconds
      while (performance.now() < end) {
        // oxlint-disable-next-line no-await-in-loop -- the next attempt is made when the last has failed
        if (await within(attempt(), longestAttempt)) return [sharedNow()]
        // oxlint-disable-next-line no-await-in-loop
        await sleep(1)
      }
      return []
    },
    close: async () => {
      await session?.close()
      return []
    }
  })
}
