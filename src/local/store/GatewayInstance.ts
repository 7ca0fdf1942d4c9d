import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { randomUUID } from "node:crypto"
import { readFileSync } from "node:fs"

/**
 * This gateway among those that use, or used, the same store: what it has begun belongs to it for as long as it lives.
 */
export class GatewayInstance extends Context.Tag("kruxos/local/store/GatewayInstance")<GatewayInstance, {
  readonly id: string
  /** Whether the gateway of that id still runs, in this process or in another one of this machine. */
  readonly isAlive: (id: string) => boolean
}>() {}

// Process ids are used again, and the only process of a container has the same one each time: a process is known by its
// start too.
const startOf = (process_: number): string | undefined => {
  try {
    const status = readFileSync(`/proc/${process_}/stat`, "latin1")
    // The name of the program, in brackets, may hold anything.
    return status.slice(status.lastIndexOf(")") + 2).split(" ")[19]
  } catch {
    return undefined
  }
}

const isRunning = (process_: number): boolean => {
  try {
    return process.kill(process_, 0)
  } catch (cause) {
    // Somebody else's process cannot be asked, and is there.
    return cause instanceof Error && "code" in cause && cause.code === "EPERM"
  }
}

const living = new Set<string>()

/** Whether the gateway of that id still runs, in this process or in another one of this machine. */
export const isAlive = (id: string): boolean => {
  if (living.has(id)) return true
  const [pid = "", start] = id.split("/")
  const process_ = Number(pid)
  return process_ !== process.pid && isRunning(process_) && (startOf(process_) ?? start) === start
}

/** An instance that lives as long as the layer's scope. */
export const layer: Layer.Layer<GatewayInstance> = Layer.scoped(
  GatewayInstance,
  Effect.acquireRelease(
    Effect.sync(() => {
      const id = `${process.pid}/${startOf(process.pid) ?? ""}/${randomUUID()}`
      living.add(id)
      return { id, isAlive }
    }),
    ({ id }) => Effect.sync(() => living.delete(id))
  )
)
