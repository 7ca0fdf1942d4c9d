import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as fs from "node:fs"
import { join } from "node:path"
import { BackupPlace } from "../../../src/local/archive/BackupPlace.js"
import * as Policy from "../../../src/local/policy/Policy.js"
import { until } from "../../support/deadline.js"
import { quietly, serve, type TestGateway } from "../../support/gateway.js"
import { at, listAt, textAt } from "../../support/json.js"
import { rpc } from "../../support/rawHttp.js"
import { asSupervisor, decide } from "../../support/supervisor.js"
import { settle, stateGateway, type TestSession } from "../capabilities/state/support.js"
import { dataDirectory, fileOf } from "./support.js"

/** A gateway that asks nobody, with backups in a directory of its own. */
const gatewayIn = (directory: string, policy = Policy.allowAll) =>
  Effect.provideService(stateGateway({ database: join(directory, "gateway.db"), policy }), BackupPlace, {
    dataDirectory: directory,
    database: join(directory, "gateway.db"),
    key: undefined
  })

const errorOf = (session: TestSession, capability: string, input?: object) =>
  quietly(session.error(`state.backup.${capability}`, input))

const set = (session: TestSession, key: string, value: unknown) =>
  session.output("state.persistent.set", { key, value })

const get = (session: TestSession, key: string) => session.output("state.persistent.get", { key })

const unknownId = "bkp-20250101T000000-00000000"

