import type { Recoveries } from "./RecoveryMeaning.js"
import { always, type ErrorContext, type SuggestedInputs } from "./suggestedInputs.js"

// The field of the error's context, as an input; none where the error does not tell it.
const same = (field: string) => (context: ErrorContext): SuggestedInputs | undefined => {
  const value = context[field]
  return typeof value === "string" && value !== "" ? { [field]: value } : undefined
}

const searchMail = {
  description: "Look for the message by sender, subject or text, and take its id from there",
  capability: "email.search"
}

/**
 * The recovery actions of mail, Slack, buffered writes and state, by `recoveryKeys`: where an action means something of
 * its own for a category, for part of one or for an error type, the key starts with that.
 */
export const recoveryServices: Recoveries = {
  "email.search": searchMail,
  "slack.search": {
    description: "Look for the message by channel, user or text, and take its id from there",
    capability: "slack.search"
  },
  "proxy.search": {
    description: "See which writes there are, and take the id from there",
    capability: "proxy.list_writes",
    inputs: always({ status: "all" })
  },
  "proxy.check_status": {
    description: "See what became of the write",
    capability: "proxy.list_writes",
    inputs: always({ status: "all" })
  },
  search_first: searchMail,
  wait_for_sync: {
    description: "If the message is new, wait until the gateway has synchronised it, then ask again",
    again: true
  },
  provide_recipient: { description: "Give an address in `to`; several are separated by commas", again: true },
  wait: { description: "Wait until the hour that the limit counts is over, then send the rest", again: true },
  check_parameters: { description: "Check the addresses and the other arguments, and correct what the error names" },
  specify_labels: { description: "Name at least one label to add or to remove", again: true },
  use_individual_delete: {
    description: "Delete the messages one at a time; only a few can be deleted in a session",
    capability: "email.delete"
  },
  request_policy_change: { description: "Ask the supervisor whether the policy can allow it" },

  "state.session.delete_unused": {
    description: "See which keys there are, and delete those that are not needed any more",
    capability: "state.session.list"
  },
  "state.persistent.delete_unused": {
    description: "See which keys take the most room, and delete those that are not needed any more",
    capability: "state.persistent.list"
  },
  "state.shared.delete_unused": {
    description: "See which keys take the most room, and delete those that no agent needs any more",
    capability: "state.shared.list"
  },
  clear: {
    description: "Remove everything from the session state, if none of it is needed",
    capability: "state.session.clear"
  },
  "state.persistent.list_keys": { description: "See which keys there are", capability: "state.persistent.list" },
  "state.shared.list_keys": { description: "See which keys there are", capability: "state.shared.list" },
  "VersionConflict.retry": {
    description: "Read the present value and version, apply the change to that value, and set it with that version",
    capability: "state.shared.get",
    inputs: same("key")
  },
  use_session: {
    description: "Look in the session state, in case the value was stored there",
    capability: "state.session.get",
    inputs: same("key")
  },
  request_increase: { description: "Ask the supervisor for a larger quota" },
  list_snapshots: { description: "See which snapshots there are", capability: "state.snapshot.list" },
  list_backups: { description: "See which backups there are", capability: "state.backup.list" },
  fix_format: { description: "Give the time in ISO 8601, such as 2025-01-31T08:00:00Z", again: true },
  check_disk: { description: "See whether the disk has room left", capability: "system.info" },
  unlock_vault: { description: "Ask the supervisor to unlock the vault, then send the same call again" },
  check_vault: { description: "Ask the supervisor whether the vault holds the key that the backup was made with" }
}
