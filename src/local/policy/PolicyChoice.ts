import type { TemplateName } from "./templates.js"

/**
 * What an organization says of its agents: a template by name, or a file; without either the file `policies/organization.yaml` of
 * the data directory, or `team-moderate` where there is none. `allow-all` is no policy: every capability runs, whatever files say.
 */
export type PolicyChoice = TemplateName | { readonly file: string } | "allow-all"
