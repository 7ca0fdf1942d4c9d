import * as fs from "node:fs"

const closesOnExec = 0o2000000

const isInherited = (descriptor: number): boolean => {
  try {
    const flags = /^flags:\s+(\d+)$/m.exec(fs.readFileSync(`/proc/self/fdinfo/${descriptor}`, "utf8"))?.[1]
    return flags !== undefined && (Number.parseInt(flags, 8) & closesOnExec) === 0
  } catch {
    return false
  }
}

// More of them would not be by mistake.
const highest = 1024

let found: ReadonlyArray<number> | undefined

/**
 * The descriptors that whoever started the gateway left open for it, and that every program would get by inheritance: a directory of the
 * host among them would lead out of the sandbox. Node closes its own. They are looked for once.
 */
export const inheritedDescriptors = (): ReadonlyArray<number> => {
  if (found !== undefined) return found
  try {
    found = fs.readdirSync("/proc/self/fd").map(Number).filter((one) => one > 2 && one < highest && isInherited(one))
  } catch {
    found = []
  }
  return found
}
