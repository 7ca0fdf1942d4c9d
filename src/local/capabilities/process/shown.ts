import * as Effect from "effect/Effect"
import { ProcessNotFound } from "../../../errors/process.js"
import type { Invocation } from "../Handler.js"
import type { Entry, ProcessTable } from "./ProcessTable.js"

/** What a process has taken, as agents see it. */
export const usageOf = (entry: Entry) => {
  const { cpuMillis, memoryPeakBytes, readBytes, writtenBytes } = entry.usage()
  return {
    cpu_ms: cpuMillis,
    memory_peak_bytes: memoryPeakBytes,
    io_read_bytes: readBytes,
    io_write_bytes: writtenBytes
  }
}

/** A process as agents see it. */
export const shown = (entry: Entry) =>
  Effect.map(entry.durationMillis, (duration_ms) => ({
    process_id: entry.id,
    command: entry.command,
    state: entry.state(),
    exit_code: entry.exitCode(),
    duration_ms,
    resource_usage: usageOf(entry),
    started_at: entry.startedAt
  }))

/** The agent's process of an id. */
export const find = (table: ProcessTable["Type"], { agent }: Invocation, id: string) => {
  const entry = table.find(agent.name, id)
  return entry === undefined
    ? Effect.fail(
      new ProcessNotFound({ message: `You have no process ${JSON.stringify(id.slice(0, 100))}`, processId: id })
    )
    : Effect.succeed(entry)
}
