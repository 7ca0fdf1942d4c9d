export type { BuiltIn } from "./catalogue/builtIn.js"
export * as Capability from "./catalogue/Capability.js"
export * as Catalogue from "./catalogue/Catalogue.js"
export type { Prose, Proses } from "./catalogue/Prose.js"
export type { DiscoveryError, OutcomeError } from "./connection/invocations.js"
export { GatewayStatus } from "./connection/Link.js"
export * from "./errors/index.js"
export { InvocationEvent } from "./schema/InvocationEvent.js"
export type { RollbackReport } from "./schema/Rollback.js"
export { Approvals, type ApprovalsError, type ApprovalsService, type WaitOptions } from "./services/Approvals.js"
export {
  Capabilities,
  type CapabilitiesService,
  type DynamicOptions,
  type InvokeError,
  type InvokeOptions,
  type ListFilter
} from "./services/Capabilities.js"
export { Gateway, type GatewayService, type GatewayServices, type McpConfig } from "./services/Gateway.js"
export type { CallSettings, GatewayOptions } from "./services/GatewayOptions.js"
export {
  type Changes,
  type ChangesError,
  type ChangesOptions,
  type Checkpoint,
  type GetOptions,
  type HistoryOptions,
  type InitialOptions,
  type PersistentState,
  type PersistentWrite,
  type PlainValue,
  type SessionState,
  type SharedSetOptions,
  type SharedState,
  State,
  type StateCapability,
  type StateError,
  type StateService,
  type Update,
  type UpdateError,
  type UpdateOptions
} from "./services/State.js"
export {
  type BeginError,
  type CommitError,
  Transaction,
  type TransactionError,
  type TransactionHandle,
  type TransactionMode,
  type TransactionOptions,
  type TransactionRequestError,
  type TransactionService
} from "./services/Transaction.js"
