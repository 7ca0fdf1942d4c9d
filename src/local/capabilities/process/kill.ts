import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as process from "../../../catalogue/process.js"
import { InvalidInput } from "../../../errors/general.js"
import { KillFailed, ProcessAlreadyExited } from "../../../errors/process.js"
import { type Signal, signals } from "../../sandbox/Sandbox.js"
import type { Handler } from "../Handler.js"
import type { Entry, ProcessTable } from "./ProcessTable.js"
import { find } from "./shown.js"

/** How long a program may take to end where nothing follows the signal, and after SIGKILL. */
const patience = Duration.seconds(5)

// Programs are told something by these, not that they should end.
const messages: ReadonlySet<Signal> = new Set(["SIGHUP", "SIGUSR1", "SIGUSR2"])

const messagePatience = Duration.millis(200)

const signalOf = (text: string) => {
  const found = signals.find((signal) => signal === text)
  return found === undefined
    ? Effect.fail(
      new InvalidInput({
        message: `signal takes one of ${signals.join(", ")}`,
        field: "signal",
        reason: "no such signal"
      })
    )
    : Effect.succeed(found)
}

const endsWithin = (entry: Entry, time: Duration.Duration) =>
  Effect.map(Effect.timeoutOption(entry.ended, time), Option.isSome)

const alreadyExited = (entry: Entry) =>
  new ProcessAlreadyExited({
    message: `The process has ended before (${entry.state()})`,
    processId: entry.id,
    exitCode: entry.exitCode() ?? undefined
  })

const stillRuns = (entry: Entry, signal: Signal) =>
  new KillFailed({ message: `The process still runs after ${signal}`, processId: entry.id, signal })

/** Sends a signal to a program with all its children, and SIGKILL if it has not ended in time. */
export const makeKill = (table: ProcessTable["Type"]): Handler<typeof process.kill> => (input, invocation) =>
  Effect.gen(function*() {
    const first = yield* signalOf(input.signal)
    const entry = yield* find(table, invocation, input.process_id)
    if (entry.state() !== "running") return yield* alreadyExited(entry)
    const isSent = yield* entry.signal(first)
    if (!isSent && entry.state() !== "running") return yield* alreadyExited(entry)
    const after = (signal: Signal, killed: boolean) => ({
      killed,
      signal_sent: signal,
      process_id: entry.id,
      state: entry.state()
    })
    const escalates = first !== "SIGKILL" && input.force_after > 0
    const waits = escalates ? Duration.seconds(input.force_after) : messages.has(first) ? messagePatience : patience
    if (yield* endsWithin(entry, waits)) return after(first, true)
    if (!escalates) return messages.has(first) ? after(first, false) : yield* stillRuns(entry, first)
    yield* entry.signal("SIGKILL")
    return (yield* endsWithin(entry, patience)) ? after("SIGKILL", true) : yield* stillRuns(entry, "SIGKILL")
  })
