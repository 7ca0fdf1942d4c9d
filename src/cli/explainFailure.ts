import type { KruxosError } from "../errors/KruxosError.js"
import type { RecoveryAction } from "../schema/RecoveryAction.js"
import { CommandFailed, ExitCode } from "./exit.js"
import { oneLine, printable, shellQuoted } from "./text.js"

const commandOf = ({ capability, inputs }: RecoveryAction): string => {
  if (capability === undefined) return ""
  const input = inputs === undefined ? [] : [shellQuoted(JSON.stringify(inputs))]
  return `: ${["kruxos invoke", capability, ...input].join(" ")}`
}

/** What can be done about a failure, one line for each way. */
const recoveryLine = (recovery: RecoveryAction): string => {
  const { action, description } = recovery
  return oneLine(`Try: ${action}${description === "" ? "" : ` — ${description}`}${commandOf(recovery)}`)
}

const approvalLines = (error: KruxosError): ReadonlyArray<string> =>
  error._tag === "ApprovalRequired" ? [`Approval: ${printable(error.approvalId)}`] : []

// What every gateway has, also one that suggests nothing.
const recoveryOf = (error: KruxosError): ReadonlyArray<string> =>
  error._tag === "CapabilityNotFound" && error.recovery.length === 0
    ? ["Try: `kruxos capabilities` lists what there is"]
    : error.recovery.map(recoveryLine)

/** The failure of a command that asked the gateway for something: the error's type, message and recovery actions. */
export const explainFailure = (error: KruxosError): CommandFailed =>
  new CommandFailed({
    message: [
      printable(`${error.type}: ${error.message}`),
      ...approvalLines(error),
      ...recoveryOf(error)
    ].join("\n"),
    exitCode: error._tag === "ApprovalRequired" ? ExitCode.approvalRequired : ExitCode.failed
  })
