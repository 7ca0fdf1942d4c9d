import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

setFlagsFromString("--expose_gc")
const collectGarbage: () => void = runInNewContext("gc")

/** The memory of this process in bytes once what nothing holds any more is freed. */
export const keptMemory = (): NodeJS.MemoryUsage => {
  collectGarbage()
  return process.memoryUsage()
}
