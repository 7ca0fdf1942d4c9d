import { expect, it } from "vitest"
import { recoveryFor } from "../../src/catalogue/recovery.js"
import { recoveryKeys } from "../../src/catalogue/recoveryKeys.js"
import { recoveryServices } from "../../src/catalogue/recoveryServices.js"
import { decodeFailure } from "../../src/errors/decode.js"
import { entry } from "./entries.js"

const suggested = (name: string, type: string, action: string) => {
  const failure = { type, message: "m", recovery: [], retryable: undefined, retryAfter: undefined, context: {} }
  return recoveryFor(entry(name).capability, decodeFailure(failure)).find((offered) => offered.action === action)
    ?.capability
}

it("go from the capability's own meaning of an action to the common one", () => {
  expect(recoveryKeys("state.shared.get", "KeyNotFound", "list_keys")).toEqual([
    "state.shared.get.list_keys",
    "state.shared.list_keys",
    "state.list_keys",
    "KeyNotFound.list_keys",
    "list_keys"
  ])
  expect(recoveryKeys(undefined, "VersionConflict", "retry")).toEqual(["VersionConflict.retry", "retry"])
})

it.each([
  ["email.read", "MessageNotFound", "search", "email.search"],
  ["slack.read", "MessageNotFound", "search", "slack.search"],
  ["proxy.cancel_write", "WriteNotFound", "search", "proxy.list_writes"],
  ["filesystem.read", "FileNotFound", "search", "filesystem.search"],
  ["state.session.set", "QuotaExceeded", "delete_unused", "state.session.list"],
  ["state.persistent.set", "QuotaExceeded", "delete_unused", "state.persistent.list"],
  ["state.shared.set", "VersionConflict", "retry", "state.shared.get"],
  ["state.shared.list", "DatabaseError", "retry", "state.shared.list"],
  ["process.kill", "ProcessAlreadyExited", "check_status", "process.monitor"],
  ["git.commit", "NothingToCommit", "check_status", "git.status"],
  ["proxy.cancel_write", "WriteAlreadyExecuted", "check_status", "proxy.list_writes"],
  ["git.init", "PathOutOfScope", "check_scope", "agent.session"],
  ["secrets.use", "ScopeViolation", "check_scope", "secrets.list"],
  ["state.backup.export", "PathOutOfScope", "check_path", undefined],
  ["process.run", "CommandNotFound", "check_path", "process.run"],
  ["state.shared.delete", "KeyNotFound", "list_keys", "state.shared.list"]
])("lead %s after %s with %s to %s", (capability, type, action, expected) => {
  expect(suggested(capability, type, action)).toBe(expected)
})

it("give the key that was missing to what looks for it", () => {
  const inputs = (action: string) => recoveryServices[action]?.inputs?.({ key: "counter" }, "")
  expect(inputs("VersionConflict.retry")).toEqual({ key: "counter" })
  expect(inputs("use_session")).toEqual({ key: "counter" })
  expect(recoveryServices["use_session"]?.inputs?.({}, "KeyNotFound")).toBeUndefined()
})
