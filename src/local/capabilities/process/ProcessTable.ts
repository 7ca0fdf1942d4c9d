import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import type * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { ResourceExhausted } from "../../../errors/general.js"
import { Identifiers } from "../../Identifiers.js"
import { scopedService } from "../../inOrder.js"
import {
  type Exit as Ended,
  type Launch,
  type LaunchFailed,
  Sandbox,
  type Signal,
  type Usage
} from "../../sandbox/Sandbox.js"
import { OutputLog } from "./OutputLog.js"

export type ProcessState = "running" | "completed" | "killed" | "timed_out"

/** A process that an agent has started, from its start until it is forgotten. */
export interface Entry {
  readonly id: string
  readonly agent: string
  /** As the agent gave it. */
  readonly command: string
  readonly startedAt: DateTime.Utc
  readonly stdout: OutputLog
  readonly stderr: OutputLog
  readonly state: () => ProcessState
  /** None while it runs, and where a signal of the gateway ended it. */
  readonly exitCode: () => number | null
  readonly exceeded: () => Ended["exceeded"]
  readonly usage: () => Usage
  readonly durationMillis: Effect.Effect<number>
  /** Waits for the end. */
  readonly ended: Effect.Effect<void>
  /** Sends a signal to all of it. What ends by it is in the given state afterwards. Whether it could be sent. */
  readonly signal: (signal: Signal, becomes?: "killed" | "timed_out") => Effect.Effect<boolean>
}

/** A process to start. */
export interface NewProcess {
  readonly agent: string
  readonly command: string
  readonly launch: Omit<Launch, "onOutput">
  /** Ends with this scope, and with the gateway; undefined for the gateway alone. */
  readonly within: Scope.Scope | undefined
  /** Is told of what it writes, besides. */
  readonly onOutput?: Launch["onOutput"] | undefined
}

/** How many processes of an agent may run at a time; and how many that have ended are remembered, with how much of their output. */
export const mostRunning = 16
const mostEnded = 50
const mostKeptBytes = 16 * 1024 * 1024

/** The processes that agents have started. Those that still run end with the gateway. */
export class ProcessTable extends Context.Tag("kruxos/local/ProcessTable")<ProcessTable, {
  /** Fails with ResourceExhausted where the agent has as many as it may. */
  readonly start: (process: NewProcess) => Effect.Effect<Entry, LaunchFailed | ResourceExhausted>
  readonly find: (agent: string, id: string) => Entry | undefined
  /** The newest first. */
  readonly list: (agent: string) => ReadonlyArray<Entry>
}>() {}

const codeOf: { readonly [S in Signal]: number } = {
  SIGHUP: 129,
  SIGINT: 130,
  SIGQUIT: 131,
  SIGKILL: 137,
  SIGUSR1: 138,
  SIGUSR2: 140,
  SIGTERM: 143
}

const tooMany = (current: number) =>
  new ResourceExhausted({
    message: `${current} of your processes run already, and no more may at a time: end one with process.kill`,
    resource: "processes",
    limit: mostRunning,
    current
  })

