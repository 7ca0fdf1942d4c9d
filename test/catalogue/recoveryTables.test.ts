import { describe, expect, it } from "vitest"
import { builtIn } from "../../src/catalogue/builtIn.js"
import { recoveryFor } from "../../src/catalogue/recovery.js"
import { recoveryGeneral } from "../../src/catalogue/recoveryGeneral.js"
import { recoveryKeys } from "../../src/catalogue/recoveryKeys.js"
import type { Recoveries } from "../../src/catalogue/RecoveryMeaning.js"
import { recoveryServices } from "../../src/catalogue/recoveryServices.js"
import { recoveryWork } from "../../src/catalogue/recoveryWork.js"
import { decodeFailure } from "../../src/errors/decode.js"
import { entries, entry } from "./entries.js"

const tables = { recoveryGeneral, recoveryServices, recoveryWork }

const recoveries: Recoveries = { ...recoveryGeneral, ...recoveryServices, ...recoveryWork }

const inputsOf = (key: string, context: { readonly [name: string]: unknown }) =>
  recoveries[key]?.inputs?.(context, "SomeError")

/** Error types whose recovery actions hold for every capability. */
const general = [
  "auth.invalid_credentials",
  "auth.agent_revoked",
  "auth.rate_limited",
  "NotAuthenticated",
  "PolicyDenied",
  "ApprovalPending",
  "ApprovalRejected",
  "InvalidInput",
  "PathOutOfScope",
  "FileNotFound",
  "PermissionDenied",
  "ResourceExhausted",
  "Timeout",
  "ConflictError",
  "ServiceUnavailable",
  "BatchProtection",
  "CapabilityNotFound"
]

const generalActions = general.flatMap((type) =>
  recoveryFor(
    undefined,
    decodeFailure({
      type,
      message: "m",
      recovery: [],
      retryable: undefined,
      retryAfter: undefined,
      context: { approval_id: "apr-1" }
    })
  ).map(({ action }) => action)
)

// Where the meaning of an action was found, which is the first of its keys that a table has.
const used = entries.flatMap(({ capability, name }) =>
  Object.entries(capability.errors).flatMap(([type, { recovery }]) =>
    recovery.map((action) => ({
      name,
      key: recoveryKeys(name, type, action).find((key) => Object.hasOwn(recoveries, key))
    }))
  )
)

const context = {
  path: "/workspace/a",
  remote: "origin",
  branch: "next",
  host: "example.org",
  process_id: "proc-1",
  key: "counter"
}

describe("the recovery actions", () => {
  it("have each their meaning in one place", () => {
    const keys = Object.values(tables).flatMap((table) => Object.keys(table))
    expect(keys.filter((key, index) => keys.indexOf(key) !== index)).toEqual([])
  })

  it("are all listed by a capability, or general", () => {
    const reached = new Set([...used.map(({ key }) => key), ...generalActions])
    expect(Object.keys(recoveries).filter((key) => !reached.has(key))).toEqual([])
  })

  it("point only at capabilities that exist", () => {
    const capabilities = Object.values(recoveries).flatMap(({ capability }) =>
      capability === undefined ? [] : [capability]
    )
    expect(capabilities.length).toBeGreaterThan(40)
    expect(capabilities.filter((name) => !Object.hasOwn(builtIn, name))).toEqual([])
  })

  it("suggest only inputs that the capability has", () => {
    const suggestions = used.flatMap(({ key = "", name }) => {
      const { again, capability } = recoveries[key] ?? {}
      const carriedOutBy = again === true ? name : capability
      return Object.keys(inputsOf(key, context) ?? {}).map((input) => ({ key, carriedOutBy, input }))
    })
    expect(suggestions.length).toBeGreaterThan(60)
    const unknown = suggestions.filter(({ carriedOutBy, input }) =>
      carriedOutBy === undefined || !Object.hasOwn(entry(carriedOutBy).capability.inputs, input)
    )
    expect(unknown).toEqual([])
  })

  it("suggests inputs as far as the error tells them", () => {
    const path = "/workspace/site"
    expect(inputsOf("pull_first", { path, remote: "origin" })).toEqual({ path, remote: "origin" })
    expect(inputsOf("pull_first", {})).toBeUndefined()
    expect(inputsOf("list_branches", { path, branch: "next" })).toEqual({ path, action: "list" })
    expect(inputsOf("switch", { path, branch: "next" })).toEqual({ path, action: "switch", name: "next" })
    expect(inputsOf("switch", { path })).toEqual({ path, action: "switch" })
    expect(inputsOf("switch", { branch: "next" })).toBeUndefined()
    expect(inputsOf("git.check_status", { path })).toEqual({ path })
    expect(inputsOf("check_host", { host: "db.example.org" })).toEqual({ hostname: "db.example.org" })
    expect(inputsOf("check_host", {})).toBeUndefined()
    expect(inputsOf("process.check_status", { process_id: "proc-1", exit_code: 0 })).toEqual({ process_id: "proc-1" })
    expect(inputsOf("force_kill", { process_id: "proc-1" })).toEqual({ process_id: "proc-1", signal: "SIGKILL" })
    expect(inputsOf("force_kill", {})).toEqual({ signal: "SIGKILL" })
    expect(inputsOf("alert_supervisor", {})).toEqual({ severity: "warning" })
  })
})
