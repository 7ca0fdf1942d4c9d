import * as ValidationError from "@effect/cli/ValidationError"
import type { Teardown } from "@effect/platform/Runtime"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as MutableRef from "effect/MutableRef"
import * as Option from "effect/Option"
import { printError } from "./print.js"

/** What the exit code of the process says. */
export const ExitCode = {
  failed: 1,
  usage: 2,
  approvalRequired: 3
} as const

/** A command failed in a way that its user can understand: `message` is all that is printed. */
export class CommandFailed extends Data.TaggedError("CommandFailed")<{
  readonly message: string
  readonly exitCode: number
}> {}

export const failed = (message: string) => new CommandFailed({ message, exitCode: ExitCode.failed })

export const usageFailed = (message: string) => new CommandFailed({ message, exitCode: ExitCode.usage })

/** The exit code of a command that a signal cut short, as shells report SIGINT. */
export const signalled = 130

/** The exit code if a signal ends the process: `signalled`, unless a signal is how the command is meant to end. */
export class SignalExitCode extends Context.Tag("kruxos/cli/SignalExitCode")<
  SignalExitCode,
  MutableRef.MutableRef<number>
>() {}

const report = (cause: Cause.Cause<unknown>): Effect.Effect<void> => {
  if (Cause.isInterruptedOnly(cause)) return Effect.void
  const failure = Option.getOrUndefined(Cause.failureOption(cause))
  if (failure instanceof CommandFailed) return printError(failure.message)
  // The parser has printed its own failures already.
  if (ValidationError.isValidationError(failure)) return printError("See `kruxos --help`, or --help after a command")
  return printError(`kruxos failed in a way that it should not, please report this:\n${Cause.pretty(cause)}`)
}

/** Prints why a command failed, without a stack trace unless it is a bug. */
export const reportFailure = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.tapErrorCause(self, report)

const exitCodeOf = (cause: Cause.Cause<unknown>, signalExitCode: number): number => {
  if (Cause.isInterruptedOnly(cause)) return signalExitCode
  const failure = Option.getOrUndefined(Cause.failureOption(cause))
  if (failure instanceof CommandFailed) return failure.exitCode
  return ValidationError.isValidationError(failure) ? ExitCode.usage : ExitCode.failed
}

/** Ends the process with the exit code that its command calls for. */
export const teardown = (signalExitCode: MutableRef.MutableRef<number>): Teardown => (exit, onExit) =>
  onExit(Exit.isSuccess(exit) ? 0 : exitCodeOf(exit.cause, MutableRef.get(signalExitCode)))
