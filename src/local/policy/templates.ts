import type { PermissionTier } from "../../schema/CapabilityDefinition.js"

/** A policy that the gateway knows by name. */
export interface Template {
  readonly name: string
  /** The tier of a capability that no pattern names, from the one that the catalogue gives it. */
  readonly tierOf: (catalogueTier: PermissionTier) => PermissionTier
}

const replacing = (name: string, from: PermissionTier | undefined, to: PermissionTier): Template => ({
  name,
  tierOf: (tier) => tier === from ? to : tier
})

const catalogueTiers = replacing("team-moderate", undefined, "notify")

export const templates = {
  "personal-permissive": replacing("personal-permissive", "notify", "autonomous"),
  "team-moderate": catalogueTiers,
  "enterprise-restrictive": replacing("enterprise-restrictive", "notify", "approval_required")
}

/** The names of the templates: from the one that lets most through to the strictest. */
export type TemplateName = keyof typeof templates

export const isTemplateName = (name: string): name is TemplateName => Object.hasOwn(templates, name)

export const templateNames: ReadonlyArray<TemplateName> = [
  "personal-permissive",
  "team-moderate",
  "enterprise-restrictive"
]

/** What holds where nobody says otherwise: the catalogue's tiers. */
export const defaultTemplate: TemplateName = "team-moderate"

/** What every template blocks by its name, and why. */
export const blockedByTemplates: ReadonlyArray<{ readonly capability: string; readonly reason: string }> = [{
  capability: "email.bulk_delete",
  reason: "many messages at once are deleted only where a policy names email.bulk_delete"
}]
