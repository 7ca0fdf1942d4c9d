import { release } from "node:os"
import { countOf } from "./processes.js"

// Since then a namespace of users has a count of its own.
const countsByNamespace = (kernel: string): boolean => {
  const [major = 0, minor = 0] = kernel.split(".").map(Number)
  return major > 5 || (major === 5 && minor >= 14)
}

/** Whether the kernel holds the number of processes by itself: root's are not counted. */
export const kernelCounts = (): boolean => process.getuid?.() !== 0

// Where the kernel lets nothing more begin, programs fail in ways of their own: what looks at them has to see that they are too many before.
const headroom = 2

/**
 * The limit to set for the kernel, where it holds it: in a namespace that has a count of its own that of the program alone, else besides
 * all else that the user has running. It is what is never exceeded, not even for a moment; the launcher counts, too.
 */
export const processLimit = (processes: number, counted: "namespace" | "user"): number | undefined => {
  if (!kernelCounts()) return undefined
  const most = processes * headroom + 2
  return counted === "namespace" && countsByNamespace(release())
    ? most
    : most + countOf(process.getuid?.() ?? 0)
}
