import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { tiers } from "../../../src/local/policy/tiers.js"
import { parameters } from "../../support/runs.js"
import { capability, decided, policiesOf } from "./support.js"

const tier = FastCheck.constantFrom(...tiers)
const pattern = FastCheck.constantFrom(
  "*",
  "filesystem.*",
  "state.*",
  "state.shared.*",
  "filesystem.write",
  "filesystem.move",
  "state.shared.set",
  "email.bulk_delete"
)
const prefix = FastCheck.constantFrom("/workspace/a", "/workspace/a/b", "/workspace/c", "/workspace")

const condition = FastCheck.oneof(
  FastCheck.record({ content_size_lt: FastCheck.integer({ min: 1, max: 20 }) }),
  FastCheck.record({ content_size_gte: FastCheck.integer({ min: 0, max: 20 }) }),
  FastCheck.record({ path_prefix: prefix }),
  FastCheck.record({ path_prefix: prefix, content_size_lt: FastCheck.integer({ min: 1, max: 20 }) })
)

const rules = FastCheck.array(FastCheck.record({ condition, tier }), { maxLength: 3 })

const entry = FastCheck.oneof(
  FastCheck.record({ tier }),
  FastCheck.record({ tier, rules }),
  rules.filter((some) => some.length > 0).map((some) => ({ rules: some }))
)

interface Document {
  readonly defaults?: { readonly tier: string }
  readonly extends?: string
  readonly capabilities: ReadonlyArray<readonly [string, object]>
  readonly rules: ReadonlyArray<{ readonly capability: string; readonly tier: string; readonly conditions: object }>
}

const document: FastCheck.Arbitrary<Document> = FastCheck.record({
  defaults: FastCheck.record({ tier }),
  extends: FastCheck.constantFrom("personal-permissive", "team-moderate", "enterprise-restrictive"),
  capabilities: FastCheck.uniqueArray(FastCheck.tuple(pattern, entry), { selector: ([name]) => name, maxLength: 5 }),
  rules: FastCheck.array(FastCheck.record({ capability: pattern, tier, conditions: condition }), { maxLength: 3 })
}, { requiredKeys: ["capabilities", "rules"] })

// JSON is YAML, too.
const textOf = (one: Document): string => JSON.stringify({ ...one, capabilities: Object.fromEntries(one.capabilities) })

const path = FastCheck.array(FastCheck.constantFrom("a", "b", "c", "..", ".", ""), { maxLength: 5 }).chain((names) =>
  FastCheck.constantFrom(names.join("/"), `/workspace/${names.join("/")}`, `/${names.join("/")}`)
)

const content = FastCheck.string({ unit: "grapheme", maxLength: 12 })

const invocation = FastCheck.oneof(
  FastCheck.record({ path, content }).map((input) => ["filesystem.write", input] as const),
  FastCheck.record({ source: path, destination: path }).map((input) => ["filesystem.move", input] as const),
  FastCheck.record({ key: FastCheck.string(), value: FastCheck.jsonValue() }).map((input) =>
    ["state.shared.set", input] as const
  ),
  FastCheck.constant(["email.bulk_delete", {}] as const)
)

const strictness = (one: string): number => tiers.findIndex((other) => other === one)

describe("whatever the policies", () => {
  it("one layer more never lets more through", () => {
    FastCheck.assert(
      FastCheck.property(document, document, document, invocation, (system, organization, agent, [name, input]) => {
        const of = (texts: Parameters<typeof policiesOf>[0]) => strictness(decided(policiesOf(texts), name, input).tier)
        const alone = of({ organization: textOf(organization) })
        const above = of({ organization: textOf(organization), system: textOf(system) })
        const below = of({ organization: textOf(organization), agent: textOf(agent) })
        const all = of({ organization: textOf(organization), agent: textOf(agent), system: textOf(system) })
        assert.isTrue(above >= alone && below >= alone && all === Math.max(above, below))
      }),
      parameters(2000)
    )
  })

  it("their order means nothing", () => {
    FastCheck.assert(
      FastCheck.property(
        document,
        invocation,
        FastCheck.infiniteStream(FastCheck.nat()),
        (organization, [name, input], random) => {
          const keys = [...random.take(50)]
          const shuffled = <A>(values: ReadonlyArray<A>) =>
            values.map((value, index) => ({ value, key: keys[index] ?? 0 })).toSorted((one, other) =>
              one.key - other.key
            )
              .map(({ value }) => value)
          const other = {
            ...organization,
            rules: shuffled(organization.rules),
            capabilities: shuffled(organization.capabilities.map(([named, one]) =>
              [
                named,
                "rules" in one && Array.isArray(one.rules) ? { ...one, rules: shuffled(one.rules) } : one
              ] as const
            ))
          }
          assert.strictEqual(
            decided(policiesOf({ organization: textOf(other) }), name, input).tier,
            decided(policiesOf({ organization: textOf(organization) }), name, input).tier
          )
        }
      ),
      parameters(2000)
    )
  })

  it("who leaves something out of the input gets no more through", () => {
    FastCheck.assert(
      FastCheck.property(document, invocation, FastCheck.nat(), (organization, [name, input], which) => {
        const policies = policiesOf({ organization: textOf(organization) })
        const fields = Object.entries(input)
        const fewer = Object.fromEntries(fields.filter((_, index) => index !== which % Math.max(1, fields.length)))
        assert.isAtLeast(
          strictness(decided(policies, name, fewer).tier),
          strictness(decided(policies, name, input).tier)
        )
      }),
      parameters(2000)
    )
  })

  it("who writes a path in another case gets no more through", () => {
    FastCheck.assert(
      FastCheck.property(document, path, content, (organization, given, text) => {
        const policies = policiesOf({ organization: textOf(organization) })
        const of = (written: string) =>
          strictness(decided(policies, "filesystem.write", { path: written, content: text }).tier)
        const upper = given.replaceAll(/(^|\/)[abc](?=\/|$)/g, (name) => name.toUpperCase())
        assert.isAtLeast(of(upper), of(given))
      }),
      parameters(2000)
    )
  })

  it("what lists show is what can happen", () => {
    FastCheck.assert(
      FastCheck.property(document, document, invocation, (organization, agent, [name, input]) => {
        const policies = policiesOf({ organization: textOf(organization), agent: textOf(agent) })
        const { listedTier, mayRequireApproval } = policies.of("agent", capability(name))
        const happens = decided(policies, name, input).tier
        const isTold = listedTier === "blocked"
          ? happens === "blocked"
          : happens === "blocked" || strictness(listedTier) >= strictness(happens)
        assert.isTrue(isTold && (happens !== "approval_required" || mayRequireApproval))
      }),
      parameters(2000)
    )
  })
})
