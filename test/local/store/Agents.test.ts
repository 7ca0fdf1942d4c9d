import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import { createHash } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { Agents } from "../../../src/local/store/Agents.js"
import { temporaryDatabase, withStore } from "./support.js"

const inMemory = withStore(":memory:")

describe("create", () => {
  it.effect("gives an agent and a key of 64 lower-case hexadecimal characters", () =>
    inMemory(Effect.gen(function*() {
      yield* TestClock.setTime(Date.UTC(2026, 0, 2, 3, 4, 5, 678))
      const agents = yield* Agents
      const { agent, apiKey } = yield* agents.create({ name: "one" })
      assert.match(Redacted.value(apiKey), /^[0-9a-f]{64}$/)
      assert.deepStrictEqual({ ...agent, createdAt: DateTime.formatIso(agent.createdAt) }, {
        name: "one",
        purpose: "",
        policyGroup: "default",
        workspace: Option.none(),
        status: "active",
        keyGeneration: 1,
        createdAt: "2026-01-02T03:04:05.678Z"
      })
      assert.deepStrictEqual(yield* agents.get("one"), Option.some(agent))
    })))

  it.effect("takes what is given, the key too", () =>
    inMemory(Effect.gen(function*() {
      const agents = yield* Agents
      const apiKey = Redacted.make("0f".repeat(32))
      const created = yield* agents.create({
        name: "two",
        purpose: "it's for \"tests\"",
        policyGroup: "careful",
        workspace: "/home/two",
        apiKey
      })
      assert.strictEqual(Redacted.value(created.apiKey), "0f".repeat(32))
      assert.deepInclude(created.agent, {
        purpose: "it's for \"tests\"",
        policyGroup: "careful",
        workspace: Option.some("/home/two")
      })
      assert.strictEqual((yield* agents.authenticate(apiKey)).name, "two")
    })))

  it.effect("refuses a name that is taken, whatever its case, and keeps the first one", () =>
    inMemory(Effect.gen(function*() {
      const agents = yield* Agents
      const { apiKey } = yield* agents.create({ name: "One", purpose: "first" })
      for (const name of ["One", "one", "ONE"]) {
        const error = yield* Effect.flip(agents.create({ name }))
        assert.strictEqual(error._tag, "AgentAlreadyExists")
        assert.match(error.message, /One/)
      }
      assert.strictEqual((yield* agents.authenticate(apiKey)).purpose, "first")
      yield* agents.revoke("One")
      assert.strictEqual((yield* Effect.flip(agents.create({ name: "One" })))._tag, "AgentAlreadyExists")
      assert.lengthOf(yield* agents.list, 1)
    })))

  it.effect("lets one of several at once have the name", () =>
    inMemory(Effect.gen(function*() {
      const agents = yield* Agents
      const exits = yield* Effect.all(Array.from({ length: 5 }, () => Effect.either(agents.create({ name: "one" }))), {
        concurrency: "unbounded"
      })
      assert.lengthOf(exits.filter((exit) => exit._tag === "Right"), 1)
    })))

  it.effect("refuses a name that is none", () =>
    inMemory(Effect.gen(function*() {
      const agents = yield* Agents
      const bad = ["", ".", "..", "-a", "_a", ".a", "a b", "a/b", "../a", "a\\b", "a\n", "é", "a\0", "x".repeat(65)]
      for (const name of bad) {
        const error = yield* Effect.flip(agents.create({ name }))
        assert.deepInclude(error, { _tag: "InvalidAgentName", reason: "malformed" })
      }
      for (const name of ["shared", "Shared"]) {
        const error = yield* Effect.flip(agents.create({ name }))
        assert.deepInclude(error, { _tag: "InvalidAgentName", name, reason: "reserved" })
        assert.include(error.message, "/api/state/shared")
      }
      for (const name of ["a", "0", "A-b_c.d", "shared-1", "x".repeat(64)]) yield* agents.create({ name })
      assert.lengthOf(yield* agents.list, 5)
    })))

  it.effect("refuses a key that is none, or another agent's, and never says it", () =>
    inMemory(Effect.gen(function*() {
      const agents = yield* Agents
      for (const key of ["", "abc", "g".repeat(64), "a".repeat(63), "a".repeat(65), `${"a".repeat(64)}\n`]) {
        const error = yield* Effect.flip(agents.create({ name: "one", apiKey: Redacted.make(key) }))
        assert.deepInclude(error, { _tag: "InvalidApiKey", reason: "malformed" })
        if (key !== "") assert.notInclude(JSON.stringify([error, error.message, String(error)]), key)
      }
      const apiKey = Redacted.make("ab".repeat(32))
      yield* agents.create({ name: "one", apiKey })
      const error = yield* Effect.flip(agents.create({ name: "two", apiKey }))
      assert.deepInclude(error, { _tag: "InvalidApiKey", reason: "in-use" })
      assert.strictEqual((yield* agents.authenticate(apiKey)).name, "one")
    })))
})

describe("list and get", () => {
  it.effect("know all agents by name, and no others", () =>
    inMemory(Effect.gen(function*() {
      const agents = yield* Agents
      assert.deepStrictEqual(yield* agents.list, [])
      for (const name of ["b", "c", "a"]) yield* agents.create({ name })
      yield* agents.revoke("b")
      assert.deepStrictEqual((yield* agents.list).map(({ name, status }) => [name, status]), [
        ["a", "active"],
        ["b", "revoked"],
        ["c", "active"]
      ])
      assert.isTrue(Option.isNone(yield* agents.get("d")))
      assert.isTrue(Option.isNone(yield* agents.get("A")))
    })))
})

