import * as Predicate from "effect/Predicate"
import type { OwnKeyUnknown } from "../local/data/ownAgent.js"
import type { StartFailure } from "../local/LocalGateway.js"
import type { ServeFailed } from "../local/protocol/server.js"
import type { AgentNotFound } from "../local/store/AgentErrors.js"
import type { StoreUnavailable } from "../local/store/StoreUnavailable.js"
import type { WorkspaceUnavailable } from "../local/workspace/WorkspaceUnavailable.js"
import { type CommandFailed, failed } from "./exit.js"
import { oneLine } from "./text.js"

/** What can be wrong with a gateway on this machine and its data. */
export type LocalFailure = StartFailure | ServeFailed | OwnKeyUnknown | AgentNotFound

const text = (value: unknown, name: string): string | undefined => {
  const found = Predicate.hasProperty(value, name) ? value[name] : undefined
  return typeof found === "string" && found !== "" ? found : undefined
}

/** What the system says of a failure, in brackets. */
export const systemReason = (cause: unknown): string => {
  const reason = text(cause, "description") ?? text(cause, "message")
  return reason === undefined ? "" : ` (${reason})`
}

const explainServe = ({ cause, host, message, port }: ServeFailed): string => {
  switch (text(cause, "code")) {
    case "EADDRINUSE":
      return `Port ${port} of ${host} is in use: stop what listens there, or choose another with --port (0 picks a free one)`
    case "EACCES":
      return `Port ${port} of ${host} may not be used: choose one above 1023 with --port`
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `${host} is no address of this machine: choose one with --host`
    default:
      return message
  }
}

const storeHint: { readonly [Reason in StoreUnavailable["reason"]]: string } = {
  "not-installed": ", or kruxos anew without --omit=optional",
  "cannot-open": ": see that it can be written, or choose another directory with --data",
  "not-a-database": ": restore it, or choose another directory with --data",
  "migration-failed": ": the file is as it was; choose another directory with --data",
  "newer-version": ", or choose another directory with --data"
}

const workspaceHint: { readonly [Reason in WorkspaceUnavailable["reason"]]: string } = {
  "holds-data": "",
  "invalid-path": "",
  "missing": ": make it, or choose another --workspace",
  "not-a-directory": ": choose another --workspace",
  "not-readable": ": see that it can be read, or choose another --workspace",
  "not-writable": "",
  "unsupported": ""
}

const explain = (error: LocalFailure): string => {
  const { message } = error
  switch (error._tag) {
    case "AgentAlreadyExists":
      return `${message}: choose another name`
    case "AgentNotFound":
      return `${message}: \`kruxos agent list\` shows who there is`
    case "AgentRevoked":
      return `${message} for good: choose another name`
    case "DataDirectoryUnavailable":
      return `${message}${systemReason(error.cause)}: choose another directory with --data`
    case "ServeFailed":
      return explainServe(error)
    case "InvalidPolicy":
      return `${message}: the gateway does not start with a policy that is broken`
    case "SqlError":
      return `The gateway's database failed${systemReason(error.cause)}`
    case "StoreUnavailable":
      return `${message}${storeHint[error.reason]}`
    case "WorkspaceUnavailable":
      return `${message}${workspaceHint[error.reason]}`
    case "InvalidAgentName":
    case "InvalidApiKey":
    case "OwnKeyUnknown":
    case "PackConflict":
    case "InvalidCapabilityName":
      return message
  }
}

/** The failure of a command that works on this machine, in one line that says what to do. */
export const explainLocal = (error: LocalFailure): CommandFailed => failed(oneLine(explain(error)))
