import type { Client, Session } from "./Client.js"

/** A connection whose calls are promises. */
export interface Connection {
  readonly call: () => Promise<unknown>
  readonly close: () => Promise<void>
}

/** The session over a connection whose calls are promises. */
export const sessionOf = ({ call, close }: Connection): Session => ({
  one: async () => void await call(),
  sequential: async (milliseconds) => {
    const latencies: Array<number> = []
    const end = performance.now() + milliseconds
    let start = performance.now()
    while (start < end) {
      // oxlint-disable-next-line no-await-in-loop -- one after another is what is measured
      await call()
      latencies.push(performance.now() - start)
      start = performance.now()
    }
    return latencies
  },
  throughput: async (width, milliseconds) => {
    const start = performance.now()
    const end = start + milliseconds
    let count = 0
    const worker = async () => {
      while (performance.now() < end) {
        // oxlint-disable-next-line no-await-in-loop -- each worker has one call in flight
        await call()
        count++
      }
    }
    await Promise.all(Array.from({ length: width }, worker))
    return count * 1000 / (performance.now() - start)
  },
  burst: async (count) => {
    await Promise.all(Array.from({ length: count }, call))
  },
  close
})

/** The client that connects the given way. */
export const clientOf = (connect: (url: string) => Promise<Connection>): Client => ({
  open: async (url) => sessionOf(await connect(url)),
  once: async (url, answered) => {
    const { call, close } = await connect(url)
    await call()
    answered()
    await close()
  }
})