const make = Effect.gen(function*() {
  const sandbox = yield* Sandbox
  const identifiers = yield* Identifiers
  const gatewayScope = yield* Effect.scope
  const byAgent = new Map<string, Array<Entry>>()
  const starting = new Map<string, number>()

  const of = (agent: string): ReadonlyArray<Entry> => byAgent.get(agent) ?? []

  const running = (agent: string): number =>
    of(agent).filter((entry) => entry.state() === "running").length + (starting.get(agent) ?? 0)

  // The oldest that have ended are forgotten.
  const forget = (agent: string) => {
    const entries = of(agent)
    const ended = entries.filter((entry) => entry.state() !== "running")
    let bytes = ended.reduce((sum, { stderr, stdout }) => sum + stdout.keptBytes() + stderr.keptBytes(), 0)
    let count = ended.length
    const gone = new Set<Entry>()
    for (const entry of ended) {
      if (count <= mostEnded && (bytes <= mostKeptBytes || count === 1)) break
      gone.add(entry)
      count -= 1
      bytes -= entry.stdout.keptBytes() + entry.stderr.keptBytes()
    }
    if (gone.size > 0) byAgent.set(agent, entries.filter((entry) => !gone.has(entry)))
  }

  const begin = ({ agent, command, launch, onOutput, within }: NewProcess) =>
    Effect.uninterruptibleMask(Effect.fnUntraced(function*(restore) {
      const stdout = new OutputLog()
      const stderr = new OutputLog()
      const scope = yield* Scope.fork(within ?? gatewayScope, ExecutionStrategy.sequential)
      const id = `proc-${identifiers.uuid()}`
      const startedAt = yield* DateTime.now
      const startedMillis = yield* Clock.currentTimeMillis
      const launched = yield* restore(sandbox.launch({
        ...launch,
        onOutput: (stream, bytes) => {
          if (stream === "stdout") stdout.add(bytes)
          else stderr.add(bytes)
          onOutput?.(stream, bytes)
        }
      })).pipe(
        Scope.extend(scope),
        Effect.onExit((exit) => Exit.isSuccess(exit) ? Effect.void : Scope.close(scope, exit))
      )
      const over = yield* Deferred.make<void>()
      const sent = new Set<number>()
      let state: ProcessState = "running"
      let becomes: "killed" | "timed_out" = "killed"
      let code: number | null = null
      let exceeded: Ended["exceeded"]
      let durationMillis: number | undefined
      const entry: Entry = {
        id,
        agent,
        command,
        startedAt,
        stdout,
        stderr,
        state: () => state,
        exitCode: () => code,
        exceeded: () => exceeded,
        usage: () => launched.usage(),
        durationMillis: Effect.map(Clock.currentTimeMillis, (now) => durationMillis ?? now - startedMillis),
        ended: Deferred.await(over),
        signal: (signal, as = "killed") =>
          Effect.suspend(() => {
            if (state !== "running") return Effect.succeed(false)
            sent.add(codeOf[signal])
            if (as === "timed_out") becomes = as
            return launched.signal(signal)
          })
      }
      const conclude = Effect.gen(function*() {
        const end = yield* launched.exited
        durationMillis = (yield* Clock.currentTimeMillis) - startedMillis
        stdout.close()
        stderr.close()
        exceeded = end.exceeded
        // What a signal of the gateway ended has no exit code of its own; SIGKILL also comes with the end of the session.
        const byGateway = becomes === "timed_out" || exceeded !== undefined || sent.has(end.code)
          || (end.isKilled && end.code === codeOf.SIGKILL)
        state = byGateway ? becomes : "completed"
        code = byGateway ? null : end.code
        yield* Deferred.succeed(over, undefined)
        forget(agent)
        yield* Scope.close(scope, Exit.void)
      })
      byAgent.set(agent, [...of(agent), entry])
      // It ends with the program, which ends with its scope.
      yield* Effect.forkDaemon(conclude)
      return entry
    }))

  return ProcessTable.of({
    start: (process) =>
      Effect.suspend((): Effect.Effect<Entry, LaunchFailed | ResourceExhausted> => {
        const { agent } = process
        const current = running(agent)
        if (current >= mostRunning) return Effect.fail(tooMany(current))
        starting.set(agent, (starting.get(agent) ?? 0) + 1)
        const started = Effect.sync(() => starting.set(agent, (starting.get(agent) ?? 1) - 1))
        return Effect.ensuring(begin(process), started)
      }),
    find: (agent, id) => of(agent).find((entry) => entry.id === id),
    list: (agent) => of(agent).toReversed()
  })
})

/** Processes run in the sandbox. */
export const layer: Layer.Layer<ProcessTable, never, Sandbox> = scopedService(ProcessTable, make)
