import * as Effect from "effect/Effect"
import type { info } from "../../../catalogue/system.js"
import { CapabilityUnavailable } from "../../../errors/general.js"
import { Agents } from "../../store/Agents.js"
import type { Handler } from "../Handler.js"
import { CurrentMachine } from "./CurrentMachine.js"

const infoError = (why: string, cause: unknown) =>
  new CapabilityUnavailable({
    type: "SystemInfoError",
    reason: "SystemInfoError",
    message: `The system cannot be described: ${why}`,
    cause
  })

/** Makes the handler of `system.info`. The disk is the one that holds the workspace. */
export const makeInfo = Effect.gen(function*() {
  const agents = yield* Agents
  const machine = yield* CurrentMachine
  const handler: Handler<typeof info> = (_input, { workspace }) =>
    Effect.gen(function*() {
      const { osVersion, processorCount, uptimeSeconds } = yield* machine.description
      const memory = yield* machine.memory
      const disk = yield* machine.fileSystem(workspace.root)
      const all = yield* agents.list
      return {
        os_version: osVersion,
        uptime_seconds: Math.floor(uptimeSeconds),
        agent_count: all.filter(({ status }) => status === "active").length,
        cpu_count: processorCount,
        memory_total_bytes: memory.total,
        memory_available_bytes: memory.available,
        disk_total_bytes: disk.total,
        disk_available_bytes: disk.available
      }
    }).pipe(Effect.catchTags({
      MachineUnreadable: (cause) => infoError(cause.message, cause),
      SqlError: (cause) => infoError("the store does not answer", cause)
    }))
  return handler
})
