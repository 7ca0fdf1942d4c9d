import * as Effect from "effect/Effect"
import type { BuiltIn } from "../../../catalogue/builtIn.js"
import { Policy } from "../../policy/Policy.js"
import type { HandlersOf } from "../Handler.js"
import { makeKill } from "./kill.js"
import { ProcessTable } from "./ProcessTable.js"
import { makeRun } from "./run.js"
import { find, shown } from "./shown.js"

const nothing = { text: "", isCut: false }

/** The handlers of `process.*`. An agent has the processes that it started, in whichever session, and sees no others. */
export const makeProcessHandlers: Effect.Effect<
  HandlersOf<BuiltIn, "process">,
  never,
  Policy | ProcessTable
> = Effect.gen(function*() {
  const policy = yield* Policy
  const table = yield* ProcessTable
  return {
    "process.run": makeRun(table, policy),
    "process.kill": makeKill(table),
    "process.monitor": ({ process_id }, invocation) => Effect.flatMap(find(table, invocation, process_id), shown),
    "process.list": ({ limit, state_filter }, { agent }) =>
      Effect.gen(function*() {
        const found = table.list(agent.name).filter((entry) => state_filter === "all" || entry.state() === state_filter)
        return { processes: yield* Effect.forEach(found.slice(0, limit), shown), total: found.length }
      }),
    "process.logs": ({ limit, offset = 0, process_id, stream }, invocation) =>
      Effect.map(find(table, invocation, process_id), (entry) => {
        const stdout = stream === "stderr" ? nothing : entry.stdout.part(offset, limit)
        const stderr = stream === "stdout" ? nothing : entry.stderr.part(offset, limit)
        return {
          stdout: stdout.text,
          stderr: stderr.text,
          stdout_size: entry.stdout.size(),
          stderr_size: entry.stderr.size(),
          truncated: stdout.isCut || stderr.isCut,
          process_id,
          state: entry.state()
        }
      })
  }
})
