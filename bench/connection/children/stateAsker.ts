import { quantile } from "../../measurement.js"
import { dial, type Line } from "../clients/raw.js"
import { keyCount, keys, operations, value } from "../stateOperations.js"
import { obey } from "./obey.js"

const [, , url = "", apiKey = ""] = process.argv

let line: Line | undefined

const invoke = async (capability: string, args: object): Promise<void> => {
  const result = await line?.request("capabilities.invoke", { capability, arguments: args })
  // A refusal is quick, but is no answer.
  if (typeof result !== "object" || result === null || !("success" in result) || result.success !== true) {
    throw new Error(`${capability} failed: ${JSON.stringify(result)}`)
  }
}

const argumentsOf = (capability: string, key: string): object => capability.endsWith(".set") ? { key, value } : { key }

/** The bare client, which reads and writes state. */
obey({
  open: async () => {
    line = await dial(url, { authorization: `Bearer ${apiKey}` })
    for (const key of keys) {
      // oxlint-disable-next-line no-await-in-loop -- nothing is gained by hurrying
      await invoke("state.persistent.set", { key, value })
      // oxlint-disable-next-line no-await-in-loop
      await invoke("state.shared.set", { key, value, expected_version: 0 })
      // oxlint-disable-next-line no-await-in-loop
      await invoke("state.session.set", { key, value })
    }
    return []
  },
  // Calls a second, and how long all but a hundredth of them take at most, in microseconds.
  throughput: async (index = 0, width = 0, milliseconds = 0) => {
    const { capability } = operations[index] ?? operations[0]
    const latencies: Array<number> = []
    let calls = 0
    const start = performance.now()
    const end = start + milliseconds
    const worker = async () => {
      let sent = performance.now()
      while (sent < end) {
        // oxlint-disable-next-line no-await-in-loop -- each worker has one call in flight
        await invoke(capability, argumentsOf(capability, keys[calls++ % keyCount] ?? ""))
        const now = performance.now()
        latencies.push(now - sent)
        sent = now
      }
    }
    await Promise.all(Array.from({ length: width }, worker))
    const callsPerSecond = latencies.length * 1000 / (performance.now() - start)
    return [callsPerSecond, quantile(latencies.toSorted((one, other) => one - other), 0.99) * 1000]
  }
})
