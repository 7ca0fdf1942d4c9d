import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { Approvals, Capabilities, Gateway, State, Transaction } from "kruxos"
import { LocalGateway } from "kruxos/local"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const invoking = Effect.map(Capabilities, ({ invoke }) => invoke)

const temporaryFolders = () => new Set(fs.readdirSync(tmpdir()).filter((name) => name.startsWith("kruxos-test-")))

describe("a local gateway for a test", () => {
  it.effect("carries out what the real one does, in a workspace of its own", () =>
    Effect.gen(function*() {
      const invoke = yield* invoking
      const { content } = yield* invoke("filesystem.read", { path: "/workspace/notes/today.txt" })
      assert.strictEqual(content, "buy milk")
      yield* invoke("filesystem.write", { path: "notes/today.txt", content: "bought" })
      assert.strictEqual((yield* invoke("filesystem.read", { path: "notes/today.txt" })).content, "bought")
      const { entries } = yield* invoke("filesystem.list", { path: "/workspace", include_hidden: true })
      assert.deepStrictEqual(entries.map(({ name }) => name).toSorted(), ["bytes", "notes"])
      assert.strictEqual((yield* invoke("filesystem.read", { path: "bytes" })).size, 3)
    }).pipe(Effect.provide(LocalGateway.layerTest({
      files: { "notes/today.txt": "buy milk", "/workspace/bytes": new Uint8Array([65, 66, 67]) }
    }))))

  it.effect("shares nothing with another one", () =>
    Effect.gen(function*() {
      const one = yield* Layer.build(LocalGateway.layerTest())
      const other = yield* Layer.build(LocalGateway.layerTest())
      const set = Effect.flatMap(State, ({ shared }) => shared.set("key", "value", { expectedVersion: 0 }))
      yield* Effect.provide(set, one)
      // Were it the same state, the version would be another one.
      yield* Effect.provide(set, other)
      const { invoke } = yield* Effect.provide(Capabilities, one)
      yield* invoke("filesystem.write", { path: "a.txt", content: "a" })
      const there = yield* Effect.provide(Capabilities, other)
      const missing = yield* Effect.flip(there.invoke("filesystem.read", { path: "a.txt" }))
      assert.strictEqual(missing._tag, "FileNotFound")
    }).pipe(Effect.scoped))

  it.effect("leaves no file behind, whatever was done in it", () =>
    Effect.gen(function*() {
      const before = temporaryFolders()
      const scope = yield* Scope.make()
      const services = yield* Layer.buildWithScope(
        LocalGateway.layerTest({ files: { "a/b/c.txt": "c" }, policy: "allow-all" }),
        scope
      )
      const made = [...temporaryFolders()].filter((name) => !before.has(name))
      const { invoke } = yield* Effect.provide(Capabilities, services)
      yield* invoke("filesystem.delete", { path: "a/b/c.txt" })
      const own = made.filter((name) => fs.existsSync(join(tmpdir(), name, "a")))
      assert.isAtLeast(own.length, 1)
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(own.filter((name) => fs.existsSync(join(tmpdir(), name))), [])
    }))

  it.effect("waits for approval, and rolls back, by the Clock of the test", () =>
    Effect.gen(function*() {
      const invoke = yield* invoking
      const approvals = yield* Approvals
      const asked = yield* Effect.flip(invoke("filesystem.delete", { path: "a.txt" }))
      assert.strictEqual(asked._tag, "ApprovalRequired")
      if (asked._tag !== "ApprovalRequired") return
      yield* TestClock.adjust("8 days")
      assert.strictEqual((yield* approvals.check(asked)).status, "expired")
      const failed = yield* Effect.either(Transaction.run(
        Effect.zipRight(invoke("filesystem.write", { path: "a.txt", content: "new" }), Effect.fail("no" as const))
      ))
      assert.strictEqual(failed._tag === "Left" ? failed.left : undefined, "no")
      assert.strictEqual((yield* invoke("filesystem.read", { path: "a.txt" })).content, "old")
    }).pipe(Effect.provide(LocalGateway.layerTest({ files: { "a.txt": "old" } }))))

  it.effect("takes tiers as a policy", () =>
    Effect.gen(function*() {
      const invoke = yield* invoking
      const refused = yield* Effect.flip(invoke("filesystem.write", { path: "a.txt", content: "a" }))
      assert.strictEqual(refused._tag, "PolicyDenied")
      const asked = yield* Effect.flip(invoke("filesystem.read", { path: "a.txt" }))
      assert.strictEqual(asked._tag, "ApprovalRequired")
      yield* invoke("agent.whoami")
    }).pipe(Effect.provide(LocalGateway.layerTest({
      files: { "a.txt": "a" },
      policy: { tiers: { "filesystem.*": "approval_required", "filesystem.write": "blocked" } }
    }))))

  it.effect("draws the same names from the same seed, and others from another", () =>
    Effect.gen(function*() {
      const names = Effect.gen(function*() {
        const gateway = yield* Gateway
        const invoke = yield* invoking
        const asked = yield* Effect.flip(invoke("filesystem.delete", { path: "a.txt" }))
        const { alert_id } = yield* invoke("alerts.send", { severity: "info", message: "hello" })
        return [(yield* gateway.session).id, asked._tag === "ApprovalRequired" ? asked.approvalId : undefined, alert_id]
      })
      const drawn = (seed?: number) => Effect.provide(names, LocalGateway.layerTest({ seed, files: { "a.txt": "a" } }))
      const first = yield* drawn(7)
      assert.deepStrictEqual(yield* drawn(7), first)
      for (const other of [yield* drawn(8), yield* drawn()]) {
        for (const [index, name] of other.entries()) assert.notStrictEqual(name, first[index])
      }
      assert.match(first[0] ?? "", /^ses-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      assert.match(first[1] ?? "", /^apr-[0-9a-f]{32}$/)
    }))

  it.effect("refuses files that are not in a workspace", () =>
    Effect.gen(function*() {
      for (const path of ["../a.txt", "/etc/passwd", ".kruxos/x", "/workspace", "a/../..", ""]) {
        const error = yield* Effect.flip(Effect.scoped(Layer.build(LocalGateway.layerTest({ files: { [path]: "" } }))))
        assert.strictEqual(error._tag === "WorkspaceUnavailable" ? error.reason : error._tag, "invalid-path", path)
      }
      const both = yield* Effect.flip(
        Effect.scoped(Layer.build(LocalGateway.layerTest({ files: { a: "a file", "a/b": "in it" } })))
      )
      assert.strictEqual(both._tag === "WorkspaceUnavailable" ? both.reason : both._tag, "not-writable")
    }))
})
