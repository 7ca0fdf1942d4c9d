import { once } from "node:events"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { root } from "../root.js"
import { Core, firstOutput, start } from "./Child.js"

/** A gateway in a process of its own. */
export interface GatewayProcess {
  readonly url: string
  readonly key: string
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

/** Starts `kruxos gateway` with its data in the folder, on the server's core. */
export const startGateway = async (folder: string): Promise<GatewayProcess> => {
  const workspace = workspaceIn(folder)
  const options = ["--workspace", workspace, "--data", join(folder, "data"), "--port", "0", "--log-level", "error"]
  const gateway = start(Core.server, [join(root, "dist/cli/main.js"), "gateway", ...options], "pipe")
  const ready: unknown = JSON.parse(await firstOutput(gateway))
  return {
    url: textField(ready, "url"),
    key: textField(ready, "api_key"),
    end: async () => {
      const exited = once(gateway, "exit")
      gateway.kill("SIGKILL")
      await exited
    }
  }
}
