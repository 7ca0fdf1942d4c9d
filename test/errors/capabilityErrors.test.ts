import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import * as Alerts from "../../src/errors/alerts.js"
import * as Comms from "../../src/errors/comms.js"
import { decodeFailure } from "../../src/errors/decode.js"
import * as Email from "../../src/errors/email.js"
import { encodeFailure } from "../../src/errors/encode.js"
import * as Filesystem from "../../src/errors/filesystem.js"
import * as Git from "../../src/errors/git.js"
import { ConnectionFailed, isCapabilityError, isGatewayError, KruxosError } from "../../src/errors/index.js"
import * as Network from "../../src/errors/network.js"
import * as Process from "../../src/errors/process.js"
import * as Proxy from "../../src/errors/proxy.js"
import * as Scheduler from "../../src/errors/scheduler.js"
import * as Secrets from "../../src/errors/secrets.js"
import * as State from "../../src/errors/state.js"
import { wireFailureOfAny } from "../../src/errors/wire.js"
import { ownFields } from "./everyError.js"

const modules = [Alerts, Comms, Email, Filesystem, Git, Network, Process, Proxy, Scheduler, Secrets, State]

const message = "it failed"

const path = "/workspace/site"

/** An error of each class that some capability lists, whether it is retryable, and its context on the wire. */
const errors = [
  [new Alerts.AlertNotFound({ message, alertId: "a" }), false, { alert_id: "a" }],
  [new Comms.RecipientNotFound({ message, recipient: "a" }), false, { recipient: "a" }],
  [new Email.BodyFetchFailed({ message, messageId: "a" }), true, { message_id: "a" }],
  [new Email.OperationBlocked({ message, operation: "a" }), false, { operation: "a" }],
  [new Filesystem.PathOutOfScope({ message, path }), false, { path }],
  [new Filesystem.FileNotFound({ message, path }), false, { path }],
  [new Filesystem.DirectoryNotFound({ message, path }), false, { path }],
  [new Filesystem.NotADirectory({ message, path }), false, { path }],
  [new Filesystem.EncodingError({ message, path, encoding: "a" }), false, { path, encoding: "a" }],
  [new Filesystem.ParentNotFound({ message, path }), false, { path }],
  [new Filesystem.DiskFull({ message, path }), false, { path }],
  [new Filesystem.DirectoryNotEmpty({ message, path }), false, { path }],
  [new Filesystem.InvalidPattern({ message, pattern: "a" }), false, { pattern: "a" }],
  [new Filesystem.TooManyWatches({ message, limit: 1 }), false, { limit: 1 }],
  [new Filesystem.ReplacementCountMismatch({ message, expected: 1, actual: 2 }), false, { expected: 1, actual: 2 }],
  [new Filesystem.DestinationExists({ message, path }), false, { path }],
  [new Filesystem.TrashEntryNotFound({ message, path }), false, { path }],
  [new Git.NotARepository({ message, path }), false, { path }],
  [new Git.CloneFailed({ message, url: "https://a" }), false, { url: "https://a" }],
  [new Git.MergeConflict({ message, path }), false, { path }],
  [new Git.PullFailed({ message, path, remote: "origin" }), true, { path, remote: "origin" }],
  [new Git.PushRejected({ message, path, remote: "origin", branch: "a" }), false, {
    path,
    remote: "origin",
    branch: "a"
  }],
  [new Git.PushFailed({ message, path, remote: "origin" }), true, { path, remote: "origin" }],
  [new Git.NothingToCommit({ message, path }), false, { path }],
  [new Git.CommitFailed({ message, path }), false, { path }],
  [new Git.CommitNotFound({ message, path, revision: "abc" }), false, { path, revision: "abc" }],
  [new Git.BranchNotFound({ message, path, branch: "a" }), false, { path, branch: "a" }],
  [new Git.BranchAlreadyExists({ message, path, branch: "a" }), false, { path, branch: "a" }],
  [new Network.DomainNotAllowed({ message, domain: "a", url: "https://a" }), false, { domain: "a", url: "https://a" }],
  [new Network.RequestFailed({ message, url: "https://a" }), true, { url: "https://a" }],
  [new Network.DnsResolutionFailed({ message, hostname: "a" }), true, { hostname: "a" }],
  [new Network.ChecksumMismatch({ message, expected: "a", actual: "b" }), true, { expected: "a", actual: "b" }],
  [new Network.DownloadFailed({ message, url: "https://a" }), true, { url: "https://a" }],
  [new Network.PortCheckFailed({ message, host: "a", port: 80 }), true, { host: "a", port: 80 }],
  [new Network.HostNotAllowed({ message, host: "a", secretName: "b" }), false, { host: "a", secret_name: "b" }],
  [new Process.CommandNotFound({ message, command: "a" }), false, { command: "a" }],
  [new Process.ResourceLimitExceeded({ message, resource: "memory", limit: 1 }), false, {
    resource: "memory",
    limit: 1
  }],
  [new Process.SpawnFailed({ message, command: "a" }), false, { command: "a" }],
  [new Process.ProcessNotFound({ message, processId: "a" }), false, { process_id: "a" }],
  [new Process.ProcessAlreadyExited({ message, processId: "a", exitCode: 1 }), false, {
    process_id: "a",
    exit_code: 1
  }],
  [new Process.KillFailed({ message, processId: "a", signal: "SIGTERM" }), false, {
    process_id: "a",
    signal: "SIGTERM"
  }],
  [new Proxy.MessageNotFound({ message, messageId: "a" }), false, { message_id: "a" }],
  [new Proxy.WriteFailed({ message, writeId: "a", service: "email", reason: "b" }), true, {
    write_id: "a",
    service: "email",
    reason: "b"
  }],
  [new Proxy.WriteNotFound({ message, writeId: "a" }), false, { write_id: "a" }],
  [new Proxy.WriteAlreadyExecuted({ message, writeId: "a" }), false, { write_id: "a" }],
  [new Scheduler.InvalidCronExpression({ message, expression: "* *" }), false, { expression: "* *" }],
  [new Secrets.SecretNotFound({ message, secretName: "a" }), false, { secret_name: "a" }],
  [new Secrets.ScopeViolation({ message, secretName: "a" }), false, { secret_name: "a" }],
  [new Secrets.VaultLocked({ message }), false, {}],
  [new State.KeyNotFound({ message, key: "a" }), false, { key: "a" }],
  [new State.QuotaExceeded({ message, used: 1, limit: 2 }), false, { used: 1, limit: 2 }],
  [new State.SubscriptionFailed({ message, prefix: "a" }), true, { prefix: "a" }],
  [new State.SnapshotNotFound({ message, snapshotId: "a" }), false, { snapshot_id: "a" }],
  [new State.BackupNotFound({ message, backupId: "a" }), false, { backup_id: "a" }],
  [new State.DecryptionFailed({ message, backupId: "a" }), false, { backup_id: "a" }]
] as const

