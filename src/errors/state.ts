import { knownNumber, knownText, taggedError } from "./base.js"

/** Nothing is stored under the key, or not in the version asked for. */
export class KeyNotFound extends taggedError<KeyNotFound>()("KeyNotFound", { key: knownText }) {}

/** The value would take more room than the state has; `used` and `limit` are bytes. Nothing was written. */
export class QuotaExceeded extends taggedError<QuotaExceeded>()("QuotaExceeded", {
  used: knownNumber,
  limit: knownNumber
}) {}

/** The gateway could not set up the subscription to changes of the shared state. */
export class SubscriptionFailed extends taggedError<SubscriptionFailed>()("SubscriptionFailed", { prefix: knownText }, {
  retryable: true
}) {}

/** There is no snapshot with this id, or no longer. */
export class SnapshotNotFound extends taggedError<SnapshotNotFound>()("SnapshotNotFound", { snapshotId: knownText }) {}

/** There is no backup with this id, or no longer. */
export class BackupNotFound extends taggedError<BackupNotFound>()("BackupNotFound", { backupId: knownText }) {}

/** The backup cannot be decrypted: the vault's key is another one than it was made with, or the file is damaged. */
export class DecryptionFailed extends taggedError<DecryptionFailed>()("DecryptionFailed", { backupId: knownText }) {}
