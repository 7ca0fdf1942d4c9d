import { Worker } from "node:worker_threads"

/** Tells the watchdog which input of which target is being handled. */
export type Watch = (target: string, iteration: number) => void

// In a thread of its own, because what never ends leaves no turn to anything else in the main one.
const program = `
const { workerData } = require("node:worker_threads")
const { writeSync } = require("node:fs")
const now = new Int32Array(workerData.shared)
let last = -1
setInterval(() => {
  if (now[2] === last && last > 0) {
    const name = workerData.names[now[0]]
    writeSync(2, name + " hangs at input " + now[1] + ": --target " + name + " --first " + now[1] + " comes back to it\\n")
    process.kill(process.pid, "SIGKILL")
  }
  last = now[2]
}, workerData.millis)
`

/** Ends the process, and says where it was, when one input blocks it for longer than that. */
export const watch = (names: ReadonlyArray<string>, millis: number): Watch => {
  const shared = new SharedArrayBuffer(12)
  const now = new Int32Array(shared)
  new Worker(program, { eval: true, workerData: { shared, names, millis } }).unref()
  return (target, iteration) => {
    now[0] = names.indexOf(target)
    now[1] = iteration
    now[2] = (now[2] ?? 0) + 1
  }
}
