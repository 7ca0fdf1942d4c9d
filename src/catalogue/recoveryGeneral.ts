import type { Recoveries } from "./RecoveryMeaning.js"
import { always, parentDirectory, samePath, samePathWith, searchByName } from "./suggestedInputs.js"

/** The recovery actions of files, of the agent and its session, and of what any capability can fail with. */
export const recoveryGeneral: Recoveries = {
  check_scope: {
    description: "See which directory this session may work in, and give a path inside it",
    capability: "agent.session"
  },
  use_workspace_path: {
    description: "Give a path below /workspace, or one relative to it",
    capability: "filesystem.list",
    inputs: always({ path: "/workspace" })
  },
  request_access: { description: "Ask the supervisor for access to it" },
  search: {
    description: "Look for it by name in the whole workspace",
    capability: "filesystem.search",
    inputs: searchByName
  },
  list: {
    description: "List the directory around it to see which names there are",
    capability: "filesystem.list",
    inputs: parentDirectory
  },
  list_directory: {
    description: "List the directory that should contain it",
    capability: "filesystem.list",
    inputs: parentDirectory
  },
  list_contents: {
    description: "See what the directory holds; delete or move that first",
    capability: "filesystem.list",
    inputs: samePathWith({ include_hidden: true })
  },
  check_path: { description: "Check the path for a misspelt name or a missing directory" },
  try_binary: {
    description: "Read it as bytes: with the encoding \"binary\" the content comes as base64",
    capability: "filesystem.read",
    inputs: samePathWith({ encoding: "binary" })
  },
  create_parents: {
    description: "Write again with create_parents, which makes the missing directories",
    again: true,
    inputs: samePathWith({ create_parents: true })
  },
  check_quota: { description: "See how much room the disk has left", capability: "system.info" },
  read: { description: "It is a file: read it", capability: "filesystem.read", inputs: samePath },
  simplify: { description: "Use a simpler pattern, or search for literal text" },
  overwrite: {
    description: "Call again with overwrite if what is there may be replaced, or choose another destination",
    again: true,
    inputs: always({ overwrite: true })
  },
  preview: {
    description: "Run the same edit with dry_run to see what matches, then correct the pattern or the expected count",
    again: true,
    inputs: always({ dry_run: true })
  },
  fix_input: { description: "Correct the argument that the error names and call again" },
  fix_timezone: {
    description: "Use a name of the IANA time zone database, such as Europe/Vienna or UTC",
    again: true
  },
  reduce_scope: {
    description: "Watch one directory higher up in place of several below it, or leave out recursive",
    again: true
  },
  cancel_existing: { description: "Give up watches that are not needed any more; they end with the session" },
  list_capabilities: { description: "See which capabilities there are", capability: "agent.capabilities" },

  check_credentials: { description: "Check that the key is the one that was given for this agent" },
  contact_admin: { description: "Ask an administrator of the gateway why the agent was revoked" },
  create_new_agent: { description: "Have a new agent created, and connect with its key" },
  reconnect: { description: "Connect to the gateway again, which starts a new session" },
  wait_and_retry: { description: "Wait for the time that the error gives, then send the same call again" },
  check_policy: { description: "See which rules hold for this agent", capability: "agent.policy" },
  request_escalation: { description: "Ask the supervisor to allow it or to do it" },
  wait_for_approval: { description: "Wait until the supervisor has decided; do not send the call a second time" },
  check_status: { description: "Ask for the state of the request with its id" },
  modify_and_retry: { description: "Change the call so that it meets the objection, then ask again" },
  contact_supervisor: { description: "Ask the supervisor what would be acceptable" },
  check_permissions: {
    description: "See who owns the file and what its permissions are",
    capability: "filesystem.stat",
    inputs: samePath
  },
  check_usage: { description: "See what this session uses and what its limits are", capability: "agent.session" },
  cleanup: { description: "Free some of what is used up, for instance by deleting what is no longer needed" },
  retry: { description: "Send the same call again", again: true },
  increase_timeout: { description: "Allow more time, or ask for less at once" },
  re_read: { description: "Read the present version, apply the change to it and write again" },
  retry_later: { description: "Send the same call again after a while", again: true },
  check_service_status: { description: "See which part of the gateway is in trouble", capability: "system.health" },
  request_approval: { description: "Ask the supervisor to approve so many at once" }
}
