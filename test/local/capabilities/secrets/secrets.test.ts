import { SqlClient } from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as fs from "node:fs"
import { join } from "node:path"
import { withStore } from "../../store/support.js"
import { everythingOf, testVault, value } from "./support.js"

const use = { secret_name: "token", capability: "network.credentialed_request" }

describe("secrets.list", () => {
  it.scopedLive("shows the agent's own by name, never a value, and the revoked ones if asked", () =>
    Effect.gen(function*() {
      const { add, invoke, keeping } = yield* testVault()
      assert.deepStrictEqual(yield* invoke("secrets.list", {}), { secrets: [], total: 0 })
      yield* add()
      yield* add({ name: "key", type: "encryption_key", capabilities: ["a.b", "c.*"], agents: ["*"] })
      yield* add({ name: "others", agents: ["other"] })
      yield* add({ name: "gone" })
      yield* keeping.revoke("gone")
      const { secrets, total } = yield* invoke("secrets.list", {})
      assert.strictEqual(total, 2)
      const listed = JSON.parse(JSON.stringify(secrets))
      assert.deepStrictEqual(listed.map((one: { readonly name: string }) => one.name), ["key", "token"])
      assert.deepInclude(listed[0], { type: "encryption_key", allowed_capabilities: ["a.b", "c.*"], revoked: false })
      assert.deepStrictEqual(Object.keys(listed[0]).sort(), [
        "allowed_capabilities",
        "created_at",
        "name",
        "revoked",
        "type"
      ])
      const all = yield* invoke("secrets.list", { include_revoked: true })
      assert.strictEqual(all["total"], 3)
      assert.notInclude(JSON.stringify(all), value.slice(0, 6))
      assert.strictEqual((yield* invoke("secrets.list", {}, "other"))["total"], 2)
    }))
})

describe("secrets.use", () => {
  it.scopedLive("says whether a secret may be used for a capability, and nothing of it", () =>
    Effect.gen(function*() {
      const { add, invoke, uses } = yield* testVault()
      yield* add()
      assert.deepStrictEqual(yield* invoke("secrets.use", use), { used: true })
      const scope = yield* Effect.flip(invoke("secrets.use", { ...use, capability: "git.push" }))
      assert.deepInclude(scope, { _tag: "ScopeViolation", secretName: "token" })
      const missing = yield* Effect.flip(invoke("secrets.use", { ...use, secret_name: "x".repeat(1000) }))
      assert.deepInclude(missing, { _tag: "SecretNotFound", secretName: "x".repeat(128) })
      assert.deepInclude(yield* Effect.flip(invoke("secrets.use", use, "other")), { _tag: "SecretNotFound" })
      assert.deepStrictEqual(
        (yield* uses).map((one) => JSON.parse(JSON.stringify(one)).details),
        [
          { secret: "token", outcome: "used" },
          { secret: "token", outcome: "denied", reason: "out_of_scope" },
          { secret: "x".repeat(128), outcome: "denied", reason: "not_found" },
          { secret: "token", outcome: "denied", reason: "not_found" }
        ]
      )
    }))
})

describe("secrets.rotate_request", () => {
  it.scopedLive("tells the supervisor by an alert", () =>
    Effect.gen(function*() {
      const { add, alerts, invoke } = yield* testVault()
      yield* add()
      const asked = yield* invoke("secrets.rotate_request", { secret_name: "token" })
      assert.deepInclude(asked, { secret_name: "token", status: "submitted" })
      yield* invoke("secrets.rotate_request", { secret_name: "token", reason: "auth_failure" })
      yield* invoke("secrets.rotate_request", { secret_name: "token", reason: "compromised" })
      const found = JSON.parse(JSON.stringify(yield* alerts()))
      assert.deepStrictEqual(
        found.map((one: { readonly severity: string; readonly context: unknown }) => [one.severity, one.context]),
        [
          ["critical", { secret_name: "token", reason: "compromised" }],
          ["warning", { secret_name: "token", reason: "auth_failure" }],
          ["warning", { secret_name: "token", reason: "expiring" }]
        ]
      )
      assert.strictEqual(found[2].alertId, asked["request_id"])
      assert.deepInclude(yield* Effect.flip(invoke("secrets.rotate_request", { secret_name: "missing" })), {
        _tag: "SecretNotFound"
      })
      assert.deepInclude(yield* Effect.flip(invoke("secrets.rotate_request", { ...use, reason: "bored" })), {
        _tag: "InvalidInput"
      })
    }))
})

const everything = [
  ["secrets.list", {}],
  ["secrets.use", use],
  ["secrets.rotate_request", { secret_name: "token" }],
  ["network.credentialed_request", { secret_name: "token", url: "http://127.0.0.1:1/" }]
] as const

