import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import * as fs from "node:fs"
import { join } from "node:path"
import { letOthersRun } from "../../../src/local/letOthersRun.js"
import { PersistentState } from "../../../src/local/store/PersistentState.js"
import { SharedState } from "../../../src/local/store/SharedState.js"
import { quietly } from "../../support/gateway.js"
import { backupsIn, contentOf, fileOf, put, remove, restorer, versionsOf, withBackups } from "./support.js"

const modeOf = (path: string) => fs.statSync(path).mode & 0o777

describe("backups", () => {
  it.effect("are files that only their owner can read, without anything of the state to be seen", () =>
    withBackups((backups, directory) =>
      Effect.gen(function*() {
        yield* TestClock.setTime(Date.UTC(2025, 0, 31, 8))
        yield* put("one", "a", "the plain text of a value")
        const made = yield* backups.create("one")
        assert.match(made.id, /^bkp-20250131T080000-[0-9a-f]{8}$/)
        assert.strictEqual(made.scope, "agent:one")
        const file = fileOf(directory, made.id)
        assert.strictEqual(made.size, fs.statSync(file).size)
        assert.deepStrictEqual([modeOf(file), modeOf(join(directory, "backup.key"))], [0o600, 0o600])
        assert.strictEqual(modeOf(join(directory, "backups")), 0o700)
        assert.match(fs.readFileSync(join(directory, "backup.key"), "utf8"), /^[0-9a-f]{64}\n$/)
        assert.isFalse(fs.readFileSync(file).includes("plain text"))
        assert.deepStrictEqual(fs.readdirSync(join(directory, "backups")), [`${made.id}.krxb`])
        yield* TestClock.adjust("1 hour")
        const later = yield* backups.create(undefined)
        assert.deepStrictEqual(yield* backups.list, [later, made])
        assert.strictEqual(later.scope, "full")
        assert.strictEqual(DateTime.formatIso(later.createdAt), "2025-01-31T09:00:00.000Z")
      })
    ))

  it.effect("give back what was there, with its history", () =>
    withBackups((backups) =>
      Effect.gen(function*() {
        for (let version = 1; version <= 5; version++) yield* put("one", "a", { version }, version)
        yield* put("one", "untouched", "same", 7)
        yield* put("*", "s", "shared", 8)
        yield* put("*", "gone", [1, 2, 3], 9)
        const before = yield* Effect.forEach(["one", "two", "*"], contentOf)
        const { id } = yield* backups.create(undefined)

        for (let more = 1; more <= 4; more++) yield* put("one", "a", "later", 100)
        yield* put("one", "new", "later", 100)
        yield* put("two", "new", "later", 100)
        yield* put("*", "s", "later", 100)
        yield* remove("*", "gone", 100)
        const restored = yield* backups.restore(id, undefined, restorer)
        assert.deepStrictEqual(restored, { agents: ["one", "two"], shared: true })
        assert.deepStrictEqual(yield* Effect.forEach(["one", "two", "*"], contentOf), before)
      })
    ))

  it.effect("never give a number of a version to another value, and leave alone what is as it was", () =>
    withBackups((backups) =>
      Effect.gen(function*() {
        const state = yield* PersistentState
        const shared = yield* SharedState
        for (let version = 1; version <= 3; version++) yield* put("one", "a", version)
        yield* put("one", "b", "b")
        yield* put("*", "s", "s")
        const { id } = yield* backups.create(undefined)
        const last = yield* shared.lastChange
        for (let version = 4; version <= 6; version++) yield* put("one", "a", version)
        yield* backups.restore(id, undefined, restorer)
        assert.deepStrictEqual(yield* versionsOf("one"), new Map([["a", 9], ["b", 1]]))
        assert.deepStrictEqual((yield* state.history("one", "a")).map(({ value, version }) => [version, value]), [
          [9, 3],
          [8, 2],
          [7, 1]
        ])
        for (const version of [1, 4, 6]) assert.isUndefined(yield* state.get("one", "a", version))
        assert.strictEqual(yield* put("one", "a", "next"), 10)
        assert.strictEqual(yield* shared.lastChange, last)

        // What was removed in the meantime goes on, too; and a second time changes nothing any more.
        yield* remove("*", "s")
        yield* remove("one", "a")
        yield* backups.restore(id, undefined, restorer)
        const versions = yield* Effect.forEach(["one", "*"], versionsOf)
        assert.deepStrictEqual(versions, [new Map([["a", 13], ["b", 1]]), new Map([["s", 2]])])
        const changes = yield* shared.lastChange
        yield* backups.restore(id, undefined, restorer)
        assert.deepStrictEqual(yield* Effect.forEach(["one", "*"], versionsOf), versions)
        assert.strictEqual(yield* shared.lastChange, changes)
      })
    ))

  it.effect("tell those who watch what a restore changed, and what it removed", () =>
    withBackups((backups) =>
      Effect.gen(function*() {
        const shared = yield* SharedState
        yield* put("*", "a", 1)
        yield* put("*", "same", 1)
        const { id } = yield* backups.create(undefined)
        yield* put("*", "a", 2)
        yield* put("*", "b", 1)
        const last = yield* shared.lastChange
        yield* backups.restore(id, undefined, restorer)
        const changes = yield* shared.changesBehind(last, 100)
        assert.deepStrictEqual(
          changes.map(({ deleted, key, number, version }) => ({ deleted, key, number, version })),
          [
            { deleted: false, key: "a", number: last + 1, version: 3 },
            { deleted: true, key: "b", number: last + 2, version: 1 }
          ]
        )
      })
    ))

  it.effect("of one agent hold nothing of others, and of a full one a part can be put back", () =>
    withBackups((backups) =>
      Effect.gen(function*() {
        for (const space of ["one", "two", "*"]) yield* put(space, "a", "before")
        const own = yield* backups.create("one")
        const full = yield* backups.create(undefined)
        const beforeOne = yield* contentOf("one")
        for (const space of ["one", "two", "*"]) yield* put(space, "a", "after")
        const after = yield* Effect.forEach(["two", "*"], contentOf)

        assert.deepStrictEqual(yield* backups.restore(own.id, undefined, restorer), { agents: ["one"], shared: false })
        assert.deepStrictEqual(yield* contentOf("one"), beforeOne)
        assert.deepStrictEqual(yield* Effect.forEach(["two", "*"], contentOf), after)

        yield* put("one", "a", "again")
        const again = yield* contentOf("one")
        assert.deepStrictEqual(yield* backups.restore(full.id, "two", restorer), { agents: ["two"], shared: false })
        assert.deepStrictEqual(yield* contentOf("one"), again)
        assert.deepStrictEqual((yield* contentOf("two")).entries.length, 1)
        assert.deepStrictEqual(yield* contentOf("*"), after[1])

        for (const [id, agent] of [[own.id, "two"], [full.id, "nobody"], [full.id, "*"]] as const) {
          const failure = yield* Effect.flip(backups.restore(id, agent, restorer))
          assert.deepInclude(failure, { _tag: "InvalidInput", field: "agent" })
        }
        assert.deepInclude(yield* Effect.flip(backups.create("nobody")), { _tag: "InvalidInput", field: "agent" })
        assert.deepInclude(yield* Effect.flip(backups.create("*")), { _tag: "InvalidInput", field: "agent" })
        assert.deepStrictEqual(yield* contentOf("one"), again)
      })
    ))

  it.effect("hold large states in many chunks", () =>
    withBackups((backups) =>
      Effect.gen(function*() {
        const large = "x\"\\\n".repeat(100_000)
        for (let key = 0; key < 12; key++) yield* put("one", `key-${key}`, { key, large })
        for (let key = 0; key < 700; key++) yield* put("two", `key-${key}`, { key })
        const before = yield* Effect.forEach(["one", "two"], contentOf)
        const { id, size } = yield* backups.create(undefined)
        assert.isBelow(size, 1024 * 1024)
        for (let key = 0; key < 12; key++) yield* remove("one", `key-${key}`)
        for (let key = 0; key < 700; key += 7) yield* remove("two", `key-${key}`)
        yield* backups.restore(id, undefined, restorer)
        assert.deepStrictEqual(yield* Effect.forEach(["one", "two"], contentOf), before)
      })
    ), 30_000)

  it.effect("are as the state was at one moment, and hold up nobody who writes meanwhile", () =>
    withBackups((backups) =>
      Effect.gen(function*() {
        const state = yield* PersistentState
        for (let key = 0; key < 1200; key++) yield* put("one", `a-${key}`, 0)
        let round = 0
        // What is written first is read last.
        const write = Effect.gen(function*() {
          round++
          yield* put("one", "z", round)
          for (let key = 0; key < 20; key++) yield* put("one", `a-${key}`, round)
          yield* put("one", "b", round)
        })
        const writing = yield* Effect.fork(Effect.forever(Effect.zipRight(write, letOthersRun)))
        const { id } = yield* backups.create(undefined)
        yield* Fiber.interrupt(writing)
        assert.isAbove(round, 0)
        yield* backups.restore(id, undefined, restorer)
        const written = (key: string) => Effect.map(state.get("one", key), (found) => Number(found?.value ?? 0))
        const rounds = yield* Effect.forEach(["z", "a-0", "a-19", "b"], written)
        assert.deepStrictEqual(rounds, [...rounds].sort((one, other) => other - one))
        assert.isAtMost((rounds[0] ?? 0) - (rounds[3] ?? 0), 1)
      })
    ))

  it.effect("stay within a number, and none is removed for another", () =>
    withBackups((backups, directory) =>
      Effect.gen(function*() {
        const { id } = yield* backups.create("one")
        for (let copy = 0; copy < 99; copy++) {
          fs.copyFileSync(
            fileOf(directory, id),
            fileOf(directory, `bkp-20250101T000000-${String(copy).padStart(8, "0")}`)
          )
        }
        const failure = yield* Effect.flip(backups.create("one"))
        assert.deepInclude(failure, { _tag: "ResourceExhausted", resource: "backups", limit: 100 })
        assert.strictEqual(fs.readdirSync(join(directory, "backups")).length, 100)
      })
    ))
})

