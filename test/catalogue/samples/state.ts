import type { Samples } from "./Sample.js"

const created = "2025-01-30T17:00:00.000Z"

const updated = "2025-01-31T08:00:00.000Z"

const value = { step: 3, total: 10, done: [true, null, 0.85, "draft"] }

const snapshot = { snapshot_id: "snap-20250131T080000", timestamp: updated, size_bytes: 20_480 }

const backup = { backup_id: "bkp-20250131T080000", created_at: updated, file_size_bytes: 1_048_576, scope: "full" }

/** An input and an output of each capability of `state.*`, as they go over the wire. */
export const state = {
  "state.session.get": { input: { key: "task.current" }, output: { value, found: true } },
  "state.session.set": {
    input: { key: "task.current", value },
    output: { previous_value: null, overwritten: true }
  },
  "state.session.delete": { input: { key: "task.current" }, output: { previous_value: value, deleted: true } },
  "state.session.list": { input: { prefix: "task." }, output: { keys: ["task.current", "task.next"], count: 2 } },
  "state.session.clear": { input: {}, output: { removed_count: 2 } },
  "state.persistent.get": {
    input: { key: "config.threshold", version: 2 },
    output: { value: 0.85, version: 2, found: true, created_at: created, updated_at: updated }
  },
  "state.persistent.set": {
    input: { key: "config.threshold", value: null },
    output: { version: 3, previous_version: 2 }
  },
  "state.persistent.delete": { input: { key: "config.threshold" }, output: { deleted: true } },
  "state.persistent.list": {
    input: { prefix: "config." },
    output: {
      entries: [{ key: "config.threshold", version: 3, size_bytes: 4, updated_at: updated }],
      count: 1,
      total_size_bytes: 4
    }
  },
  "state.persistent.query": {
    input: { prefix: "config." },
    output: {
      entries: [{ key: "config.threshold", value: null, version: 3, created_at: created, updated_at: updated }],
      count: 1
    }
  },
  "state.persistent.history": {
    input: { key: "config.threshold", limit: 5 },
    output: {
      versions: [
        { value: 0.85, version: 2, created_at: created, updated_at: updated },
        { value: "0.8", version: 1, created_at: created, updated_at: created }
      ],
      count: 2
    }
  },
  "state.shared.get": {
    input: { key: "counter" },
    output: { value: 7, version: 8, found: true, owner_agent: "researcher", updated_at: updated }
  },
  "state.shared.set": { input: { key: "counter", value: 8, expected_version: 8 }, output: { version: 9 } },
  "state.shared.delete": { input: { key: "counter" }, output: { deleted: false } },
  "state.shared.list": {
    input: {},
    output: {
      entries: [{ key: "counter", version: 9, size_bytes: 1, owner_agent: "researcher", updated_at: updated }],
      count: 1,
      total_size_bytes: 1
    }
  },
  "state.shared.watch": { input: { prefix: "config." }, output: { subscription_id: "sub-5" } },
  "state.snapshot.create": { input: {}, output: snapshot },
  "state.snapshot.list": { input: {}, output: { snapshots: [snapshot], count: 1 } },
  "state.snapshot.load": {
    input: { snapshot_id: "snap-20250131T080000" },
    output: {
      snapshot: {
        agents: [{ name: "researcher", status: "active" }],
        resources: { cpu_percent: 3.5 },
        approvals: [],
        alerts: [],
        health: { overall_status: "healthy" },
        state: { persistent_keys: 12 }
      }
    }
  },
  "state.briefing.generate": {
    input: { since: created, detail_level: "detailed" },
    output: {
      briefing: {
        since: created,
        filesystem_changes: { created: 2, modified: 1, deleted: 0 },
        process_events: { completed: ["make test"] },
        pending_approvals: 1,
        unread_messages: 3,
        alerts: { warning: 0 },
        health: { overall_status: "healthy" },
        summary: "Two files are new, one approval is waiting."
      }
    }
  },
  "state.backup.create": { input: { agent: "researcher" }, output: { ...backup, scope: "agent:researcher" } },
  "state.backup.list": { input: {}, output: { backups: [backup], count: 1 } },
  "state.backup.restore": {
    input: { backup_id: "bkp-20250131T080000", agent: "researcher" },
    output: { restored: true, agents_restored: ["researcher"], shared_state_restored: false }
  },
  "state.backup.export": {
    input: { backup_id: "bkp-20250131T080000", path: "/workspace/backup.bin" },
    output: { exported_path: "/workspace/backup.bin", size_bytes: 1_048_576 }
  }
} satisfies Samples
