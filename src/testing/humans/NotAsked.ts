import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Exit from "effect/Exit"
import type { MockInvocation } from "../script/ScriptControl.js"
import { show } from "../script/show.js"
import { whichText } from "./decisions.js"
import type { Which } from "./Humans.js"

const mostShown = 20

const endOf = (exit: Exit.Exit<unknown, unknown>): string =>
  Exit.match(exit, {
    onSuccess: (value) => `It ended with ${show(value)}.`,
    onFailure: (cause) =>
      Cause.isInterruptedOnly(cause)
        ? "It was interrupted."
        : `It failed with ${Cause.prettyErrors(cause).map(({ message, name }) => `${name}: ${message}`).join("\n")}`
  })

const cameTo = ({ exit }: MockInvocation): string => {
  if (exit === undefined) return " … goes on"
  if (Exit.isSuccess(exit)) return ""
  const [failure] = Cause.failures(exit.cause)
  return ` → ${failure?.type ?? "interrupted"}`
}

const listOf = (invocations: ReadonlyArray<MockInvocation>): ReadonlyArray<string> => {
  if (invocations.length === 0) return ["It invoked nothing."]
  const left = invocations.length - mostShown
  return [
    left > 0 ? `It invoked, after ${left} others:` : "It invoked:",
    ...invocations.slice(-mostShown).map((one) => `  ${one.capability}(${show(one.arguments)})${cameTo(one)}`)
  ]
}

/** The program ended, and had not asked for the approval that a test waited for. `message` says how it ended, and what it had invoked. */
export class NotAsked extends Data.TaggedError("NotAsked")<{
  /** How the program ended. */
  readonly exit: Exit.Exit<unknown, unknown>
  readonly message: string
  readonly cause: unknown
}> {
  static readonly of = (
    which: Which,
    exit: Exit.Exit<unknown, unknown>,
    invocations: ReadonlyArray<MockInvocation>
  ): NotAsked =>
    new NotAsked({
      exit,
      message: [
        `The program ended, and had not asked for the approval of ${whichText(which)}.`,
        endOf(exit),
        ...listOf(invocations)
      ].join("\n"),
      cause: Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
    })
}
