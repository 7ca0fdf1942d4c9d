import * as Schema from "effect/Schema"
import * as Alerts from "./alerts.js"
import * as Comms from "./comms.js"
import * as Email from "./email.js"
import * as Filesystem from "./filesystem.js"
import * as Gateway from "./gateway.js"
import * as General from "./general.js"
import * as Git from "./git.js"
import * as Network from "./network.js"
import * as Process from "./process.js"
import * as Proxy from "./proxy.js"
import * as Scheduler from "./scheduler.js"
import * as Secrets from "./secrets.js"
import * as State from "./state.js"

/** The whole family of what a capability can fail with, and the connection cannot. */
export const CapabilityFailure = Schema.Union(
  ...General.GeneralError.members,
  General.VersionConflict,
  General.UpdateExhausted,
  General.TransactionTimeout,
  General.RollbackIncomplete,
  General.CapabilityUnavailable,
  General.CapabilityNotFound,
  General.BatchProtection,
  Alerts.AlertNotFound,
  Comms.RecipientNotFound,
  Email.BodyFetchFailed,
  Email.OperationBlocked,
  Filesystem.PathOutOfScope,
  Filesystem.FileNotFound,
  Filesystem.DirectoryNotFound,
  Filesystem.NotADirectory,
  Filesystem.EncodingError,
  Filesystem.ParentNotFound,
  Filesystem.DiskFull,
  Filesystem.DirectoryNotEmpty,
  Filesystem.InvalidPattern,
  Filesystem.DestinationExists,
  Filesystem.TooManyWatches,
  Filesystem.ReplacementCountMismatch,
  Filesystem.TrashEntryNotFound,
  Git.NotARepository,
  Git.CloneFailed,
  Git.MergeConflict,
  Git.PullFailed,
  Git.PushRejected,
  Git.PushFailed,
  Git.NothingToCommit,
  Git.CommitFailed,
  Git.CommitNotFound,
  Git.BranchNotFound,
  Git.BranchAlreadyExists,
  Network.DomainNotAllowed,
  Network.RequestFailed,
  Network.DnsResolutionFailed,
  Network.ChecksumMismatch,
  Network.DownloadFailed,
  Network.PortCheckFailed,
  Network.HostNotAllowed,
  Process.CommandNotFound,
  Process.ResourceLimitExceeded,
  Process.SpawnFailed,
  Process.ProcessNotFound,
  Process.ProcessAlreadyExited,
  Process.KillFailed,
  Proxy.MessageNotFound,
  Proxy.WriteFailed,
  Proxy.WriteNotFound,
  Proxy.WriteAlreadyExecuted,
  Scheduler.InvalidCronExpression,
  Secrets.SecretNotFound,
  Secrets.ScopeViolation,
  Secrets.VaultLocked,
  State.KeyNotFound,
  State.QuotaExceeded,
  State.SubscriptionFailed,
  State.SnapshotNotFound,
  State.BackupNotFound,
  State.DecryptionFailed
)
export type CapabilityFailure = typeof CapabilityFailure.Type

/** Every error of this package, as a schema: for storing one, or sending it to another process. */
export const KruxosError = Schema.Union(...CapabilityFailure.members, ...Gateway.GatewayError.members)
export type KruxosError = typeof KruxosError.Type

/** The class of one of them. */
export type ErrorClass = (typeof KruxosError.members)[number]

const isFailure = Schema.is(CapabilityFailure)

const isGatewayFailure = Schema.is(Gateway.GatewayError)

/**
 * Narrows to what a capability can fail with, as the guide's `except CapabilityError` does: everything but the failures
 * of the connection.
 */
export const isCapabilityError = <E>(error: E): error is Extract<E, CapabilityFailure> => isFailure(error)

/** Narrows to what the connection can fail with, whatever the call. */
export const isGatewayError = <E>(error: E): error is Extract<E, Gateway.GatewayError> => isGatewayFailure(error)
