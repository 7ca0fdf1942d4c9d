import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import { hashOf, type Head } from "../../../src/local/audit/chain.js"
import type { Damage, Verification } from "../../../src/local/audit/verify.js"
import { parameters } from "../../support/runs.js"
import { factOf, type TestLog, testLog } from "./support.js"

const damageOf = ({ damage }: Verification): Damage => {
  if (Option.isNone(damage)) return assert.fail("nothing was found")
  return damage.value
}

const columns =
  "at, kind, agent, session_id, capability, tier, rule, approval_id, idempotency_key, details, previous_hash, hash"

const move = (from: number, to: number) => `UPDATE audit_log SET sequence = ${to} WHERE sequence = ${from}`

const changes = [
  "at = at + 1",
  "at = 'soon'",
  "kind = 'refused'",
  "agent = 'other'",
  "agent = NULL",
  "agent = X'00ff'",
  "session_id = ''",
  "capability = 'system.time'",
  "tier = 'notify'",
  "rule = rule || ' '",
  "approval_id = 'apr-1'",
  "idempotency_key = 'k'",
  "details = details || ' '",
  "details = 'x'",
  "previous_hash = hash",
  "hash = previous_hash",
  "hash = ''"
]

/** What somebody does to a log of so many entries, and how verify is to name it. */
interface Tampering {
  readonly statements: ReadonlyArray<string>
  readonly sequence: number
  readonly problem: Damage["problem"]
}

const tampering = (length: number): FastCheck.Arbitrary<Tampering> => {
  const place = FastCheck.integer({ min: 1, max: length })
  return FastCheck.oneof(
    FastCheck.tuple(place, FastCheck.constantFrom(...changes)).map(([sequence, change]): Tampering => ({
      statements: [`UPDATE audit_log SET ${change} WHERE sequence = ${sequence}`],
      sequence,
      problem: "changed"
    })),
    // One or several, the last too: where the log ended is known.
    FastCheck.tuple(place, FastCheck.nat(3)).map(([sequence, more]): Tampering => ({
      statements: [`DELETE FROM audit_log WHERE sequence BETWEEN ${sequence} AND ${sequence + more}`],
      sequence,
      problem: "missing"
    })),
    // Removed, with the others moved up to fill the gap.
    FastCheck.integer({ min: 1, max: length - 1 }).map((sequence): Tampering => ({
      statements: [
        `DELETE FROM audit_log WHERE sequence = ${sequence}`,
        ...Array.from({ length: length - sequence }, (_, index) => move(sequence + index + 1, sequence + index))
      ],
      sequence,
      problem: "missing"
    })),
    // A copy or an invention, with the others moved down to make room.
    FastCheck.tuple(place, place, FastCheck.constantFrom("hash", "'f00d'")).map(
      ([sequence, original, hash]): Tampering => ({
        statements: [
          ...Array.from({ length: length - sequence + 1 }, (_, index) => move(length - index, length - index + 1)),
          `INSERT INTO audit_log SELECT ${sequence}, ${columns.replace(/hash$/, hash).replace("details", "'{}'")}
            FROM audit_log WHERE sequence = ${original >= sequence ? original + 1 : original}`
        ],
        sequence,
        problem: "inserted"
      })
    ),
    FastCheck.integer({ min: -3, max: 0 }).map((sequence): Tampering => ({
      statements: [`INSERT INTO audit_log SELECT ${sequence}, ${columns} FROM audit_log WHERE sequence = 1`],
      sequence,
      problem: "inserted"
    })),
    FastCheck.uniqueArray(place, { minLength: 2, maxLength: 2 }).map(([one = 1, other = 2]): Tampering => ({
      statements: [move(one, 1_000_000), move(other, one), move(1_000_000, other)],
      sequence: Math.min(one, other),
      problem: "reordered"
    }))
  )
}

const filled = (length: number) =>
  Effect.gen(function*() {
    const log = yield* testLog()
    const head = yield* log.append(Array.from({ length }, (_, index) => factOf(index)))
    return { ...log, head }
  })

