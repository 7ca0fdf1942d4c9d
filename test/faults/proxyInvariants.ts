import * as Cause from "effect/Cause"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type { Outcome } from "kruxos/schema"
import type { ScheduledCall } from "./proxySchedule.js"

/** What a call fails with. */
export interface CallFailure {
  readonly _tag: string
  readonly message: string
  readonly idempotencyKey?: string | undefined
}

/** A call that has settled: with what is wrong about its answer, undefined for nothing. */
export interface Made {
  readonly index: number
  readonly call: ScheduledCall
  /** What an append has written, if it has. */
  readonly token: string
  readonly exit: Exit.Exit<string | undefined, CallFailure>
  /** Milliseconds. */
  readonly took: number
}

/** What a call came to: `Success`, `Interrupted`, `Defect`, or the tag of its error. */
const outcomeOf = ({ exit }: Made): string =>
  Exit.match(exit, {
    onSuccess: () => "Success",
    onFailure: (cause) =>
      Option.match(Cause.failureOption(cause), {
        onSome: ({ _tag }) => _tag,
        onNone: () => Cause.isInterruptedOnly(cause) ? "Interrupted" : "Defect"
      })
  })

// All that a connection may come to under these faults, and what a gateway may say that has too much to do.
const expected = new Set([
  "Success",
  "ConnectionFailed",
  "GatewayTimeout",
  "AuthenticationFailed",
  "RateLimited",
  "ServiceUnavailable",
  "ResourceExhausted"
])

const describe = (made: Made): string => {
  const cause = Exit.isFailure(made.exit) ? `: ${Cause.pretty(made.exit.cause).split("\n")[0]}` : ""
  return `call ${made.index} (${made.call.kind}), after ${made.took} ms, ${outcomeOf(made)}${cause}`
}

/** What an append says of itself, against how often its text is there. */
const contradicts = (outcome: string, times: number): string | undefined => {
  if (times > 1) return `took effect ${times} times`
  if (outcome === "Success") return times === 0 ? "was acknowledged, and nothing was done" : undefined
  if (outcome === "OutcomeUnknown" || outcome === "Interrupted") return undefined
  return times > 0 ? "took effect, and its error says that it did not" : undefined
}

/** What there is to expect of every call. */
interface Limits {
  /** How much later than its deadline it may settle, in milliseconds. */
  readonly slack: number
  /** Whether an append has a key to ask its outcome with. */
  readonly isKeyed: boolean
}

/** What is wrong with a call, by itself and by the lines that there are in the log. */
const violationsOf = (made: Made, log: ReadonlyArray<string>, { isKeyed, slack }: Limits): ReadonlyArray<string> => {
  const { call, exit, took } = made
  const outcome = outcomeOf(made)
  const found: Array<string> = []
  if (Exit.isSuccess(exit) && exit.value !== undefined) found.push(`has an answer that is not its own: ${exit.value}`)
  const mayBe = expected.has(outcome) ||
    (outcome === "Interrupted" && call.interruptAfter !== null) ||
    (outcome === "OutcomeUnknown" && call.kind === "append")
  if (isKeyed && outcome === "OutcomeUnknown" && keyOf(made) === undefined) found.push("has no key to ask with")
  if (!mayBe) found.push("must not come to this")
  if (took > call.timeout + slack) found.push(`has a deadline of ${call.timeout} ms`)
  if (call.kind === "append") {
    const contradiction = contradicts(outcome, log.filter((line) => line === made.token).length)
    if (contradiction !== undefined) found.push(contradiction)
  }
  return found.map((what) => `${describe(made)}: ${what}`)
}

/** All that is wrong with the calls of a run. The log has to be read after they have settled. */
export const violationsIn = (calls: ReadonlyArray<Made>, log: ReadonlyArray<string>, limits: Limits) => {
  const known = new Set(calls.map(({ token }) => token))
  return [
    ...calls.flatMap((made) => violationsOf(made, log, limits)),
    ...log.filter((line) => !known.has(line)).map((line) => `the log has a line that nobody wrote: ${line}`)
  ]
}

/** The key to ask the gateway with, of a call that does not know what it has done. */
export const keyOf = ({ exit }: Made): string | undefined =>
  Exit.isFailure(exit) ? Option.getOrUndefined(Cause.failureOption(exit.cause))?.idempotencyKey : undefined

/** What the gateway says has become of an append, against how often its text was there before it was asked, and is there now. */
export const contradictsOutcome = (
  outcome: Outcome<unknown, unknown>,
  before: number,
  now: number
): string | undefined => {
  if (now > 1) return `took effect ${now} times`
  switch (outcome._tag) {
    case "Done":
      if (Either.isRight(outcome.result)) return now === 1 ? undefined : "nothing was done"
      return now === 0 ? undefined : "it failed, and took effect"
    case "NotFound":
      return before === 0 ? undefined : "it took effect"
    default:
      return undefined
  }
}

/** How often calls came to what. */
export const countsOf = (
  calls: ReadonlyArray<Made>,
  outcomes: ReadonlyArray<string>
): { readonly [outcome: string]: number } => {
  const counts: Record<string, number> = {}
  const names = calls.map((made) => `${made.call.kind === "append" ? "append" : "other"} ${outcomeOf(made)}`)
  for (const name of [...names, ...outcomes]) counts[name] = (counts[name] ?? 0) + 1
  return counts
}
