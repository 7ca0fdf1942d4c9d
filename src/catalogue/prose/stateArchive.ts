import type { Proses } from "../Prose.js"
import type * as entries from "../stateArchive.js"

type Archive = { readonly [C in (typeof entries)[keyof typeof entries] as C["name"]]: C }

const snapshotFailed = "The snapshots on disk could not be read."

const vaultLocked = "The vault is locked, so that the key for backups is out of reach."

const backupNotFound = "There is no backup with this id."

const backupId = "The id of the backup, such as bkp-20250131T080000."

/** The words of `state.snapshot.*`, `state.briefing.*` and `state.backup.*`. */
export const stateArchive: Proses<Archive> = {
  "state.snapshot.create": {
    purpose: "Records how the whole system stands now: agents, resources, approvals, alerts, health and state.",
    whenToUse: "Use it before risky work, to compare with afterwards. It is a picture to look at, nothing to go back " +
      "to: for that take state.backup.create.",
    inputs: {},
    outputs: {
      snapshot_id: "The id of the snapshot, such as snap-20250131T080000.",
      timestamp: "When it was taken.",
      size_bytes: "Its size in bytes."
    },
    errors: { IoError: "The snapshot could not be written to disk." },
    sideEffects: ["There is one more snapshot.", "It takes room on the disk."],
    commonPatterns: [{
      description: "See what a risky change did",
      steps: ["state.snapshot.create before and after", "state.snapshot.load of both, and compare"]
    }]
  },
  "state.snapshot.list": {
    purpose: "Lists the snapshots of the system, newest first.",
    whenToUse: "Use it to find the id of a snapshot. What is in one comes from state.snapshot.load.",
    inputs: {},
    outputs: { snapshots: "The snapshots: id, time and size in bytes.", count: "How many there are." },
    errors: { IoError: snapshotFailed },
    sideEffects: [],
    commonPatterns: [{
      description: "Look at the newest snapshot",
      steps: ["state.snapshot.list", "state.snapshot.load of the first"]
    }]
  },
  "state.snapshot.load": {
    purpose: "Shows what a snapshot recorded. Nothing is put back.",
    whenToUse: "Use it to see how things stood at an earlier time. For how they stand now take system.health or " +
      "state.briefing.generate.",
    inputs: { snapshot_id: "The id, as state.snapshot.list gives it." },
    outputs: { snapshot: "Agents, resources, approvals, alerts, health and state, as they were." },
    errors: { SnapshotNotFound: "There is no snapshot with this id." },
    sideEffects: [],
    commonPatterns: [{
      description: "Find out when something broke",
      steps: ["state.snapshot.list", "state.snapshot.load of several, and compare their health"]
    }]
  },
  "state.briefing.generate": {
    purpose: "Sums up what happened while you were away: files, processes, approvals, messages, alerts and health.",
    whenToUse:
      "Use it first thing in a new session, before you look around by yourself. Read summary first; the rest " +
      "is for what it points at.",
    inputs: {
      since: "From when on, ISO 8601; left out, since you were last active.",
      detail_level: "summary for numbers and one text, detailed for the single events as well."
    },
    outputs: {
      briefing:
        "Changes of files, events of processes, numbers of pending approvals and unread messages, alerts, health, " +
        "and a summary in words."
    },
    errors: { InvalidTimestamp: "since is not a time in ISO 8601." },
    sideEffects: [],
    commonPatterns: [{
      description: "Take up work again",
      steps: [
        "state.briefing.generate",
        "state.persistent.get of your checkpoint",
        "comms.receive when there are unread messages"
      ]
    }]
  },
  "state.backup.create": {
    purpose: "Makes an encrypted backup of all state, or of one agent's.",
    whenToUse:
      "Use it before changes that may have to be taken back as a whole. A human has to approve it. For a mere " +
      "record take state.snapshot.create.",
    inputs: { agent: "The agent whose state is backed up; left out, everything." },
    outputs: {
      backup_id: "The id of the backup; keep it for state.backup.restore.",
      created_at: "When it was made.",
      file_size_bytes: "Its size in bytes.",
      scope: "full, or agent: with the agent's name."
    },
    errors: { IoError: "The backup could not be written to disk.", VaultLocked: vaultLocked },
    sideEffects: ["There is one more backup, encrypted with the vault's key.", "It takes room on the disk."],
    commonPatterns: [{
      description: "Change much state safely",
      steps: ["state.backup.create", "Make the changes", "state.backup.restore if they went wrong"]
    }]
  },
  "state.backup.list": {
    purpose: "Lists the backups, newest first.",
    whenToUse: "Use it to find the id of a backup, or to see how old the last one is.",
    inputs: {},
    outputs: { backups: "The backups: id, time, scope and size in bytes.", count: "How many there are." },
    errors: { IoError: "The backups on disk could not be read." },
    sideEffects: [],
    commonPatterns: [{
      description: "Make sure that there is a recent backup",
      steps: ["state.backup.list and look at the first", "state.backup.create if it is too old"]
    }]
  },
  "state.backup.restore": {
    purpose: "Puts the state back that a backup holds, for all agents or for one.",
    whenToUse:
      "Use it only to undo damage: whatever was written since the backup is lost. A human has to approve it. " +
      "For a single key, state.persistent.history and state.persistent.set are enough.",
    inputs: { backup_id: backupId, agent: "Only this agent's state; left out, all that the backup holds." },
    outputs: {
      restored: "Whether the state was put back.",
      agents_restored: "The agents whose state was put back.",
      shared_state_restored: "Whether the shared state was put back too."
    },
    errors: {
      BackupNotFound: backupNotFound,
      DecryptionFailed: "The backup was made with another key than the vault's, or is damaged.",
      VaultLocked: vaultLocked
    },
    sideEffects: [
      "The agents' state is that of the backup.",
      "The shared state is that of the backup, if it holds one.",
      "What was written since the backup is gone."
    ],
    commonPatterns: [{
      description: "Go back, and be able to return",
      steps: ["state.backup.create of how it is now", "state.backup.list", "state.backup.restore of the earlier one"]
    }]
  },
  "state.backup.export": {
    purpose: "Copies a backup to a file, still encrypted.",
    whenToUse: "Use it to keep a backup outside the gateway. A human has to approve it. It is no use without the " +
      "vault that holds its key.",
    inputs: { backup_id: backupId, path: "The file to write." },
    outputs: { exported_path: "The file that was written.", size_bytes: "Its size in bytes." },
    errors: { BackupNotFound: backupNotFound, IoError: "The file could not be written there." },
    sideEffects: ["There is a copy of the backup at the path."],
    commonPatterns: [{
      description: "Hand the newest backup over",
      steps: ["state.backup.list", "state.backup.export of the first to a path that can be fetched"]
    }]
  }
}
