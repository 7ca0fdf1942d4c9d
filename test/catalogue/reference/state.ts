import type { Reference } from "./Documented.js"

const once = ["not reversible"]

const twice = ["not reversible", "not reversible"]

const thrice = ["not reversible", "not reversible", "not reversible"]

/** `state.*`, as documented. */
export const state: Reference = {
  "state.session.get": {
    tier: "autonomous",
    version: "1.0",
    tags: "state, session, read, safe",
    inputs: { key: "String" },
    outputs: { value: "Object", found: "Boolean" },
    errors: { SessionNotFound: "reconnect" }
  },
  "state.session.set": {
    tier: "autonomous",
    version: "1.0",
    tags: "state, session, write",
    inputs: { key: "String", value: "Object" },
    outputs: { previous_value: "Object", overwritten: "Boolean" },
    errors: { SessionNotFound: "reconnect", QuotaExceeded: "delete_unused, clear" },
    sideEffects: once
  },
  "state.session.delete": {
    tier: "autonomous",
    version: "1.0",
    tags: "state, session, write",
    inputs: { key: "String" },
    outputs: { previous_value: "Object", deleted: "Boolean" },
    errors: { SessionNotFound: "reconnect" },
    sideEffects: once
  },
  "state.session.list": {
    tier: "autonomous",
    version: "1.0",
    tags: "state, session, read, safe",
    inputs: { prefix: "String?" },
    outputs: { keys: "Array", count: "Integer" },
    errors: { SessionNotFound: "reconnect" }
  },
  "state.session.clear": {
    tier: "autonomous",
    version: "1.0",
    tags: "state, session, write",
    inputs: {},
    outputs: { removed_count: "Integer" },
    errors: { SessionNotFound: "reconnect" },
    sideEffects: once
  },
  "state.persistent.get": {
    tier: "autonomous",
    version: "1.0",
    tags: "state, persistent, read, safe",
    inputs: { key: "String", version: "Integer?" },
    outputs: {
      value: "Object",
      version: "Integer",
      found: "Boolean",
      created_at: "DateTime",
      updated_at: "DateTime"
    },
    errors: { KeyNotFound: "list_keys, use_session" }
  },
  "state.persistent.set": {
    tier: "autonomous",
    version: "1.0",
    tags: "state, persistent, write",
    inputs: { key: "String", value: "Object" },
    outputs: { version: "Integer", previous_version: "Integer" },
    errors: { QuotaExceeded: "delete_unused, request_increase" },
    sideEffects: thrice
  },
  "state.persistent.delete": {
    tier: "autonomous",
    version: "1.0",
    tags: "state, persistent, write",
    inputs: { key: "String" },
    outputs: { deleted: "Boolean" },
    errors: { KeyNotFound: "list_keys" },
    sideEffects: twice
  },
  "state.persistent.list": {
    tier: "autonomous",
    version: "1.0",
    tags: "state, persistent, read, safe",
    inputs: { prefix: "String?" },
    outputs: { entries: "Array", count: "Integer", total_size_bytes: "Integer" },
    errors: { DatabaseError: "retry" }
  },
  "state.persistent.query": {
    tier: "autonomous",
    version: "1.0",
    tags: "state, persistent, read, safe",
    inputs: { prefix: "String" },
    outputs: { entries: "Array", count: "Integer" },
    errors: { DatabaseError: "retry" }
  },
  "state.persistent.history": {
    tier: "autonomous",
    version: "1.0",
    tags: "state, persistent, read, safe",
    inputs: { key: "String", limit: "Integer?" },
    outputs: { versions: "Array", count: "Integer" },
    errors: { KeyNotFound: "list_keys" }
  },
  "state.shared.get": {
    tier: "autonomous",
    version: "1.0",
    tags: "state, shared, read, safe",
    inputs: { key: "String" },
    outputs: {
      value: "Object",
      version: "Integer",
      found: "Boolean",
      owner_agent: "String",
      updated_at: "DateTime"
    },
    errors: { KeyNotFound: "list_keys" }
  },
  "state.shared.set": {
    tier: "notify",
    version: "1.0",
    tags: "state, shared, write",
    inputs: { key: "String", value: "Object", expected_version: "Integer" },
    outputs: { version: "Integer" },
    errors: { VersionConflict: "retry", QuotaExceeded: "delete_unused, request_increase" },
    sideEffects: thrice
  },
  "state.shared.delete": {
    tier: "notify",
    version: "1.0",
    tags: "state, shared, write",
    inputs: { key: "String" },
    outputs: { deleted: "Boolean" },
    errors: { KeyNotFound: "list_keys" },
    sideEffects: twice
  },
  "state.shared.list": {
    tier: "autonomous",
    version: "1.0",
    tags: "state, shared, read, safe",
    inputs: { prefix: "String?" },
    outputs: { entries: "Array", count: "Integer", total_size_bytes: "Integer" },
    errors: { DatabaseError: "retry" }
  },
  "state.shared.watch": {
    tier: "autonomous",
    version: "1.0",
    tags: "state, shared, read, subscribe",
    inputs: { prefix: "String?" },
    outputs: { subscription_id: "String" },
    errors: { SubscriptionFailed: "retry" },
    sideEffects: once
  },
  "state.snapshot.create": {
    tier: "notify",
    version: "1.0",
    tags: "state, snapshot, write",
    inputs: {},
    outputs: { snapshot_id: "String", timestamp: "DateTime", size_bytes: "Integer" },
    errors: { IoError: "check_disk" },
    sideEffects: twice
  },
  "state.snapshot.list": {
    tier: "autonomous",
    version: "1.0",
    tags: "state, snapshot, read, safe",
    inputs: {},
    outputs: { snapshots: "Array", count: "Integer" },
    errors: { IoError: "check_disk" }
  },
  "state.snapshot.load": {
    tier: "autonomous",
    version: "1.0",
    tags: "state, snapshot, read, safe",
    inputs: { snapshot_id: "String" },
    outputs: { snapshot: "Object" },
    errors: { SnapshotNotFound: "list_snapshots" }
  },
  "state.briefing.generate": {
    tier: "autonomous",
    version: "1.0",
    tags: "state, briefing, read, safe",
    inputs: { since: "DateTime?", detail_level: "String? = \"summary\"" },
    outputs: { briefing: "Object" },
    errors: { InvalidTimestamp: "fix_format" }
  },
  "state.backup.create": {
    tier: "approval_required",
    version: "1.0",
    tags: "state, backup, write",
    inputs: { agent: "String?" },
    outputs: { backup_id: "String", created_at: "DateTime", file_size_bytes: "Integer", scope: "String" },
    errors: { IoError: "check_disk", VaultLocked: "unlock_vault" },
    sideEffects: twice
  },
  "state.backup.list": {
    tier: "autonomous",
    version: "1.0",
    tags: "state, backup, read, safe",
    inputs: {},
    outputs: { backups: "Array", count: "Integer" },
    errors: { IoError: "check_disk" }
  },
  "state.backup.restore": {
    tier: "approval_required",
    version: "1.0",
    tags: "state, backup, write",
    inputs: { backup_id: "String", agent: "String?" },
    outputs: { restored: "Boolean", agents_restored: "Array", shared_state_restored: "Boolean" },
    errors: { BackupNotFound: "list_backups", DecryptionFailed: "check_vault", VaultLocked: "unlock_vault" },
    sideEffects: thrice
  },
  "state.backup.export": {
    tier: "approval_required",
    version: "1.0",
    tags: "state, backup, write",
    inputs: { backup_id: "String", path: "String" },
    outputs: { exported_path: "String", size_bytes: "Integer" },
    errors: { BackupNotFound: "list_backups", IoError: "check_path" },
    sideEffects: once
  }
}
