import { systemPath } from "../../sandbox/environment.js"

/** What holds for every command, whatever a repository says of itself: nothing of its choice is run. */
const always: ReadonlyArray<readonly [string, string]> = [
  ["advice.detachedHead", "false"],
  ["color.ui", "false"],
  ["commit.gpgSign", "false"],
  ["core.askPass", ""],
  ["core.attributesFile", "/dev/null"],
  // Longer files are not compared line by line, nor held in memory.
  ["core.bigFileThreshold", "64m"],
  ["core.editor", ":"],
  ["core.excludesFile", "/dev/null"],
  ["core.fsmonitor", "false"],
  ["core.hooksPath", "/dev/null"],
  ["core.packedGitLimit", "256m"],
  ["core.packedGitWindowSize", "32m"],
  ["core.pager", "cat"],
  ["core.protectHFS", "true"],
  ["core.protectNTFS", "true"],
  ["core.quotePath", "false"],
  ["core.sshCommand", "false"],
  ["core.untrackedCache", "false"],
  ["credential.helper", ""],
  ["diff.ignoreSubmodules", "all"],
  ["fetch.recurseSubmodules", "false"],
  ["gc.auto", "0"],
  ["http.followRedirects", "false"],
  ["http.lowSpeedLimit", "1"],
  ["http.lowSpeedTime", "60"],
  ["http.proxy", ""],
  ["http.sslVerify", "true"],
  ["http.userAgent", "git/kruxos"],
  ["i18n.logOutputEncoding", "UTF-8"],
  ["log.showSignature", "false"],
  ["maintenance.auto", "false"],
  ["protocol.allow", "never"],
  ["protocol.ext.allow", "never"],
  ["push.gpgSign", "false"],
  ["push.recurseSubmodules", "no"],
  ["receive.autogc", "false"],
  ["rerere.enabled", "false"],
  ["safe.bareRepository", "all"],
  ["safe.directory", "*"],
  ["status.submoduleSummary", "false"],
  ["submodule.recurse", "false"],
  ["tag.gpgSign", "false"],
  ["transfer.bundleURI", "false"],
  ["uploadpack.allowFilter", "false"]
]

/** The arguments that come before a command of git. */
export const settings: ReadonlyArray<string> = [
  "--no-pager",
  "--literal-pathspecs",
  ...always.flatMap(([name, value]) => ["-c", `${name}=${value}`])
]

/** The protocols that a command may use; none unless it has a remote. */
export type Protocols = "none" | "file" | "http:https"

/** All that git finds in its environment, besides what a command needs: nothing of the gateway's own. */
export const environment = (home: string, protocols: Protocols): { readonly [name: string]: string } => ({
  GIT_ALLOW_PROTOCOL: protocols,
  GIT_ASKPASS: "",
  GIT_ATTR_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_SYSTEM: "/dev/null",
  GIT_EDITOR: ":",
  GIT_MERGE_AUTOEDIT: "no",
  GIT_NO_LAZY_FETCH: "1",
  GIT_NO_REPLACE_OBJECTS: "1",
  GIT_OPTIONAL_LOCKS: "0",
  GIT_PAGER: "cat",
  GIT_PROTOCOL_FROM_USER: "0",
  GIT_SSH_COMMAND: "false",
  GIT_TERMINAL_PROMPT: "0",
  HOME: home,
  LANG: "C",
  LC_ALL: "C",
  PATH: systemPath,
  TMPDIR: home,
  XDG_CONFIG_HOME: home
})
