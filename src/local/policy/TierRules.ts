import * as Either from "effect/Either"
import * as Record from "effect/Record"
import * as Schema from "effect/Schema"
import type { PermissionTier } from "../../schema/CapabilityDefinition.js"
import { compile } from "./compile.js"
import { Tier } from "./document.js"
import { InvalidPolicy } from "./InvalidPolicy.js"
import { type DocumentIssue, issuesOf } from "./issues.js"
import type { Layer } from "./Layer.js"

/**
 * Tiers by capabilities and patterns of them (`process.run`, `process.*`, `*`; the most specific one holds), over those of
 * `team-moderate`: `{ tiers: { "process.*": "approval_required" } }`.
 */
export interface TierRules {
  readonly tiers: { readonly [pattern: string]: PermissionTier }
}

// What they are called in problems and warnings.
const place = "policy.tiers"

const Rules = Schema.Struct({
  tiers: Schema.Record({ key: Schema.String, value: Tier }).annotations({
    description: "a mapping of capabilities, or patterns of them, to their tiers"
  })
}).annotations({ description: "a mapping of tiers" })

const decode = Schema.decodeUnknownEither(Rules, { onExcessProperty: "error", errors: "all" })

const problemOf = ({ message, path }: DocumentIssue) => ({
  // What is compiled is the document that a file would hold.
  file: ["policy", ...path.map((key) => key === "capabilities" ? "tiers" : key).filter((key) => key !== "tier")].join(
    "."
  ),
  line: 0,
  column: 0,
  message
})

const invalid = (issues: ReadonlyArray<DocumentIssue>): InvalidPolicy => {
  const [first = problemOf({ path: [], message: "it cannot be read" }), ...others] = issues.map(problemOf)
  return new InvalidPolicy({ problems: [first, ...others] })
}

/** Makes the organization's layer of {@link TierRules}, checked as those of a file are. */
export const layerOfRules = (rules: unknown): Either.Either<Layer, InvalidPolicy> =>
  decode(rules).pipe(
    Either.mapLeft(({ issue }) => issuesOf(issue)),
    Either.flatMap(({ tiers }) =>
      compile(
        { capabilities: Record.map(tiers, (tier) => ({ tier })) },
        { layer: "organization", file: place, lineOf: () => 0 }
      )
    ),
    Either.mapLeft(invalid)
  )