describe("the key of backups", () => {
  const keyFile = (content: string | Uint8Array) => (directory: string) => {
    const path = join(directory, "given.key")
    fs.writeFileSync(path, content)
    return { keyFile: path }
  }

  const passphrase = (text: string) => ({ passphrase: Redacted.make(text) })

  it.effect("may be a file with 32 bytes, or with 64 hexadecimal characters", () =>
    withBackups((backups, directory) =>
      Effect.gen(function*() {
        yield* put("one", "a", 1)
        const { id } = yield* backups.create(undefined)
        yield* put("one", "a", 2)
        const hexadecimal = Buffer.alloc(32, 7).toString("hex")
        const again = yield* backupsIn(directory, keyFile(`${hexadecimal.toUpperCase()}\r\n`)(directory))
        yield* again.restore(id, undefined, restorer)
        assert.deepStrictEqual((yield* versionsOf("one")).get("a"), 3)
        assert.isFalse(fs.existsSync(join(directory, "backup.key")))
      }), keyFile(Buffer.alloc(32, 7))))

  it.effect(
    "may be a passphrase; another one, or a key file, decrypts nothing",
    () =>
      withBackups((backups, directory) =>
        Effect.gen(function*() {
          yield* put("one", "a", 1)
          const { id } = yield* backups.create(undefined)
          yield* put("one", "a", 2)
          const after = yield* contentOf("one")
          for (const key of [passphrase("another"), keyFile(Buffer.alloc(32))(directory)]) {
            const failure = yield* Effect.flip((yield* backupsIn(directory, key)).restore(id, undefined, restorer))
            assert.deepInclude(failure, { _tag: "DecryptionFailed", backupId: id })
            assert.deepStrictEqual(yield* contentOf("one"), after)
          }
          yield* (yield* backupsIn(directory, passphrase("correct horse"))).restore(id, undefined, restorer)
          assert.deepStrictEqual((yield* versionsOf("one")).get("a"), 3)
          assert.isFalse(fs.existsSync(join(directory, "backup.key")))
        }), () => passphrase("correct horse")),
    30_000
  )

  it.effect("is out of reach: VaultLocked, and nothing is made", () =>
    withBackups((backups, directory) =>
      Effect.gen(function*() {
        yield* put("one", "a", 1)
        const { id } = yield* backups.create(undefined)
        fs.rmSync(join(directory, "backup.key"))
        assert.strictEqual((yield* Effect.flip(backups.restore(id, undefined, restorer)))._tag, "VaultLocked")
        assert.isFalse(fs.existsSync(join(directory, "backup.key")))
        for (
          const key of [
            { keyFile: join(directory, "none.key") },
            keyFile("too short")(directory),
            keyFile(Buffer.alloc(33))(directory),
            { keyFile: directory },
            passphrase("")
          ]
        ) {
          const other = yield* backupsIn(directory, key)
          const failure = yield* Effect.flip(other.create(undefined))
          assert.strictEqual(failure._tag, "VaultLocked")
          assert.notInclude(failure.message, directory)
        }
        assert.strictEqual((yield* backups.list).length, 1)
        assert.deepStrictEqual(fs.readdirSync(join(directory, "backups")), [`${id}.krxb`])
      })
    ))

  it.effect("that is another file's decrypts nothing", () =>
    withBackups((backups, directory) =>
      Effect.gen(function*() {
        yield* put("one", "a", 1)
        const { id } = yield* backups.create(undefined)
        yield* put("one", "a", 2)
        const after = yield* contentOf("one")
        fs.writeFileSync(join(directory, "backup.key"), "0".repeat(64))
        assert.strictEqual((yield* Effect.flip(backups.restore(id, undefined, restorer)))._tag, "DecryptionFailed")
        assert.deepStrictEqual(yield* contentOf("one"), after)
      })
    ))
})