describe("state.backup", () => {
  it.scoped("creates, lists, exports and restores", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(Date.UTC(2025, 0, 31, 8))
      const directory = yield* dataDirectory
      const gateway = yield* gatewayIn(directory)
      const one = yield* gateway.session("one")
      const two = yield* gateway.session("two")
      yield* set(one, "a", { page: 3 })
      yield* set(two, "b", "of the other")
      yield* one.output("state.shared.set", { key: "s", value: 1, expected_version: 0 })
      assert.deepStrictEqual(yield* one.output("state.backup.list"), { backups: [], count: 0 })

      const made = yield* one.output("state.backup.create")
      const id = textAt(made, "backup_id")
      assert.deepStrictEqual(made, {
        backup_id: id,
        created_at: "2025-01-31T08:00:00.000Z",
        scope: "full",
        file_size_bytes: fs.statSync(fileOf(directory, id)).size
      })
      yield* TestClock.adjust("1 minute")
      const own = yield* one.output("state.backup.create", { agent: "one" })
      assert.strictEqual(at(own, "scope"), "agent:one")
      assert.deepStrictEqual(yield* two.output("state.backup.list"), { backups: [own, made], count: 2 })

      assert.deepStrictEqual(yield* one.output("state.backup.export", { backup_id: id, path: "copies.krxb" }), {
        exported_path: "/workspace/copies.krxb",
        size_bytes: at(made, "file_size_bytes")
      })
      const status = yield* one.output("filesystem.stat", { path: "copies.krxb" })
      assert.strictEqual(at(status, "size"), at(made, "file_size_bytes"))

      yield* set(one, "a", { page: 4 })
      yield* set(two, "b", "later")
      yield* one.output("state.shared.set", { key: "s", value: 2, expected_version: 1 })
      assert.deepStrictEqual(yield* one.output("state.backup.restore", { backup_id: id, agent: "one" }), {
        restored: true,
        agents_restored: ["one"],
        shared_state_restored: false
      })
      assert.deepStrictEqual(at(yield* get(one, "a"), "value"), { page: 3 })
      assert.strictEqual(at(yield* get(two, "b"), "value"), "later")
      assert.deepStrictEqual(yield* one.output("state.backup.restore", { backup_id: id }), {
        restored: true,
        agents_restored: ["one", "two"],
        shared_state_restored: true
      })
      assert.strictEqual(at(yield* get(two, "b"), "value"), "of the other")
      assert.deepInclude(yield* one.output("state.shared.get", { key: "s" }), { value: 1, version: 3 })
      const stale = yield* one.error("state.shared.set", { key: "s", value: 0, expected_version: 1 })
      assert.strictEqual(at(stale, "type"), "VersionConflict")
    }))

  it.scoped("fails with the errors that it lists", () =>
    Effect.gen(function*() {
      const directory = yield* dataDirectory
      const gateway = yield* gatewayIn(directory)
      const one = yield* gateway.session("one")
      yield* set(one, "a", 1)
      for (const backup_id of [unknownId, "../gateway", "", "x".repeat(10_000), "a\0b"]) {
        for (const [capability, more] of [["restore", {}], ["export", { path: "copy" }]] as const) {
          const failure = yield* errorOf(one, capability, { backup_id, ...more })
          assert.strictEqual(at(failure, "type"), "BackupNotFound")
          assert.strictEqual(at(failure, "recovery", 0, "action"), "list_backups")
        }
      }
      assert.strictEqual(at(yield* one.output("filesystem.list", { path: "/workspace" }), "total"), 0)

      const id = textAt(yield* one.output("state.backup.create"), "backup_id")
      const invalid = yield* errorOf(one, "create", { agent: "nobody" })
      assert.deepInclude(invalid, { type: "InvalidInput" })

      yield* one.output("filesystem.write", { path: "taken", content: "mine" })
      for (
        const path of ["../out", "/etc/kruxos", ".kruxos/x", "missing/copy", "taken", "/workspace/.kruxos-trash/x"]
      ) {
        const failure = yield* errorOf(one, "export", { backup_id: id, path })
        assert.strictEqual(at(failure, "type"), "IoError", path)
        assert.strictEqual(at(failure, "recovery", 0, "action"), "check_path")
        assert.notInclude(JSON.stringify(failure), directory)
      }
      for (const path of ["", "a\0b", "x".repeat(5000)]) {
        assert.strictEqual(at(yield* errorOf(one, "export", { backup_id: id, path }), "type"), "InvalidInput")
      }
      assert.strictEqual(at(yield* one.output("filesystem.read", { path: "taken" }), "content"), "mine")

      fs.writeFileSync(join(directory, "backup.key"), "f".repeat(64))
      const undecrypted = yield* errorOf(one, "restore", { backup_id: id })
      assert.strictEqual(at(undecrypted, "type"), "DecryptionFailed")
      assert.strictEqual(at(undecrypted, "recovery", 0, "action"), "check_vault")
      fs.writeFileSync(join(directory, "backup.key"), "no key")
      for (const [capability, input] of [["create", {}], ["restore", { backup_id: id }]] as const) {
        const locked = yield* errorOf(one, capability, input)
        assert.strictEqual(at(locked, "type"), "VaultLocked")
        assert.strictEqual(at(locked, "recovery", 0, "action"), "unlock_vault")
        assert.notInclude(JSON.stringify(locked), directory)
      }

      fs.rmSync(join(directory, "backups"), { recursive: true })
      fs.rmSync(join(directory, "backup.key"))
      fs.writeFileSync(join(directory, "backups"), "in the way")
      for (const capability of ["create", "list"]) {
        const failure = yield* errorOf(one, capability)
        assert.strictEqual(at(failure, "type"), "IoError")
        assert.strictEqual(at(failure, "recovery", 0, "action"), "check_disk")
        assert.notInclude(JSON.stringify(failure), directory)
      }
    }))

  it.scoped("has no key where the gateway keeps nothing on disk", () =>
    Effect.gen(function*() {
      const one = yield* (yield* stateGateway({ policy: Policy.allowAll })).session("one")
      assert.strictEqual(at(yield* errorOf(one, "create"), "type"), "VaultLocked")
      assert.deepStrictEqual(yield* one.output("state.backup.list"), { backups: [], count: 0 })
      assert.strictEqual(at(yield* errorOf(one, "restore", { backup_id: unknownId }), "type"), "BackupNotFound")
    }))

  it.scoped("tells those who watch what was put back", () =>
    Effect.gen(function*() {
      const gateway = yield* gatewayIn(yield* dataDirectory)
      const one = yield* gateway.session("one")
      yield* one.output("state.shared.set", { key: "s", value: 1, expected_version: 0 })
      const id = textAt(yield* one.output("state.backup.create"), "backup_id")
      yield* one.output("state.shared.set", { key: "s", value: 2, expected_version: 1 })
      yield* one.output("state.shared.watch", {})
      yield* one.output("state.backup.restore", { backup_id: id })
      yield* TestClock.adjust("1 second")
      yield* settle
      const messages = listAt(yield* one.output("comms.receive", {}), "messages")
      assert.deepStrictEqual(messages.map((message) => at(JSON.parse(textAt(message, "message")), "version")), [3])
    }))
})

