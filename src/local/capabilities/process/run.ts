import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as process from "../../../catalogue/process.js"
import { CommandNotFound, ResourceLimitExceeded, SpawnFailed } from "../../../errors/process.js"
import type { PolicyService } from "../../policy/Policy.js"
import type { Launch, LaunchFailed, Limits } from "../../sandbox/Sandbox.js"
import type { Handler, Invocation } from "../Handler.js"
import { lineReports } from "./lineReports.js"
import type { Entry, NewProcess, ProcessTable } from "./ProcessTable.js"
import { directoryOf, environmentOf, limitsOf, programOf } from "./request.js"
import { usageOf } from "./shown.js"

/** How long a program may take to end after SIGTERM, when its time is over. */
const graceAfterTimeout = Duration.seconds(2)

const notStarted = (command: string) => (error: LaunchFailed) => {
  const details = { message: error.message, command, context: { reason: error.reason }, cause: error }
  return error.reason === "not-found" ? new CommandNotFound(details) : new SpawnFailed(details)
}

const overLimit = (entry: Entry, limits: Limits) => {
  const resource = entry.exceeded()
  if (resource === undefined) return Effect.void
  const limit = { cpu: limits.cpu, memory: limits.memoryBytes, processes: limits.processes }[resource]
  return Effect.fail(
    new ResourceLimitExceeded({
      message: `The program took more ${resource} than it may (${limit}) and was stopped; process.logs has its output`,
      resource,
      limit,
      context: { process_id: entry.id }
    })
  )
}

const outputOf = (entry: Entry, lines: number) =>
  Effect.map(entry.durationMillis, (duration_ms) => ({
    exit_code: entry.exitCode(),
    stdout: entry.stdout.part(0, undefined).text,
    stdout_summary: entry.stdout.lastLines(lines),
    stderr: entry.stderr.part(0, undefined).text,
    stderr_summary: entry.stderr.lastLines(lines),
    duration_ms,
    process_id: entry.id,
    state: entry.state(),
    resource_usage: usageOf(entry)
  }))

const awaitEnd = (entry: Entry, timeout: number) =>
  Effect.gen(function*() {
    if (Option.isSome(yield* Effect.timeoutOption(entry.ended, Duration.seconds(timeout)))) return
    yield* entry.signal("SIGTERM", "timed_out")
    if (Option.isSome(yield* Effect.timeoutOption(entry.ended, graceAfterTimeout))) return
    yield* entry.signal("SIGKILL", "timed_out")
    yield* entry.ended
  })

const inForeground = (
  table: ProcessTable["Type"],
  process: Omit<NewProcess, "within" | "onOutput">,
  { lines, progress, timeout }: {
    readonly lines: number
    readonly timeout: number
    readonly progress: Invocation["progress"]
  }
) =>
  // With the invocation it ends, however that ends.
  Effect.scopedWith((within) =>
    Effect.gen(function*() {
      const reports = progress === undefined ? undefined : lineReports(progress)
      const entry = yield* table.start({ ...process, within, onOutput: reports?.onOutput })
      yield* awaitEnd(entry, timeout)
      reports?.end()
      yield* overLimit(entry, process.launch.limits)
      return yield* outputOf(entry, lines)
    })
  )

/**
 * Runs a program in the sandbox: until it ends or its time is over, or in the background until the session ends. One that somebody has
 * approved belongs to no session, and runs in the background until it is killed or the gateway ends.
 */
export const makeRun =
  (table: ProcessTable["Type"], policy: PolicyService): Handler<typeof process.run> => (input, invocation) =>
    Effect.gen(function*() {
      const { agent, approvalId, progress, sessionScope, workspace } = invocation
      const { args, background, command, stdin } = input
      const launch: Omit<Launch, "onOutput"> = {
        program: yield* programOf(command, args),
        workspace: workspace.root,
        workingDirectory: yield* directoryOf(workspace, input.working_directory),
        environment: yield* environmentOf(input.environment),
        limits: yield* limitsOf({
          cpu: input.cpu_limit,
          memory: input.memory_limit,
          seconds: background ? undefined : input.timeout
        }),
        network: policy.egress(agent).isUnrestricted,
        stdin: background ? undefined : stdin
      }
      const shownCommand = args === undefined ? command : [command, ...args].join(" ")
      const process = { agent: agent.name, command: shownCommand, launch }
      if (!background) {
        return yield* inForeground(table, process, { lines: input.stdout_lines, progress, timeout: input.timeout })
      }
      const within = approvalId === undefined ? sessionScope : undefined
      const entry = yield* table.start({ ...process, within })
      return yield* outputOf(entry, input.stdout_lines)
    }).pipe(Effect.catchTag("LaunchFailed", (error) => Effect.fail(notStarted(input.command)(error))))
