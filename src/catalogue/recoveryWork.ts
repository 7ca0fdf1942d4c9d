import type { Recoveries } from "./RecoveryMeaning.js"
import { always, type ErrorContext, samePath, samePathWith, type SuggestedInputs } from "./suggestedInputs.js"

/** What the error's context has of these inputs. */
const known = (...names: ReadonlyArray<string>) => (context: ErrorContext): SuggestedInputs | undefined => {
  const found = names.filter((name) => context[name] !== undefined)
  return found.length === 0 ? undefined : Object.fromEntries(found.map((name) => [name, context[name]]))
}

const switchToBranch = (context: ErrorContext): SuggestedInputs | undefined => {
  const { branch, path } = context
  return path === undefined
    ? undefined
    : { path, action: "switch", ...(branch === undefined ? {} : { name: branch }) }
}

/**
 * The recovery actions of `git`, `network`, `process`, `scheduler`, `secrets`, `alerts` and `comms`, by `recoveryKeys`:
 * where an action means something of its own for a category, the key starts with the category.
 */
export const recoveryWork: Recoveries = {
  use_pull: {
    description: "If it is the repository that you want, bring it up to date",
    capability: "git.pull",
    inputs: samePath
  },
  choose_path: { description: "Call again with a path at which there is nothing yet", again: true },
  clone_first: {
    description: "Clone the repository to this path, or make a new one there with git.init",
    capability: "git.clone",
    inputs: samePath
  },
  check_url: { description: "Check the URL of the repository: the host, the path, the spelling", again: true },
  check_auth: { description: "Check that the remote lets this agent in, or ask the supervisor to give it access" },
  check_diff: {
    description: "See which files changed here, so as to decide how to join them with what the remote has",
    capability: "git.diff",
    inputs: samePath
  },
  pull_first: {
    description: "Take over what the remote has, then push again",
    capability: "git.pull",
    inputs: known("path", "remote", "branch")
  },
  "git.check_status": {
    description: "See which files of the repository changed, and which of them are ignored",
    capability: "git.status",
    inputs: samePath
  },
  check_config: {
    description: "Commit again with author_name and author_email, which the repository may not have",
    again: true
  },
  check_log: { description: "See which commits there are", capability: "git.log", inputs: samePath },
  list_branches: {
    description: "See which branches there are",
    capability: "git.branch",
    inputs: samePathWith({ action: "list" })
  },
  switch: {
    description: "If it is the branch that you want, switch to it",
    capability: "git.branch",
    inputs: switchToBranch
  },
  choose_name: { description: "Call again with a name that no branch has yet", again: true },
  use_valid_action: { description: "Use one of the actions list, create, switch and delete", again: true },

  fix_url: { description: "Give a whole URL that starts with https:// or http://", again: true },
  use_valid_method: { description: "Use a method that the capability lists, in capital letters", again: true },
  check_hostname: { description: "Check the spelling of the host name; it has no scheme, port or path", again: true },
  verify_checksum: { description: "Compare expected_checksum with the one that the source publishes now" },
  fix_port: { description: "Give a port from 1 to 65535", again: true },
  check_host: {
    description: "See whether the name of the host has an address",
    capability: "network.dns_lookup",
    inputs: ({ host }) => host === undefined ? undefined : { hostname: host }
  },

  "process.check_path": {
    description: "Check the name of the command; see with `command -v` whether it is installed",
    again: true
  },
  use_full_path: { description: "Give the command with its whole path, such as /usr/bin/python3", again: true },
  increase_limits: { description: "Allow more with cpu_limit, memory_limit or timeout", again: true },
  optimize: { description: "Make the command need less: smaller inputs, fewer at once, or in several runs" },
  list_processes: { description: "See which processes this session has started", capability: "process.list" },
  "process.check_status": {
    description: "See how the process ended",
    capability: "process.monitor",
    inputs: known("process_id")
  },
  force_kill: {
    description: "Send SIGKILL, which no process can ignore",
    capability: "process.kill",
    inputs: (context) => ({ ...known("process_id")(context), signal: "SIGKILL" })
  },
  use_valid_filter: { description: "Use running, completed, killed, timed_out or all", again: true },
  use_valid_stream: { description: "Use stdout, stderr or both", again: true },

  fix_expression: {
    description: "Give five fields: minute, hour, day of the month, month, day of the week, as in 0 9 * * 1-5",
    again: true
  },

  check_secrets: {
    description: "See which secrets there are and for which capabilities they may be used",
    capability: "secrets.list"
  },
  "secrets.check_scope": {
    description: "See for which capabilities the secret may be used",
    capability: "secrets.list"
  },
  alert_supervisor: {
    description: "Tell the supervisor what is needed and why; only a human can change it",
    capability: "alerts.send",
    inputs: always({ severity: "warning" })
  },

  list_alerts: { description: "See which alerts there are, with their ids", capability: "alerts.list" },

  check_agents: { description: "Check the name of the agent; names are matched exactly" }
}
