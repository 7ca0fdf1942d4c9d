import { describe, expect, it } from "vitest"
import { builtIn } from "../../src/catalogue/builtIn.js"
import { make } from "../../src/catalogue/Capability.js"
import { recoveryDescription, recoveryFor } from "../../src/catalogue/recovery.js"
import { decodeFailure } from "../../src/errors/decode.js"
import * as Errors from "../../src/errors/index.js"
import { entries } from "./entries.js"

const message = "it failed"

const path = "/workspace/a/b.txt"

const suggestions = (...args: Parameters<typeof recoveryFor>) =>
  recoveryFor(...args).map(({ action, capability, inputs }) => ({ action, capability, inputs }))

const actions = (...args: Parameters<typeof recoveryFor>) => recoveryFor(...args).map(({ action }) => action)

const ofType = (type: string, context: { readonly [name: string]: unknown } = {}) =>
  decodeFailure({ type, message, recovery: [], retryable: undefined, retryAfter: undefined, context })

describe("recoveryFor", () => {
  it("leaves an error the recovery that it has", () => {
    const recovery = [{ action: "ask_the_author", description: "Ask the author" }]
    expect(recoveryFor(builtIn["filesystem.read"], new Errors.FileNotFound({ message, path, recovery }))).toEqual(
      recovery
    )
  })

  it("gives what the capability lists, with the inputs that the error suggests", () => {
    expect(suggestions(builtIn["filesystem.read"], new Errors.FileNotFound({ message, path }))).toEqual([
      { action: "search", capability: "filesystem.search", inputs: { path: "/workspace", pattern: "**/b.txt" } },
      { action: "list", capability: "filesystem.list", inputs: { path: "/workspace/a" } }
    ])
    expect(suggestions(builtIn["filesystem.read"], new Errors.EncodingError({ message, path }))).toEqual([
      { action: "try_binary", capability: "filesystem.read", inputs: { path, encoding: "binary" } }
    ])
    expect(suggestions(builtIn["filesystem.write"], new Errors.ParentNotFound({ message, path }))).toEqual([
      { action: "create_parents", capability: "filesystem.write", inputs: { path, create_parents: true } }
    ])
    expect(suggestions(builtIn["filesystem.write"], new Errors.PathOutOfScope({ message, path: "/etc/passwd" })))
      .toEqual([
        { action: "check_scope", capability: "agent.session", inputs: undefined },
        { action: "request_access", capability: undefined, inputs: undefined }
      ])
    expect(suggestions(builtIn["filesystem.list"], new Errors.DirectoryNotFound({ message, path: "src/lib/" })))
      .toEqual([
        { action: "search", capability: "filesystem.search", inputs: { path: "/workspace", pattern: "**/lib/**" } }
      ])
    expect(suggestions(builtIn["filesystem.list"], new Errors.NotADirectory({ message, path }))).toEqual([
      { action: "read", capability: "filesystem.read", inputs: { path } }
    ])
    expect(suggestions(builtIn["filesystem.delete"], new Errors.DirectoryNotEmpty({ message, path: "/workspace/a" })))
      .toEqual([
        {
          action: "list_contents",
          capability: "filesystem.list",
          inputs: { path: "/workspace/a", include_hidden: true }
        }
      ])
    expect(suggestions(builtIn["filesystem.copy"], new Errors.DestinationExists({ message, path }))).toEqual([
      { action: "overwrite", capability: "filesystem.copy", inputs: { overwrite: true } }
    ])
    expect(suggestions(builtIn["filesystem.edit"], new Errors.ReplacementCountMismatch({ message }))).toEqual([
      { action: "preview", capability: "filesystem.edit", inputs: { dry_run: true } }
    ])
  })

  it.each([
    ["/workspace/b.txt", "/workspace"],
    ["/workspace", "/workspace"],
    ["b.txt", "/workspace"],
    ["a/b.txt", "a"],
    ["./a//b.txt", "a"]
  ])("suggests for %s to list %s", (missing, directory) => {
    expect(suggestions(builtIn["filesystem.delete"], new Errors.FileNotFound({ message, path: missing }))).toEqual([
      { action: "list", capability: "filesystem.list", inputs: { path: directory } }
    ])
  })

  it("searches for a name that looks like a pattern as a name", () => {
    const [search] = suggestions(builtIn["filesystem.read"], new Errors.FileNotFound({ message, path: "a/[id].{x}" }))
    expect(search?.inputs).toEqual({ path: "/workspace", pattern: "**/?id?.?x?" })
  })

  it("takes what is in the context where the error has no field for it", () => {
    expect(suggestions(undefined, ofType("FileNotFound", { path }))).toEqual([
      { action: "list_directory", capability: "filesystem.list", inputs: { path: "/workspace/a" } },
      { action: "check_path", capability: undefined, inputs: undefined }
    ])
  })

  it("suggests no inputs where the error does not tell them", () => {
    expect(suggestions(builtIn["filesystem.read"], new Errors.FileNotFound({ message }))).toEqual([
      { action: "search", capability: "filesystem.search", inputs: undefined },
      { action: "list", capability: "filesystem.list", inputs: undefined }
    ])
  })

  it("finds what the capability lists by the wire type, which several may share a tag", () => {
    expect(actions(builtIn["agent.whoami"], ofType("SessionError"))).toEqual(["reconnect"])
    expect(actions(builtIn["system.time"], ofType("InvalidTimezone"))).toEqual(["fix_timezone"])
    expect(
      actions(builtIn["system.info"], new Errors.CapabilityUnavailable({ message, reason: "SystemInfoError" }))
    ).toEqual(["retry"])
    expect(actions(builtIn["system.time"], new Errors.InvalidInput({ message, reason: "InvalidTimezone" }))).toEqual([
      "fix_timezone"
    ])
  })

  it("prefers what the capability lists to what is general", () => {
    expect(actions(builtIn["filesystem.stat"], ofType("PathOutOfScope"))).toEqual(["check_scope"])
    expect(actions(undefined, ofType("PathOutOfScope"))).toEqual(["check_scope", "use_workspace_path"])
    expect(actions(builtIn["system.time"], ofType("InvalidInput"))).toEqual(["fix_input"])
  })

  it.each([
    ["auth.invalid_credentials", ["check_credentials"]],
    ["auth.agent_revoked", ["contact_admin", "create_new_agent"]],
    ["auth.rate_limited", ["wait_and_retry"]],
    ["NotAuthenticated", ["reconnect"]],
    ["SessionExpired", ["reconnect"]],
    ["PolicyDenied", ["check_policy", "request_escalation"]],
    ["ApprovalRejected", ["modify_and_retry", "contact_supervisor"]],
    ["ApprovalExpired", ["modify_and_retry"]],
    ["PermissionDenied", ["check_permissions", "request_access"]],
    ["ResourceExhausted", ["check_usage", "cleanup"]],
    ["resource.exhausted", ["check_usage", "cleanup"]],
    ["RateLimited", ["wait_and_retry"]],
    ["Timeout", ["retry", "increase_timeout"]],
    ["ConflictError", ["re_read"]],
    ["VersionConflict", ["retry"]],
    ["ServiceUnavailable", ["retry_later", "check_service_status"]],
    ["proxy.service_error", ["retry_later"]],
    ["BatchProtection", ["request_approval"]],
    ["SessionPaused", []],
    ["SomethingOfAPack", []]
  ])("gives for %s from any capability %j", (type, expected) => {
    expect(actions(builtIn["filesystem.stat"], ofType(type))).toEqual(expected)
  })

  it("knows the errors that are made here, whose type is their tag", () => {
    expect(actions(undefined, new Errors.GatewayTimeout({ message }))).toEqual(["retry", "increase_timeout"])
    expect(actions(undefined, new Errors.ApprovalRequired({ message, approvalId: "1" }))).toEqual([
      "wait_for_approval",
      "check_status"
    ])
  })

  it("names a pack's action that it does not know, without words", () => {
    const capability = make("pack.thing", {
      tier: "notify",
      tags: [],
      inputs: {},
      outputs: {},
      errors: { FileNotFound: { class: Errors.FileNotFound, recovery: ["constructor"] } }
    })
    expect(recoveryFor(capability, new Errors.FileNotFound({ message }))).toEqual([
      { action: "constructor", description: "" }
    ])
  })

  it("points only at capabilities that exist", () => {
    const listed = entries.flatMap(({ capability }) =>
      Object.entries(capability.errors).flatMap(([type]) => recoveryFor(capability, ofType(type, { path })))
    )
    expect(listed.length).toBeGreaterThan(200)
    expect(listed.filter(({ capability }) => capability !== undefined && !Object.hasOwn(builtIn, capability))).toEqual(
      []
    )
  })
})

const everyAction = entries.flatMap(({ capability, name }) =>
  Object.entries(capability.errors).flatMap(([type, { recovery }]) =>
    recovery.map((action) => ({ capability, name, type, action }))
  )
)

describe("recoveryDescription", () => {
  it("has words for every action that a capability lists", () => {
    expect(everyAction.length).toBeGreaterThan(200)
    expect(everyAction.filter(({ action, name, type }) => recoveryDescription(name, type, action) === "")).toEqual([])
  })

  it("says in a definition what it says with the error", () => {
    const different = everyAction.filter(({ action, capability, name, type }) =>
      recoveryFor(capability, ofType(type)).find((offered) => offered.action === action)?.description !==
        recoveryDescription(name, type, action)
    )
    expect(different).toEqual([])
  })

  it("is empty for one that is not known", () => {
    expect(recoveryDescription("filesystem.read", "FileNotFound", "toString")).toBe("")
    expect(recoveryDescription("pack.thing", "toString", "constructor")).toBe("")
  })
})