describe("what needs the store", () => {
  it.scopedLive("fails where the store does", () =>
    Effect.gen(function*() {
      const { add, folder, invoke } = yield* testVault()
      yield* add()
      yield* run(folder, "DROP TABLE secrets")
      assert.deepInclude(yield* Effect.flip(invoke("secrets.list", {})), {
        _tag: "CapabilityUnavailable",
        type: "VaultError",
        retryable: true
      })
      for (const [name, input] of everything.slice(1)) {
        assert.deepInclude(yield* Effect.flip(invoke(name, input)), { _tag: "ServiceUnavailable", service: "store" })
      }
    }))

  it.scopedLive("keeps no more alerts than there can be", () =>
    Effect.gen(function*() {
      const { add, invoke } = yield* testVault({ maximumAlerts: 1 })
      yield* add()
      yield* invoke("secrets.rotate_request", { secret_name: "token" })
      assert.deepInclude(yield* Effect.flip(invoke("secrets.rotate_request", { secret_name: "token" })), {
        _tag: "ResourceExhausted",
        resource: "alerts"
      })
    }))
})

describe("a vault", () => {
  it.scopedLive("is locked where its key is missing, is none or is another, and open again when it is back", () =>
    Effect.gen(function*() {
      const { add, folder, invoke, uses } = yield* testVault()
      yield* add()
      const file = join(folder, "vault.key")
      const key = fs.readFileSync(file)
      assert.strictEqual(fs.statSync(file).mode & 0o777, 0o600)
      const states: ReadonlyArray<readonly [RegExp, () => void]> = [
        [/cannot be read \(ENOENT\)/, () => fs.rmSync(file)],
        [/holds none/, () => fs.writeFileSync(file, "none")],
        [/another key/, () => fs.writeFileSync(file, "0".repeat(64))]
      ]
      for (const [message, change] of states) {
        change()
        for (const [name, input] of everything) {
          const failure = yield* Effect.flip(invoke(name, input))
          assert.deepInclude(failure, { _tag: "VaultLocked" }, name)
          assert.match(failure.message, message)
          assert.notInclude(everythingOf(failure), folder)
        }
      }
      const denied = JSON.stringify(yield* uses)
      assert.strictEqual(denied.split("\"locked\"").length - 1, 6)
      fs.writeFileSync(file, key)
      assert.deepStrictEqual(yield* invoke("secrets.use", use), { used: true })
    }))

  it.scopedLive("whose passphrase nobody gives, or another one, is locked", () =>
    Effect.gen(function*() {
      const passphrase = { passphrase: Redacted.make("correct horse battery") }
      const open = yield* testVault({ key: () => passphrase })
      yield* open.add()
      assert.isFalse(fs.existsSync(join(open.folder, "vault.key")))
      assert.deepStrictEqual(yield* open.invoke("secrets.use", use), { used: true })
      for (const other of ["wrong", ""]) {
        const locked = yield* testVault({ key: () => ({ passphrase: Redacted.make(other) }), keeperKey: passphrase })
        yield* locked.add()
        assert.deepInclude(yield* Effect.flip(locked.invoke("secrets.use", use)), { _tag: "VaultLocked" })
      }
      const none = yield* testVault({ keeperKey: passphrase })
      yield* none.add()
      const failure = yield* Effect.flip(none.invoke("secrets.use", use))
      assert.match(failure.message, /made with a passphrase/)
      const file = yield* testVault({ key: () => passphrase, keeperKey: { keyFile: keyFileIn(open.folder) } })
      yield* file.add()
      assert.match((yield* Effect.flip(file.invoke("secrets.use", use))).message, /made with a key file/)
    }), 30_000)

  it.scopedLive("gives out nothing that was changed behind its back", () =>
    Effect.gen(function*() {
      const { add, folder, invoke } = yield* testVault()
      yield* add()
      yield* add({ name: "mine", value: Redacted.make("another value") })
      const changes = [
        "UPDATE secrets SET hosts = '[\"*\"]' WHERE name = 'token'",
        "UPDATE secrets SET sealed = (SELECT sealed FROM secrets WHERE name = 'mine') WHERE name = 'token'",
        "UPDATE secrets SET agents = '[\"agent\",\"other\"]' WHERE name = 'token'",
        "UPDATE secrets SET sealed = 'AAAA' WHERE name = 'token'"
      ]
      const kept = fs.readdirSync(folder).filter((name) => name.startsWith("gateway.db"))
      assert.isNotEmpty(kept)
      for (const change of changes) {
        const failure = yield* Effect.scoped(Effect.gen(function*() {
          yield* run(folder, change)
          return yield* Effect.flip(invoke("secrets.use", use))
        }))
        assert.deepInclude(failure, { _tag: "VaultLocked" }, change)
      }
    }))
})

const keyFileIn = (folder: string): string => {
  const file = join(folder, "own.key")
  fs.writeFileSync(file, "ab".repeat(32))
  return file
}

/** Changes the database as somebody else would. */
const run = (folder: string, statement: string) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient
    yield* sql.unsafe(statement)
  }).pipe(withStore(join(folder, "gateway.db")), Effect.orDie)
