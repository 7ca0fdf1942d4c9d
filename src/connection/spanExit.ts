import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"

interface Failure {
  readonly _tag: string
  readonly message: string
}

const failed = (tag: string, message: string) => {
  const error = new Error(message)
  error.name = tag
  // Exporters send it along, and it says where the error was made, and not why.
  error.stack = `${tag}: ${message}`
  return error
}

/**
 * How something ended, as a span is told: without the output, and of a failure its tag and message only. Its cause and its context may
 * hold what was asked or answered.
 */
export const spanExit = (
  exit: Exit.Exit<unknown, Failure>,
  messageOf: (failure: Failure) => string = ({ message }) => message
): Exit.Exit<void, Error> =>
  Exit.isSuccess(exit)
    ? Exit.void
    : Exit.failCause(Cause.map(exit.cause, (failure) => failed(failure._tag, messageOf(failure))))
