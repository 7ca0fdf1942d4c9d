import * as Schema from "effect/Schema"
import { CapabilityUnavailable, InvalidInput } from "../errors/general.js"
import { VaultLocked } from "../errors/secrets.js"
import { BackupNotFound, DecryptionFailed, SnapshotNotFound } from "../errors/state.js"
import { JsonValue } from "../schema/JsonValue.js"
import { DateTimeUtc, Integer } from "../schema/primitives.js"
import { failure, make, optional } from "./Capability.js"

const Fields = Schema.Record({ key: Schema.String, value: Schema.Unknown })

const snapshot = { snapshot_id: Schema.String, timestamp: DateTimeUtc, size_bytes: Integer }

const backup = {
  backup_id: Schema.String,
  created_at: DateTimeUtc,
  file_size_bytes: Integer,
  scope: Schema.String
}

const checkDisk = failure(CapabilityUnavailable, "check_disk")

const vaultLocked = failure(VaultLocked, "unlock_vault")

const backupNotFound = failure(BackupNotFound, "list_backups")

export const createSnapshot = make("state.snapshot.create", {
  tier: "notify",
  tags: ["state", "snapshot", "write"],
  inputs: {},
  outputs: snapshot,
  errors: { IoError: checkDisk },
  sideEffects: ["not reversible", "not reversible"]
})

export const listSnapshots = make("state.snapshot.list", {
  tier: "autonomous",
  tags: ["state", "snapshot", "read", "safe"],
  inputs: {},
  outputs: { snapshots: Schema.Array(Schema.Struct(snapshot)), count: Integer },
  errors: { IoError: checkDisk }
})

export const loadSnapshot = make("state.snapshot.load", {
  tier: "autonomous",
  tags: ["state", "snapshot", "read", "safe"],
  inputs: { snapshot_id: Schema.String },
  outputs: {
    snapshot: Schema.Struct({
      agents: JsonValue,
      resources: JsonValue,
      approvals: JsonValue,
      alerts: JsonValue,
      health: JsonValue,
      state: JsonValue
    })
  },
  errors: { SnapshotNotFound: failure(SnapshotNotFound, "list_snapshots") }
})

export const generateBriefing = make("state.briefing.generate", {
  tier: "autonomous",
  tags: ["state", "briefing", "read", "safe"],
  inputs: {
    since: optional(DateTimeUtc),
    detail_level: optional(Schema.Literal("summary", "detailed"), "summary")
  },
  outputs: {
    briefing: Schema.Struct({
      since: DateTimeUtc,
      filesystem_changes: Fields,
      process_events: Fields,
      pending_approvals: Integer,
      unread_messages: Integer,
      alerts: Fields,
      health: Fields,
      /** Keys that were written or removed since; only of gateways that know. */
      state_changes: Schema.optional(Fields),
      summary: Schema.String
    })
  },
  errors: { InvalidTimestamp: failure(InvalidInput, "fix_format") }
})

export const createBackup = make("state.backup.create", {
  tier: "approval_required",
  tags: ["state", "backup", "write"],
  inputs: { agent: optional(Schema.String) },
  outputs: backup,
  errors: { IoError: checkDisk, VaultLocked: vaultLocked },
  sideEffects: ["not reversible", "not reversible"]
})

export const listBackups = make("state.backup.list", {
  tier: "autonomous",
  tags: ["state", "backup", "read", "safe"],
  inputs: {},
  outputs: { backups: Schema.Array(Schema.Struct(backup)), count: Integer },
  errors: { IoError: checkDisk }
})

export const restoreBackup = make("state.backup.restore", {
  tier: "approval_required",
  tags: ["state", "backup", "write"],
  inputs: { backup_id: Schema.String, agent: optional(Schema.String) },
  outputs: {
    restored: Schema.Boolean,
    agents_restored: Schema.Array(Schema.String),
    shared_state_restored: Schema.Boolean
  },
  errors: {
    BackupNotFound: backupNotFound,
    DecryptionFailed: failure(DecryptionFailed, "check_vault"),
    VaultLocked: vaultLocked
  },
  sideEffects: ["not reversible", "not reversible", "not reversible"]
})

export const exportBackup = make("state.backup.export", {
  tier: "approval_required",
  tags: ["state", "backup", "write"],
  inputs: { backup_id: Schema.String, path: Schema.String },
  outputs: { exported_path: Schema.String, size_bytes: Integer },
  errors: { BackupNotFound: backupNotFound, IoError: failure(CapabilityUnavailable, "check_path") },
  sideEffects: ["not reversible"]
})
