import * as Schema from "effect/Schema"
import { templateNames } from "./templates.js"
import { tiers } from "./tiers.js"

const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

const either = (words: ReadonlyArray<string>) => `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`

const Text = Schema.String.annotations({ description: "text" })

/** What becomes of an invocation. */
export const Tier = Schema.Literal("autonomous", "notify", "approval_required", "blocked").annotations({
  description: `a tier: ${either(tiers)}`
})

const TemplateName = Schema.Literal("personal-permissive", "team-moderate", "enterprise-restrictive").annotations({
  description: `a template: ${either(templateNames)}`
})

const OnExceed = Schema.Literal("approval_required", "blocked").annotations({
  description: "approval_required or blocked"
})

const between = (least: number, most: number, unit: string) =>
  Schema.Number.pipe(Schema.int(), Schema.between(least, most)).annotations({
    description: `a whole number of ${unit} from ${least} to ${most}`
  })

const Bytes = between(0, Number.MAX_SAFE_INTEGER, "bytes")

/** How many invocations a limit can count at most: each is kept until it is older than the window. */
export const mostCounted = 10_000

/** When a rule applies; all that is said has to be so. */
export const Condition = Schema.Struct({
  content_size_lt: optional(Bytes),
  content_size_gte: optional(Bytes),
  path_prefix: optional(Text)
}).annotations({ description: "a mapping of content_size_lt, content_size_gte and path_prefix" })
export type Condition = typeof Condition.Type

const conditions = { condition: optional(Condition), conditions: optional(Condition) }

const RateLimit = Schema.Struct({
  max: between(1, mostCounted, "invocations"),
  window: between(1, 31 * 24 * 60 * 60, "seconds"),
  on_exceed: optional(OnExceed)
}).annotations({ description: "a mapping of max, window and on_exceed" })
export type RateLimit = typeof RateLimit.Type

const Rule = Schema.Struct({ ...conditions, tier: Tier, reason: optional(Text) }).annotations({
  description: "a rule: a mapping of condition, tier and reason"
})

const Entry = Schema.Struct({
  tier: optional(Tier),
  reason: optional(Text),
  rules: optional(Schema.Array(Rule).annotations({ description: "a list of rules" })),
  rate_limit: optional(RateLimit)
}).annotations({ description: "a mapping of tier, reason, rules and rate_limit, such as { tier: notify }" })
export type Entry = typeof Entry.Type

const NamedRule = Schema.Struct({ capability: Text, ...conditions, tier: Tier, reason: optional(Text) })
  .annotations({ description: "a rule: a mapping of capability, tier, reason and conditions" })
export type NamedRule = typeof NamedRule.Type

const Network = Schema.Struct({
  allow: Schema.Array(Text).annotations({ description: "a list of hosts" })
}).annotations({ description: "a mapping of allow to a list of hosts" })

const NamedRules = Schema.Array(NamedRule).annotations({ description: "a list of rules" })

/** A policy file, in all its forms, as it is written. */
export const PolicyDocument = Schema.Struct({
  name: optional(Text),
  version: optional(Schema.Union(Schema.String, Schema.Number).annotations({ description: "a version" })),
  agent: optional(Text),
  extends: optional(TemplateName),
  defaults: optional(
    Schema.Struct({ tier: Tier, reason: optional(Text) }).annotations({ description: "a mapping of tier" })
  ),
  capabilities: optional(
    Schema.Record({ key: Schema.String, value: Entry }).annotations({
      description: "a mapping of capabilities, or patterns of them, to what holds for them"
    })
  ),
  network: optional(Network),
  rules: optional(NamedRules),
  overrides: optional(NamedRules)
}).annotations({ description: "a policy: a mapping of name, version, defaults, capabilities and so on" })
export type PolicyDocument = typeof PolicyDocument.Type
