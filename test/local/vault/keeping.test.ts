import { SqlClient } from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as fs from "node:fs"
import { join } from "node:path"
import { inspect } from "node:util"
import { AuditLog } from "../../../src/local/store/AuditLog.js"
import { Secrets } from "../../../src/local/store/Secrets.js"
import * as Store from "../../../src/local/store/Store.js"
import * as Keeping from "../../../src/local/vault/keeping.js"
import { temporaryFolder } from "../store/support.js"

const value = "kx-7Yp2-Qq.Zz_9-secret"

const secret = (name: string, more: Partial<Keeping.NewSecret> = {}): Keeping.NewSecret => ({
  name,
  type: "api_key",
  value: Redacted.make(value),
  agents: ["agent"],
  capabilities: ["network.credentialed_request"],
  hosts: ["api.example.com"],
  ...more
})

const keepingIn = (folder: string) =>
  Effect.gen(function*() {
    return yield* Keeping.make({ dataDirectory: folder, key: undefined }, yield* Secrets, yield* AuditLog)
  })

const withKeeping = <A, E>(use: (keeping: Keeping.Keeping, folder: string) => Effect.Effect<A, E, Store.Store>) =>
  Effect.scoped(Effect.gen(function*() {
    const folder = yield* temporaryFolder
    const store = Layer.orDie(Store.layer({ filename: join(folder, "gateway.db") }))
    return yield* Effect.flatMap(keepingIn(folder), (keeping) => use(keeping, folder)).pipe(Effect.provide(store))
  }))

