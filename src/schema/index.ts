export { type ApprovalOutcome, ApprovalState, type ApprovalStatus } from "./Approval.js"
export {
  CapabilityDefinition,
  CommonPattern,
  ErrorDefinition,
  InputDefinition,
  OutputDefinition,
  PermissionTier,
  SideEffect
} from "./CapabilityDefinition.js"
export { ErrorResponse, InvocationResult } from "./Invocation.js"
export { InvocationEvent } from "./InvocationEvent.js"
export { Outcome } from "./Outcome.js"
export {
  AgentId,
  DateTimeUtc,
  FilesystemPath,
  Float,
  GlobPattern,
  Integer,
  Json,
  NonNegativeInteger,
  openEnumeration,
  SessionId,
  Sha256,
  Url
} from "./primitives.js"
export { RecoveryAction } from "./RecoveryAction.js"
export { RollbackConflict, RollbackReport } from "./Rollback.js"
export type { Feature, Session } from "./Session.js"
export {
  type PersistentEntry,
  type PersistentKey,
  type SharedEntry,
  type SharedKey,
  StateChange,
  type StateEntry,
  type VersionedEntry
} from "./StateEntry.js"
