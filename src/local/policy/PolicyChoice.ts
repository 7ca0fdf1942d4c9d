import type { TemplateName } from "./templates.js"
import type { TierRules } from "./TierRules.js"

/**
 * What an organization says of its agents: a template by name, a file, or tiers by name; without any of them the file `policies/organization.yaml` of
 * the data directory, or `team-moderate` where there is none. `allow-all` is no policy: every capability runs, whatever files say.
 */
export type PolicyChoice = TemplateName | { readonly file: string } | TierRules | "allow-all"