const invoke = (gateway: TestGateway, capability: string, input: object = {}) =>
  Effect.map(rpc(gateway, "capabilities.invoke", { capability, arguments: input }), (answer) => at(answer, "result"))

const approved = (gateway: TestGateway, capability: string, input: object = {}) =>
  Effect.gen(function*() {
    const asked = yield* invoke(gateway, capability, input)
    const id = textAt(asked, "error", "context", "approval_id")
    yield* decide(gateway, id, "approve")
    const look = asSupervisor(gateway, `/approvals/${id}`)
    yield* until("the end of it", Effect.map(look, ({ body }) => at(body, "status") === "approved"))
    return yield* invoke(gateway, capability, input)
  })

describe("a gateway that serves", () => {
  it.scopedLive("has a human approve backups, and keeps them with its data", () =>
    Effect.gen(function*() {
      const gateway = yield* serve()
      yield* invoke(gateway, "state.persistent.set", { key: "a", value: "kept" })
      const id = textAt(yield* approved(gateway, "state.backup.create"), "data", "backup_id")
      assert.deepStrictEqual(fs.readdirSync(join(gateway.dataDirectory, "backups")), [`${id}.krxb`])
      yield* invoke(gateway, "state.persistent.set", { key: "a", value: "spoilt" })
      const restored = yield* approved(gateway, "state.backup.restore", { backup_id: id })
      assert.isTrue(at(restored, "data", "restored"))
      const found = yield* invoke(gateway, "state.persistent.get", { key: "a" })
      assert.strictEqual(at(found, "data", "value"), "kept")
    }))

  it.scopedLive("exports nothing through links that lead out of the workspace", () =>
    Effect.gen(function*() {
      const gateway = yield* serve({ policy: "allow-all" })
      const backup_id = textAt(yield* invoke(gateway, "state.backup.create"), "data", "backup_id")
      const outside = join(gateway.dataDirectory, "outside")
      fs.mkdirSync(outside)
      fs.symlinkSync(outside, join(gateway.workspace, "directory"))
      fs.symlinkSync(join(outside, "file"), join(gateway.workspace, "link"))
      for (const path of ["directory/file", "link"]) {
        const answer = yield* invoke(gateway, "state.backup.export", { backup_id, path })
        assert.strictEqual(at(answer, "error", "type"), "IoError")
        assert.deepStrictEqual(fs.readdirSync(outside), [])
      }
      assert.isTrue(fs.lstatSync(join(gateway.workspace, "link")).isSymbolicLink())
      const answer = yield* invoke(gateway, "state.backup.export", { backup_id, path: "copy.krxb" })
      assert.isTrue(at(answer, "success"))
      assert.deepStrictEqual(
        fs.readFileSync(join(gateway.workspace, "copy.krxb")),
        fs.readFileSync(fileOf(gateway.dataDirectory, backup_id))
      )
    }))

  it.scopedLive("takes the key that it is given", () =>
    Effect.gen(function*() {
      const keys = yield* dataDirectory
      const keyFile = join(keys, "key")
      fs.writeFileSync(keyFile, Buffer.alloc(32, 1))
      const gateway = yield* serve({ policy: "allow-all", backupKey: { keyFile } })
      const made = yield* invoke(gateway, "state.backup.create")
      assert.isTrue(at(made, "success"))
      assert.isFalse(fs.existsSync(join(gateway.dataDirectory, "backup.key")))
      fs.rmSync(keyFile)
      const locked = yield* invoke(gateway, "state.backup.create")
      assert.strictEqual(at(locked, "error", "type"), "VaultLocked")
    }))
})