const rows = errors.map(([error, retryable, context]) => ({ tag: error._tag, error, retryable, context }))

const wireTypeOf = (tag: string) => tag === "PortCheckFailed" ? "ConnectionFailed" : tag

describe("the errors that capabilities list", () => {
  it("are all of their modules", () => {
    const classes = modules.flatMap((module) => Object.keys(module))
    expect(rows.map(({ tag }) => tag).sort()).toEqual(classes.sort())
  })

  it.each(rows)("$tag goes over the wire with its fields as context", ({ context, error, retryable, tag }) => {
    expect(encodeFailure(error)).toEqual({
      type: wireTypeOf(tag),
      message,
      recovery: [],
      retryable,
      retry_after: null,
      context
    })
  })

  it.each(rows)("$tag is read from the wire, with its fields and whether to try again", (row) => {
    const { context, error, retryable, tag } = row
    const read = decodeFailure(wireFailureOfAny({ type: wireTypeOf(tag), message, context }), "pack.thing")
    expect(read).toBeInstanceOf(error.constructor)
    expect(ownFields(read)).toEqual(ownFields(error))
    expect(read).toMatchObject({ type: wireTypeOf(tag), retryable, capability: "pack.thing" })
    expect(isCapabilityError(read)).toBe(true)
  })

  // A field may have the name of a method that an Effect has.
  it.each(rows)("$tag can be yielded as it is", ({ error }) => {
    const failing = Effect.gen(function*() {
      return yield* error
    })
    expect(Effect.runSync(Effect.flip(failing))).toBe(error)
  })

  it.each(rows)("$tag is read without its fields, and with fields of another type", ({ context, error, tag }) => {
    const mistyped = Object.fromEntries(Object.keys(context).map((name) => [name, { no: "value" }]))
    for (const given of [{}, mistyped]) {
      const read = decodeFailure(wireFailureOfAny({ type: wireTypeOf(tag), message, context: given }))
      expect(read).toBeInstanceOf(error.constructor)
      expect(ownFields(read)).toEqual({})
      expect(read.context).toEqual(given)
    }
  })
})

describe("ConnectionFailed on the wire", () => {
  it("is what a check of ports reports, and not a failure of the own connection", () => {
    const read = decodeFailure(wireFailureOfAny({ type: "ConnectionFailed", message, context: { host: "a", port: 1 } }))
    expect(read).toBeInstanceOf(Network.PortCheckFailed)
    expect(isGatewayError(read)).toBe(false)
    expect(encodeFailure(read)).toMatchObject({ type: "ConnectionFailed", context: { host: "a", port: 1 } })
  })

  it("has a longer name where it is the own connection's", () => {
    const wire = encodeFailure(new ConnectionFailed({ message, url: "wss://a" }))
    expect(wire).toMatchObject({ type: "gateway.connection_failed", context: { url: "wss://a" } })
    const read = decodeFailure(wireFailureOfAny(wire))
    expect(read).toBeInstanceOf(ConnectionFailed)
    expect(isGatewayError(read)).toBe(true)
  })

  it("is stored under the tag of its class", () => {
    const error = new Network.PortCheckFailed({ message, host: "a", port: 80 })
    const stored = JSON.parse(JSON.stringify(Schema.encodeSync(KruxosError)(error)))
    expect(stored).toMatchObject({ _tag: "PortCheckFailed", type: "ConnectionFailed" })
    expect(Schema.decodeUnknownSync(KruxosError)(stored)).toEqual(error)
  })
})

describe("a field that gateways spell otherwise", () => {
  it.each([
    ["BranchNotFound", { name: "next" }, { branch: "next" }],
    ["CommitNotFound", { commit: "abc" }, { revision: "abc" }],
    ["DomainNotAllowed", { host: "example.org" }, { domain: "example.org" }],
    ["DnsResolutionFailed", { host: "example.org" }, { hostname: "example.org" }],
    ["InvalidCronExpression", { schedule: "* *" }, { expression: "* *" }],
    ["MissingParameter", { parameter: "to" }, { field: "to", reason: "MissingParameter" }],
    ["RecipientNotFound", { to: "reviewer" }, { recipient: "reviewer" }],
    ["SecretNotFound", { name: "items-key" }, { secretName: "items-key" }],
    ["DestinationExists", { destination: "/workspace/b" }, { path: "/workspace/b" }]
  ])("of %s is found (%j)", (type, context, fields) => {
    expect(ownFields(decodeFailure(wireFailureOfAny({ type, message, context })))).toEqual(fields)
  })
})