describe("the keeping of secrets", () => {
  it.live("has no value of one in any file, and seals the same value in another way each time", () =>
    withKeeping((keeping, folder) =>
      Effect.gen(function*() {
        const one = yield* keeping.add(secret("one"))
        const two = yield* keeping.add(secret("two"))
        const again = yield* keeping.rotate("one", Redacted.make(value))
        assert.strictEqual(new Set([one.sealed, two.sealed, again.sealed]).size, 3)
        assert.deepStrictEqual([one.generation, again.generation], [1, 2])
        for (const name of fs.readdirSync(folder)) {
          assert.notInclude(fs.readFileSync(join(folder, name), "latin1"), value, name)
        }
        assert.notInclude(String(secret("one").value), value)
      })
    ))

  it.live("uses the name of a revoked one again, and keeps nothing of that", () =>
    withKeeping((keeping) =>
      Effect.gen(function*() {
        yield* keeping.add(secret("one"))
        assert.strictEqual((yield* Effect.flip(keeping.add(secret("one"))))._tag, "SecretAlreadyExists")
        yield* keeping.revoke("one")
        assert.isNull((yield* keeping.list)[0]?.sealed)
        assert.strictEqual((yield* Effect.flip(keeping.revoke("one")))._tag, "UnknownSecret")
        assert.strictEqual((yield* Effect.flip(keeping.rotate("one", Redacted.make(value))))._tag, "UnknownSecret")
        const again = yield* keeping.add(secret("one", { hosts: ["other.example.com"] }))
        assert.deepInclude(again, { generation: 2, revokedAt: null, hosts: ["other.example.com"] })
      })
    ))

  it.live("refuses values that could not be used, or not be kept out of answers", () =>
    withKeeping((keeping, folder) =>
      Effect.gen(function*() {
        const wrong: ReadonlyArray<Partial<Keeping.NewSecret>> = [
          { value: Redacted.make("1234567") },
          { value: Redacted.make("x".repeat(16_385)) },
          { value: Redacted.make("a\0bcdefghi") },
          { type: "oauth_token", value: Redacted.make("{\"access_token\":1,\"more\":\"text\"}") },
          { type: "oauth_token", value: Redacted.make("{\"access_token\":\"short\"}") },
          { hosts: ["http://a"] },
          { capabilities: ["*.read"] },
          { agents: ["a b"] },
          { hosts: Array.from({ length: 101 }, (_, index) => `h${index}.example`) }
        ]
        for (const more of wrong) {
          const failure = yield* Effect.flip(keeping.add(secret("one", more)))
          assert.strictEqual(failure._tag, "InvalidSecret")
          if (more.value !== undefined) assert.notInclude(failure.message, Redacted.value(more.value))
        }
        assert.deepStrictEqual(yield* keeping.list, [])
        assert.isFalse(fs.existsSync(join(folder, "vault.key")))
        yield* keeping.add(secret("one", { value: Redacted.make("x".repeat(16_384)) }))
      })
    ))

  it.live("keeps a thousand at most", () =>
    withKeeping((keeping) =>
      Effect.gen(function*() {
        const secrets = yield* Secrets
        const sealed = { ...secret("s"), seal: () => "sealed" }
        for (let index = 0; index < 1000; index++) yield* secrets.add({ ...sealed, name: `s${index}` })
        assert.deepInclude(yield* Effect.flip(keeping.add(secret("one"))), { _tag: "TooManySecrets", limit: 1000 })
        yield* keeping.revoke("s0")
        yield* keeping.add(secret("one"))
      })
    ), 30_000)

  it.live("settles on one key where several begin at once", () =>
    withKeeping((_keeping, folder) =>
      Effect.gen(function*() {
        const several = yield* Effect.replicateEffect(keepingIn(folder), 5)
        yield* Effect.forEach(several, (keeping, index) => keeping.add(secret(`s${index}`)), {
          concurrency: "unbounded"
        })
        const [first] = several
        for (let index = 0; index < 5; index++) yield* first?.rotate(`s${index}`, Redacted.make(value)) ?? Effect.void
        assert.strictEqual((yield* (yield* Secrets).list).length, 5)
      })
    ))

  it.live("counts each of several rotations at once, and keeps the value of the last", () =>
    withKeeping((keeping, folder) =>
      Effect.gen(function*() {
        yield* keeping.add(secret("one"))
        const store = Layer.orDie(Store.layer({ filename: join(folder, "gateway.db") }))
        const rotated = yield* Effect.forEach(
          Array.from({ length: 12 }, (_, index) => `another-value-${index}`),
          (next) =>
            Effect.map(
              Effect.flatMap(keepingIn(folder), (one) => one.rotate("one", Redacted.make(next))).pipe(
                Effect.provide(store)
              ),
              ({ generation, sealed }) => ({ generation, sealed })
            ),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(
          rotated.map(({ generation }) => generation).toSorted((one, other) => one - other),
          Array.from({ length: 12 }, (_, index) => index + 2)
        )
        const [kept] = yield* keeping.list
        assert.deepStrictEqual(rotated.find(({ generation }) => generation === 13)?.sealed, kept?.sealed)
      })
    ))

  it.live("goes on with the key of one that was killed before its vault was settled", () =>
    withKeeping((keeping, folder) =>
      Effect.gen(function*() {
        const file = join(folder, "vault.key")
        fs.writeFileSync(file, "ab".repeat(32), { mode: 0o600 })
        fs.writeFileSync(`${file}.half-made`, "ab")
        yield* keeping.add(secret("one"))
        assert.strictEqual(fs.readFileSync(file, "utf8"), "ab".repeat(32))
        yield* keeping.rotate("one", Redacted.make("another-value"))
      })
    ))

  it.live("leaves the value that was there where another one cannot be kept", () =>
    withKeeping((keeping, folder) =>
      Effect.gen(function*() {
        const before = yield* keeping.add(secret("one"))
        const rotating = Effect.flip(keeping.rotate("one", Redacted.make("another-value")))
        fs.renameSync(join(folder, "vault.key"), join(folder, "away.key"))
        assert.strictEqual((yield* rotating)._tag, "VaultLocked")
        fs.renameSync(join(folder, "away.key"), join(folder, "vault.key"))
        const sql = yield* SqlClient
        yield* sql`CREATE TRIGGER full AFTER UPDATE ON secrets BEGIN SELECT RAISE(ABORT, 'full'); END`
        assert.strictEqual((yield* rotating)._tag, "SqlError")
        yield* sql`DROP TRIGGER full`
        assert.deepStrictEqual(yield* keeping.list, [before])
        assert.strictEqual((yield* keeping.rotate("one", Redacted.make("another-value"))).generation, 2)
      })
    ))

  it.live("shows a value in no form of what it hands out", () =>
    withKeeping((keeping) =>
      Effect.gen(function*() {
        const given = secret("one")
        const shown = [given, yield* keeping.add(given), yield* keeping.list, yield* Effect.exit(keeping.add(given))]
        for (const one of shown) {
          const texts = [inspect(one, { depth: Infinity, showHidden: true }), JSON.stringify(one), String(one)]
          assert.notInclude(texts.join(), value)
        }
      })
    ))
})