describe("the list of backups", () => {
  it.effect("leaves out what is damaged, and what is no backup", () =>
    withBackups((backups, directory) =>
      Effect.gen(function*() {
        const made = yield* backups.create(undefined)
        const place = (name: string) => join(directory, "backups", name)
        const other = "bkp-20250101T000000-00000000"
        fs.copyFileSync(fileOf(directory, made.id), fileOf(directory, other))
        fs.writeFileSync(fileOf(directory, "bkp-20250101T000000-00000001"), "")
        fs.writeFileSync(fileOf(directory, "bkp-20250101T000000-00000002"), "KRXBKUP1\xff\xff\xff\xff", "latin1")
        fs.mkdirSync(fileOf(directory, "bkp-20250101T000000-00000003"))
        fs.symlinkSync(fileOf(directory, made.id), fileOf(directory, "bkp-20250101T000000-00000004"))
        for (const name of ["notes.txt", "bkp-1.krxb", ".krxb", "..krxb"]) fs.writeFileSync(place(name), "")
        assert.deepStrictEqual(yield* quietly(backups.list), [made])
        for (let number = 0; number < 5; number++) {
          const failure = yield* Effect.flip(
            backups.restore(`bkp-20250101T000000-0000000${number}`, undefined, restorer)
          )
          assert.strictEqual(failure._tag, "DecryptionFailed")
        }
      })
    ))

  it.effect("is empty where there never was one, and ids that are none lead nowhere", () =>
    withBackups((backups, directory) =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* backups.list, [])
        fs.writeFileSync(join(directory, "outside.krxb"), "")
        for (const id of ["../outside", "outside", "", "bkp-20250101T000000-00000000", "/etc/passwd", "a\0b", "."]) {
          const failure = yield* Effect.flip(backups.restore(id, undefined, restorer))
          assert.strictEqual(failure._tag, "BackupNotFound")
        }
      })
    ))
})
