import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Layer from "effect/Layer"
import { fact, type Kind } from "../../../src/local/audit/facts.js"
import type { AuditEntry } from "../../../src/local/store/AuditLog.js"
import { AuditPages, layer, type PageFilter } from "../../../src/local/store/AuditPages.js"
import { eventOf } from "../../../src/local/supervision/eventOf.js"
import { activityTypes, entriesOf } from "../../../src/local/supervisor/entriesOf.js"
import { parameters } from "../../support/runs.js"
import { testLog } from "../audit/support.js"

const kinds: ReadonlyArray<Kind> = [
  "invocation",
  "invocation_started",
  "invocation_ended",
  "invocation_answered",
  "refused",
  "approval_requested",
  "approval_decided",
  "approval_carried_out",
  "agent_created",
  "agent_paused",
  "state_removed",
  "entries_lost",
  "end_lost"
]

const details = FastCheck.oneof(
  FastCheck.record({
    outcome: FastCheck.constantFrom("success", "error", "interrupted"),
    error: FastCheck.constantFrom("PolicyDenied", "RateLimited", "FileNotFound", undefined),
    // What an agent says of itself is not taken for what the gateway says.
    arguments: FastCheck.constantFrom(undefined, { outcome: "success" }, "\"outcome\":\"success\"")
  }, { requiredKeys: [] }),
  FastCheck.constant({})
)

const arbitraryFact = FastCheck.record({
  at: FastCheck.integer({ min: 0, max: 9 }),
  kind: FastCheck.constantFrom(...kinds),
  agent: FastCheck.constantFrom("one", "two", undefined),
  capability: FastCheck.constantFrom("a.b", "a.c", "aXb", undefined),
  details,
  isDamaged: FastCheck.boolean()
}).map(({ agent, at, capability, details, isDamaged, kind }) => ({
  ...fact(at, kind, { agent, capability }, {}),
  // Only these have details that nobody else writes.
  details: isDamaged && kind === "agent_created" ? "{damaged" : JSON.stringify(details)
}))

const arbitraryFilter = FastCheck.record({
  agent: FastCheck.constantFrom("one", "nobody", undefined),
  capability: FastCheck.constantFrom("a.*", "a_b", "*", undefined),
  since: FastCheck.constantFrom(5, undefined),
  types: FastCheck.option(FastCheck.subarray([...activityTypes], { maxLength: 4 }), { nil: undefined }),
  limit: FastCheck.integer({ min: 1, max: 8 }),
  offset: FastCheck.integer({ min: 0, max: 12 })
})

type Filter = typeof arbitraryFilter extends FastCheck.Arbitrary<infer A> ? A : never

const fits = ({ agent, capability, since, types }: Filter) => (entry: AuditEntry): boolean => {
  const isCapability = () => {
    if (capability === "a.*") return entry.capability?.startsWith("a.") === true
    return capability === "*" && entry.capability !== null
  }
  return (agent === undefined || entry.agent === agent)
    && (capability === undefined || isCapability())
    && (since === undefined || entry.at >= since)
    && (types === undefined || types.includes(eventOf(entry).type))
}

const asked = ({ agent, capability, since, types }: Filter): PageFilter => ({
  agent,
  capability,
  since,
  selected: types === undefined ? undefined : entriesOf(types)
})

describe("parts of the audit log", () => {
  it.effect("hold what a look at every entry finds, however many are looked at a time", () =>
    Effect.promise(() =>
      FastCheck.assert(
        FastCheck.asyncProperty(
          FastCheck.array(arbitraryFact, { maxLength: 25 }),
          FastCheck.array(arbitraryFact, { maxLength: 10 }),
          FastCheck.array(arbitraryFilter, { minLength: 1, maxLength: 4 }),
          FastCheck.integer({ min: 1, max: 9 }),
          (first, second, filters, sliceLength) =>
            Effect.runPromise(Effect.scoped(Effect.gen(function*() {
              const { append, log, sql } = yield* testLog()
              const pages = Context.get(
                yield* Layer.build(Layer.provide(layer(sliceLength), Layer.succeed(SqlClient.SqlClient, sql))),
                AuditPages
              )
              for (const facts of [first, second]) {
                if (facts.length > 0) yield* append(facts)
                const all = (yield* log.list({ limit: 1000 })).toReversed()
                for (const filter of filters) {
                  const expected = all.filter(fits(filter))
                  assert.strictEqual(yield* pages.count(asked(filter)), expected.length)
                  assert.deepStrictEqual(
                    yield* pages.page(asked(filter), filter),
                    expected.slice(filter.offset, filter.offset + filter.limit)
                  )
                }
              }
            })))
        ),
        parameters(100)
      )
    ))

  it.effect("know all kinds of entries, and nothing twice", () =>
    Effect.sync(() => {
      const types = kinds.map((kind) => eventOf({ ...fact(0, kind, {}, {}), kind }).type)
      for (const type of types) assert.include(activityTypes, type)
      assert.deepStrictEqual(entriesOf(["constructor", "nothing"]), [])
    }))
})
