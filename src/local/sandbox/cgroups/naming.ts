import { randomBytes } from "node:crypto"
import * as fs from "node:fs"
import { startOf } from "../processes.js"

// A process number means something in its namespace only.
const namespace = (): string => /\d+/.exec(fs.readlinkSync("/proc/self/ns/pid"))?.[0] ?? "0"

/** The name of a new group, which tells whose it is. */
export const newName = (): string =>
  ["kruxos", namespace(), process.pid, startOf(process.pid) ?? "0", randomBytes(6).toString("hex")].join("-")

/** Whether a group belongs to a gateway of this namespace of processes that is not there any more. */
export const isLeftOver = (name: string): boolean => {
  const [, space, pid = "", start] = /^kruxos-(\d+)-(\d+)-(\d+)-[0-9a-f]{12}$/.exec(name) ?? []
  return space === namespace() && startOf(Number(pid)) !== start
}
