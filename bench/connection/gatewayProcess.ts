import { once } from "node:events"
import { mkdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "../root.js"
import { Core, firstOutput, start } from "./Child.js"

/** A gateway in a process of its own. */
export interface GatewayProcess {
  readonly url: string
  readonly key: string
  /** From starting the process to its being ready, in milliseconds. */
  readonly startMillis: number
  /** How much memory the process takes, in MB; nothing where the system does not tell. */
  readonly resident: () => number
  readonly end: () => Promise<void>
}

const textField = (value: unknown, key: "url" | "api_key"): string =>
  typeof value === "object" && value !== null && key in value ? String(Reflect.get(value, key)) : ""

/** The folder that agents of the gateway in this folder work in. */
export const workspaceIn = (folder: string): string => {
  const workspace = join(folder, "workspace")
  mkdirSync(workspace, { recursive: true })
  return workspace
}

const residentOf = (pid: number | undefined): number => {
  try {
    const [, kilobytes] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? []
    return Number(kilobytes) / 1024
  } catch {
    return Number.NaN
  }
}

/** Starts `kruxos gateway` with its data in the folder, on the server's core. */
export const startGateway = async (folder: string): Promise<GatewayProcess> => {
  const workspace = workspaceIn(folder)
  const options = ["--workspace", workspace, "--data", join(folder, "data"), "--port", "0", "--log-level", "error"]
  const startedAt = performance.now()
  const gateway = start(Core.server, [join(root, "dist/cli/main.js"), "gateway", ...options], "pipe")
  const ready: unknown = JSON.parse(await firstOutput(gateway))
  const startMillis = performance.now() - startedAt
  return {
    url: textField(ready, "url"),
    key: textField(ready, "api_key"),
    startMillis,
    resident: () => residentOf(gateway.pid),
    end: async () => {
      const exited = once(gateway, "exit")
      gateway.kill("SIGKILL")
      await exited
    }
  }
}