describe("authenticate", () => {
  it.effect("tells agents apart by their keys", () =>
    inMemory(Effect.gen(function*() {
      const agents = yield* Agents
      const keys = new Map<string, Redacted.Redacted<string>>()
      for (let i = 0; i < 20; i++) keys.set(`agent-${i}`, (yield* agents.create({ name: `agent-${i}` })).apiKey)
      for (const [name, key] of keys) assert.strictEqual((yield* agents.authenticate(key)).name, name)
      assert.strictEqual(new Set(Array.from(keys.values(), Redacted.value)).size, 20)
    })))

  it.effect("refuses everything else", () =>
    inMemory(Effect.gen(function*() {
      const agents = yield* Agents
      const { apiKey } = yield* agents.create({ name: "one" })
      const key = Redacted.value(apiKey)
      const hash = createHash("sha256").update(key).digest("hex")
      const flipped = `${key.slice(0, -1)}${key.endsWith("0") ? "1" : "0"}`
      for (const wrong of ["", " ", key.slice(1), `${key} `, flipped, hash, "one", "' OR 1=1 --", "a\0b"]) {
        const error = yield* Effect.flip(agents.authenticate(Redacted.make(wrong)))
        assert.strictEqual(error._tag, "InvalidCredentials")
      }
    })))
})

describe("rotate and revoke", () => {
  it.effect("a rotation replaces the key and counts", () =>
    inMemory(Effect.gen(function*() {
      const agents = yield* Agents
      const { apiKey: first } = yield* agents.create({ name: "one" })
      assert.deepStrictEqual(yield* agents.standing("one"), { status: "active", keyGeneration: 1 })
      const second = yield* agents.rotate("one")
      assert.match(Redacted.value(second), /^[0-9a-f]{64}$/)
      assert.notStrictEqual(Redacted.value(second), Redacted.value(first))
      assert.deepStrictEqual(yield* agents.standing("one"), { status: "active", keyGeneration: 2 })
      assert.strictEqual((yield* Effect.flip(agents.authenticate(first)))._tag, "InvalidCredentials")
      assert.strictEqual((yield* agents.authenticate(second)).keyGeneration, 2)
    })))

  it.effect("a revocation holds, for the right key alone says so, and may be repeated", () =>
    inMemory(Effect.gen(function*() {
      const agents = yield* Agents
      const { apiKey } = yield* agents.create({ name: "one" })
      yield* agents.revoke("one")
      yield* agents.revoke("one")
      assert.deepStrictEqual(yield* agents.standing("one"), { status: "revoked", keyGeneration: 1 })
      const error = yield* Effect.flip(agents.authenticate(apiKey))
      assert.deepInclude(error, { _tag: "AgentRevoked", name: "one" })
      const rotation = yield* Effect.flip(agents.rotate("one"))
      assert.deepInclude(rotation, { _tag: "AgentRevoked", name: "one" })
      assert.deepStrictEqual(yield* agents.standing("one"), { status: "revoked", keyGeneration: 1 })
    })))

  it.effect("know no unknown agent", () =>
    inMemory(Effect.gen(function*() {
      const agents = yield* Agents
      for (const attempt of [Effect.asVoid(agents.rotate("none")), agents.revoke("none")]) {
        assert.deepInclude(yield* Effect.flip(attempt), { _tag: "AgentNotFound", name: "none" })
      }
      assert.deepStrictEqual(yield* agents.standing("none"), { status: "unknown", keyGeneration: 0 })
    })))
})

describe("on disk", () => {
  it.scoped("no file of the store ever contains a key", () =>
    Effect.gen(function*() {
      const filename = yield* temporaryDatabase
      const keys: Array<string> = ["fe".repeat(32)]
      const assertAbsent = Effect.sync(() => {
        const files = readdirSync(dirname(filename))
        assert.include(files, "gateway.db")
        for (const file of files) {
          const bytes = readFileSync(join(dirname(filename), file))
          for (const key of keys) {
            assert.isFalse(bytes.includes(key), file)
            assert.isFalse(bytes.includes(Buffer.from(key, "hex")), file)
          }
        }
      })
      yield* withStore(filename)(Effect.gen(function*() {
        const agents = yield* Agents
        keys.push(Redacted.value((yield* agents.create({ name: "one" })).apiKey))
        yield* agents.create({ name: "two", apiKey: Redacted.make("fe".repeat(32)) })
        keys.push(Redacted.value(yield* agents.rotate("one")))
        for (const key of keys) yield* Effect.either(agents.authenticate(Redacted.make(key)))
        yield* assertAbsent
      }))
      yield* assertAbsent
    }))

  it.scoped("another connection's revocation counts at once", () =>
    Effect.gen(function*() {
      const filename = yield* temporaryDatabase
      yield* withStore(filename)(Effect.gen(function*() {
        const agents = yield* Agents
        const { apiKey } = yield* agents.create({ name: "one" })
        assert.strictEqual((yield* agents.standing("one")).status, "active")
        yield* withStore(filename)(Effect.flatMap(Agents, (others) => others.revoke("one")))
        assert.strictEqual((yield* agents.standing("one")).status, "revoked")
        assert.strictEqual((yield* Effect.flip(agents.authenticate(apiKey)))._tag, "AgentRevoked")
      }))
    }))
})
