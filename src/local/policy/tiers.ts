import type { PermissionTier } from "../../schema/CapabilityDefinition.js"

/** The tiers, from what lets most through to what lets nothing through. */
export const tiers: ReadonlyArray<PermissionTier> = ["autonomous", "notify", "approval_required", "blocked"]

const rank: { readonly [Tier in PermissionTier]: number } = {
  autonomous: 0,
  notify: 1,
  approval_required: 2,
  blocked: 3
}

export const isStricter = (one: PermissionTier, other: PermissionTier): boolean => rank[one] > rank[other]

export const stricter = (one: PermissionTier, other: PermissionTier): PermissionTier =>
  isStricter(other, one) ? other : one
