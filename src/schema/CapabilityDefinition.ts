import * as Schema from "effect/Schema"
import { openEnumeration } from "./primitives.js"
import { RecoveryAction } from "./RecoveryAction.js"

/** How a policy treats an invocation: run, run and tell the supervisor, ask a human first, or refuse. */
export const PermissionTier = Schema.Literal("autonomous", "notify", "approval_required", "blocked")
export type PermissionTier = typeof PermissionTier.Type

/** One input of a capability. */
export const InputDefinition = Schema.Struct({
  name: Schema.String,
  type: Schema.String,
  required: Schema.optionalWith(Schema.Boolean, { default: () => false }),
  default: Schema.optional(Schema.Unknown),
  description: Schema.optionalWith(Schema.String, { default: () => "" })
})
export type InputDefinition = typeof InputDefinition.Type

/** One output field of a capability. */
export const OutputDefinition = Schema.Struct({
  name: Schema.String,
  type: Schema.String,
  description: Schema.optionalWith(Schema.String, { default: () => "" })
})
export type OutputDefinition = typeof OutputDefinition.Type

/** An effect that an invocation has besides its output, and whether it can be undone. */
export const SideEffect = Schema.Struct({
  description: Schema.String,
  reversible: Schema.optionalWith(Schema.Boolean, { default: () => false })
})
export type SideEffect = typeof SideEffect.Type

/** A usual way of using a capability together with others. */
export const CommonPattern = Schema.Struct({
  description: Schema.String,
  steps: Schema.optionalWith(Schema.Array(Schema.String), { default: () => [] })
})
export type CommonPattern = typeof CommonPattern.Type

/** An error type that a capability can return, and what can be done about it. */
export const ErrorDefinition = Schema.Struct({
  type: Schema.String,
  description: Schema.optionalWith(Schema.String, { default: () => "" }),
  recovery: Schema.optionalWith(Schema.Array(RecoveryAction), { default: () => [] })
})
export type ErrorDefinition = typeof ErrorDefinition.Type

const listOf = <A, I>(item: Schema.Schema<A, I>) => Schema.optionalWith(Schema.Array(item), { default: () => [] })

const text = Schema.optionalWith(Schema.String, { default: () => "" })

const shared = {
  name: Schema.String,
  version: text,
  purpose: text,
  inputs: listOf(InputDefinition),
  outputs: listOf(OutputDefinition),
  errors: listOf(ErrorDefinition),
  tags: listOf(Schema.String)
}

const tier = openEnumeration(...PermissionTier.literals)

const Wire = Schema.Struct({
  ...shared,
  when_to_use: text,
  side_effects: listOf(SideEffect),
  common_patterns: listOf(CommonPattern),
  permission_tier: Schema.optional(tier),
  policy_tier: Schema.optional(tier)
})

const Model = Schema.typeSchema(Schema.Struct({
  ...shared,
  whenToUse: Schema.String,
  sideEffects: Schema.Array(SideEffect),
  commonPatterns: Schema.Array(CommonPattern),
  permissionTier: Schema.optional(tier)
}))

/**
 * What a gateway says of a capability. A listing may leave most of it out: what is not said is empty. On the wire the
 * tier is `permission_tier` or `policy_tier`. Source: the guide's `CapabilityDefinition`.
 */
export const CapabilityDefinition = Schema.transform(Wire, Model, {
  strict: true,
  decode: ({ when_to_use, side_effects, common_patterns, permission_tier, policy_tier, ...rest }) => ({
    ...rest,
    whenToUse: when_to_use,
    sideEffects: side_effects,
    commonPatterns: common_patterns,
    permissionTier: permission_tier ?? policy_tier
  }),
  encode: ({ whenToUse, sideEffects, commonPatterns, permissionTier, ...rest }) => ({
    ...rest,
    when_to_use: whenToUse,
    side_effects: sideEffects,
    common_patterns: commonPatterns,
    ...(permissionTier === undefined ? {} : { permission_tier: permissionTier })
  })
}).annotations({ identifier: "CapabilityDefinition" })
export type CapabilityDefinition = typeof CapabilityDefinition.Type