/** Makes an entry, and all that come after it, look as if nothing had happened. */
const rewriteFrom = ({ log, tamper }: TestLog, sequence: number) =>
  Effect.gen(function*() {
    const entries = yield* log.list({ limit: 1000 })
    let previousHash = entries.find((entry) => entry.sequence === sequence - 1)?.hash ?? "0".repeat(64)
    for (const { hash: _, ...entry } of entries.slice(sequence - 1)) {
      const details = entry.sequence === sequence ? "{\"number\":666}" : entry.details
      const hash = hashOf({ ...entry, details, previousHash })
      yield* tamper(
        `UPDATE audit_log SET details = '${details}', previous_hash = '${previousHash}', hash = '${hash}'
          WHERE sequence = ${entry.sequence}`
      )
      previousHash = hash
    }
  })

describe("verify", () => {
  it.effect(
    "finds and names whatever was changed, removed, inserted or moved",
    () =>
      Effect.promise(() =>
        FastCheck.assert(
          FastCheck.asyncProperty(
            FastCheck.integer({ min: 2, max: 12 }).chain((length) =>
              FastCheck.tuple(FastCheck.constant(length), tampering(length))
            ),
            ([length, { problem, sequence, statements }]) =>
              Effect.gen(function*() {
                const { head, tamper, verify } = yield* filled(length)
                assert.deepStrictEqual((yield* verify(head)).damage, Option.none())
                for (const statement of statements) yield* tamper(statement)
                const found = yield* verify(head)
                const damage = damageOf(found)
                assert.deepStrictEqual({ sequence: damage.sequence, problem: damage.problem }, { sequence, problem })
                assert.strictEqual(found.entries, Math.max(0, sequence - 1))
              }).pipe(Effect.scoped, Effect.runPromise)
          ),
          parameters(400)
        )
      ),
    60_000
  )

  it.scoped("looks at logs of any length", () =>
    Effect.gen(function*() {
      for (const length of [0, 1, 499, 500, 501, 1000]) {
        const { head, tamper, verify } = yield* filled(length)
        assert.deepStrictEqual(yield* verify(head), { entries: length, head, gaps: 0, damage: Option.none() })
        if (length === 0) continue
        yield* tamper(`UPDATE audit_log SET agent = 'x' WHERE sequence = ${length}`)
        assert.include(damageOf(yield* verify()), { sequence: length, problem: "changed" })
      }
    }))

  it.scoped("finds by an anchor that the end is missing, or that all was rewritten", () =>
    Effect.gen(function*() {
      const cut = yield* filled(5)
      const [early] = yield* cut.log.list({ limit: 3 })
      const anchor: Head = { sequence: early?.sequence ?? 0, hash: early?.hash ?? "" }
      assert.strictEqual(anchor.sequence, 3)
      yield* cut.tamper("DELETE FROM audit_log WHERE sequence > 3")
      assert.deepStrictEqual((yield* cut.verify()).damage, Option.none())
      assert.deepStrictEqual((yield* cut.verify(anchor)).damage, Option.none())
      const damage = damageOf(yield* cut.verify(anchor, cut.head))
      assert.deepStrictEqual(damage, { sequence: 4, problem: "missing", message: "entries 4 to 5 are missing" })

      const rewritten = yield* filled(5)
      yield* rewriteFrom(rewritten, 2)
      assert.deepStrictEqual((yield* rewritten.verify()).damage, Option.none())
      assert.include(damageOf(yield* rewritten.verify(rewritten.head)), { sequence: 5, problem: "rewritten" })
    }))

  it.scoped("finds an entry that was rewritten by itself, with a hash that fits", () =>
    Effect.gen(function*() {
      const test = yield* filled(3)
      yield* rewriteFrom(test, 3)
      assert.include(damageOf(yield* test.verify(test.head)), { sequence: 3, problem: "rewritten" })
      const other = yield* filled(3)
      const [entry] = (yield* other.log.list({})).slice(1)
      if (entry === undefined) return assert.fail("there is no entry")
      const { hash: _, ...unsealed } = entry
      const hash = hashOf({ ...unsealed, agent: "other" })
      yield* other.tamper(`UPDATE audit_log SET agent = 'other', hash = '${hash}' WHERE sequence = 2`)
      assert.include(damageOf(yield* other.verify()), { sequence: 3, problem: "changed" })
    }))
})
