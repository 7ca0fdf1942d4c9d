import { knownNumber, knownText, taggedError } from "./base.js"

/** There is no such program. */
export class CommandNotFound extends taggedError<CommandNotFound>()("CommandNotFound", { command: knownText }) {}

/** The command took more of a resource than it was allowed, and was stopped. */
export class ResourceLimitExceeded extends taggedError<ResourceLimitExceeded>()("ResourceLimitExceeded", {
  resource: knownText,
  limit: knownNumber
}) {}

/** The program is there and could not be started. */
export class SpawnFailed extends taggedError<SpawnFailed>()("SpawnFailed", { command: knownText }) {}

/** The session has started no process of this id. */
export class ProcessNotFound extends taggedError<ProcessNotFound>()("ProcessNotFound", { processId: knownText }) {}

/** The process ended before it could be killed. */
export class ProcessAlreadyExited extends taggedError<ProcessAlreadyExited>()("ProcessAlreadyExited", {
  processId: knownText,
  exitCode: knownNumber
}) {}

/** The process still runs after the signal was sent, or the signal could not be sent. */
export class KillFailed extends taggedError<KillFailed>()("KillFailed", { processId: knownText, signal: knownText }) {}
