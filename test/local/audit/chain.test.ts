import { assert, describe, it } from "@effect/vitest"
import canonicalize from "canonicalize"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import { canonicalForm, columnText, genesis, hashOf, type Head, type Unsealed } from "../../../src/local/audit/chain.js"
import { fact } from "../../../src/local/audit/facts.js"
import { batchSizes } from "../../../src/local/store/AuditLog.js"
import { parameters, runs } from "../../support/runs.js"
import { factOf, testLog } from "./support.js"

const anyText = FastCheck.oneof(
  FastCheck.string({ unit: "binary", maxLength: 20 }),
  // Halves of characters and NUL characters too.
  FastCheck.array(FastCheck.integer({ min: 0, max: 0xffff }), { maxLength: 8 }).map((codes) =>
    String.fromCharCode(...codes)
  )
)

const maybeText = FastCheck.option(anyText, { nil: undefined })

const about = FastCheck.record({
  agent: maybeText,
  sessionId: maybeText,
  capability: maybeText,
  tier: maybeText,
  rule: maybeText,
  approvalId: maybeText,
  idempotencyKey: maybeText
})

describe("an entry of the audit log", () => {
  it("is hashed in the form that RFC 8785 gives it", () => {
    FastCheck.assert(
      FastCheck.property(about, FastCheck.dictionary(anyText, anyText), FastCheck.nat(), (about, details, sequence) => {
        const entry: Unsealed = {
          ...fact(1, "invocation", about, details),
          sequence,
          previousHash: genesis.hash
        }
        const columns = {
          sequence,
          at: 1,
          kind: "invocation",
          agent: columnText(about.agent),
          session_id: columnText(about.sessionId),
          capability: columnText(about.capability),
          tier: columnText(about.tier),
          rule: columnText(about.rule),
          approval_id: columnText(about.approvalId),
          idempotency_key: columnText(about.idempotencyKey),
          details: JSON.stringify(details),
          previous_hash: genesis.hash
        }
        assert.strictEqual(canonicalForm(entry), canonicalize(columns))
      }),
      parameters(500)
    )
  })

  it.scoped("is read as it was written, whatever its texts", () =>
    Effect.gen(function*() {
      const { append, verify } = yield* testLog()
      const facts = FastCheck.sample(FastCheck.tuple(about, FastCheck.dictionary(anyText, anyText)), {
        ...parameters(1000),
        numRuns: runs(1000)
      }).map(([about, details]) => fact(1, "invocation", about, details))
      const head = yield* append(facts)
      const found = yield* verify(head)
      assert.deepStrictEqual(found, { entries: facts.length, head, gaps: 0, damage: Option.none() })
    }))

  it.scoped("goes on from the one before it, in batches of any size", () =>
    Effect.gen(function*() {
      const { append, log, verify } = yield* testLog()
      let head: Head | undefined
      let count = 0
      for (const size of [1, 5, 9, 127, 128, 129, 300, ...batchSizes]) {
        const facts = Array.from({ length: size }, (_, index) => factOf(count + index))
        count += size
        head = yield* append(facts, head)
        assert.strictEqual(head.sequence, count)
      }
      assert.strictEqual((yield* verify()).entries, count)
      const [last] = yield* log.list({ limit: 1 })
      if (last === undefined) return assert.fail("there is no entry")
      const { hash, ...entry } = last
      assert.strictEqual(hash, head?.hash)
      assert.strictEqual(hash, hashOf(entry))
    }))

  it.scoped("is neither changed nor removed nor replaced, and comes only at the end", () =>
    Effect.gen(function*() {
      const { append, sql, verify } = yield* testLog()
      const head = yield* append([factOf(1), factOf(2), factOf(3)])
      const copyOf = (columns: string) =>
        `SELECT ${columns}, at, kind, agent, session_id, capability, tier, rule, approval_id, idempotency_key, details,
          previous_hash, hash FROM audit_log WHERE sequence = 2`
      const statements = [
        "UPDATE audit_log SET agent = 'other' WHERE sequence = 2",
        "DELETE FROM audit_log WHERE sequence = 3",
        "DELETE FROM audit_log",
        `INSERT INTO audit_log ${copyOf("5")}`,
        `INSERT INTO audit_log ${copyOf("4")}`,
        `INSERT INTO audit_log ${copyOf("0")}`,
        `INSERT OR REPLACE INTO audit_log ${copyOf("2")}`,
        `INSERT OR REPLACE INTO audit_log ${copyOf("3")}`,
        "UPDATE OR REPLACE audit_log SET sequence = 3 WHERE sequence = 2"
      ]
      for (const statement of statements) {
        const error = yield* Effect.flip(sql.unsafe(statement))
        assert.include(error.message, "the audit log is only added to", statement)
      }
      assert.deepStrictEqual((yield* verify(head)).damage, Option.none())
    }))

  it.scoped("tells that the log no longer ends where it ended", () =>
    Effect.gen(function*() {
      const { append, tamper, verify } = yield* testLog()
      const head = yield* append([factOf(1), factOf(2), factOf(3), factOf(4)])
      yield* tamper("DELETE FROM audit_log WHERE sequence > 2")
      yield* append([factOf(5)], head)
      const { damage, entries } = yield* verify()
      assert.strictEqual(entries, 2)
      if (Option.isNone(damage)) return assert.fail("nothing was found")
      assert.include(damage.value, { sequence: 3, problem: "missing" })
      assert.include(damage.value.message, head.hash)
    }))
})
