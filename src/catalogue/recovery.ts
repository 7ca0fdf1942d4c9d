import { encodeFailure } from "../errors/encode.js"
import type { KruxosError } from "../errors/KruxosError.js"
import type { RecoveryAction } from "../schema/RecoveryAction.js"
import type { AnyCapability } from "./Capability.js"
import { recoveryGeneral } from "./recoveryGeneral.js"
import { recoveryKeys } from "./recoveryKeys.js"
import type { Recoveries, Recovery } from "./RecoveryMeaning.js"
import { recoveryServices } from "./recoveryServices.js"
import { recoveryWork } from "./recoveryWork.js"
import type { ErrorContext } from "./suggestedInputs.js"

const recoveries: Recoveries = { ...recoveryGeneral, ...recoveryServices, ...recoveryWork }

/** The recovery actions of the errors that any capability can fail with, by wire type and by tag. */
const general: { readonly [type: string]: ReadonlyArray<string> } = {
  "auth.invalid_credentials": ["check_credentials"],
  "auth.agent_revoked": ["contact_admin", "create_new_agent"],
  "auth.rate_limited": ["wait_and_retry"],
  "resource.exhausted": ["check_usage", "cleanup"],
  "proxy.service_error": ["retry_later"],
  "proxy.batch_protection": ["request_approval"],
  NotAuthenticated: ["reconnect"],
  AuthenticationFailed: ["reconnect"],
  SessionExpired: ["reconnect"],
  PolicyDenied: ["check_policy", "request_escalation"],
  ApprovalPending: ["wait_for_approval", "check_status"],
  ApprovalRequired: ["wait_for_approval", "check_status"],
  ApprovalRejected: ["modify_and_retry", "contact_supervisor"],
  ApprovalExpired: ["modify_and_retry"],
  InvalidInput: ["fix_input"],
  PathOutOfScope: ["check_scope", "use_workspace_path"],
  FileNotFound: ["list_directory", "check_path"],
  PermissionDenied: ["check_permissions", "request_access"],
  ResourceExhausted: ["check_usage", "cleanup"],
  RateLimited: ["wait_and_retry"],
  Timeout: ["retry", "increase_timeout"],
  GatewayTimeout: ["retry", "increase_timeout"],
  ConflictError: ["re_read"],
  VersionConflict: ["retry"],
  ServiceUnavailable: ["retry_later", "check_service_status"],
  BatchProtection: ["request_approval"],
  CapabilityNotFound: ["list_capabilities"]
}

const own = <A>(values: { readonly [name: string]: A }, name: string): A | undefined =>
  Object.hasOwn(values, name) ? values[name] : undefined

const lookUp = (capability: string | undefined, type: string, action: string): Recovery | undefined =>
  recoveryKeys(capability, type, action).map((key) => own(recoveries, key)).find((found) => found !== undefined)

/** What a recovery action of an error means, for a model; empty for one that only a pack knows. */
export const recoveryDescription = (capability: string, type: string, action: string): string =>
  lookUp(capability, type, action)?.description ?? ""

// Several wire types share these two classes, whose `reason` is then the wire type.
const typesOf = (error: KruxosError): ReadonlyArray<string> =>
  error._tag === "CapabilityUnavailable" || error._tag === "InvalidInput"
    ? [error.type, ...(error.reason === undefined ? [] : [error.reason]), error._tag]
    : [error.type, error._tag]

const firstListed = (
  types: ReadonlyArray<string>,
  actionsOf: (type: string) => ReadonlyArray<string> | undefined
): ReadonlyArray<string> | undefined =>
  types.map(actionsOf).find((actions) => actions !== undefined && actions.length > 0)

/**
 * What can be done about an error, best first: its own recovery actions if it has any, else those that the capability
 * lists for it, else those of the general error types. Where a capability carries an action out, it is named, with the
 * inputs that the error's context suggests; they may need others beside them.
 */
export const recoveryFor = (
  capability: AnyCapability | undefined,
  error: KruxosError
): ReadonlyArray<RecoveryAction> => {
  if (error.recovery.length > 0) return error.recovery
  const types = typesOf(error)
  const actions = firstListed(types, (type) => own(capability?.errors ?? {}, type)?.recovery) ??
    firstListed(types, (type) => own(general, type)) ??
    []
  const { context } = encodeFailure(error)
  return actions.map((action) => actionFor(action, context, error._tag, capability))
}

const actionFor = (
  action: string,
  context: ErrorContext,
  type: string,
  capability: AnyCapability | undefined
): RecoveryAction => {
  const recovery = lookUp(capability?.name, type, action)
  const carriedOutBy = recovery?.again === true ? capability?.name : recovery?.capability
  const inputs = carriedOutBy === undefined ? undefined : recovery?.inputs?.(context, type)
  return {
    action,
    description: recovery?.description ?? "",
    ...(carriedOutBy === undefined ? {} : { capability: carriedOutBy }),
    ...(inputs === undefined ? {} : { inputs })
  }
}
