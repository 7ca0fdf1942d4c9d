import type { PermissionTier } from "../../schema/CapabilityDefinition.js"
import type { Condition, Entry, PolicyDocument, RateLimit } from "./document.js"
import type { DocumentIssue, DocumentPath } from "./issues.js"
import { problemOfPattern } from "./patterns.js"

/** A rule as it is written, and where. */
export interface WrittenRule {
  readonly path: DocumentPath
  readonly condition?: Condition
  readonly conditions?: Condition
  readonly tier: PermissionTier
  readonly reason?: string
}

/** All that a document says of one pattern, whatever the form. */
export interface Gathered {
  readonly path: DocumentPath
  /** Those with a condition. */
  readonly rules: Array<WrittenRule>
  /** The one without. */
  otherwise: WrittenRule | undefined
  /** The reason of those that have none of their own. */
  reason: string | undefined
  limit: RateLimit | undefined
}

export const conditionOf = (rule: WrittenRule): Condition | undefined => rule.condition ?? rule.conditions

export const conditionPath = (rule: WrittenRule): DocumentPath => [
  ...rule.path,
  rule.condition === undefined ? "conditions" : "condition"
]

const checkCondition = (rule: WrittenRule, condition: Condition): ReadonlyArray<DocumentIssue> => {
  const path = conditionPath(rule)
  const { content_size_gte: from, content_size_lt: below } = condition
  return [
    ...(rule.condition !== undefined && rule.conditions !== undefined
      ? [{ path: [...rule.path, "conditions"], key: true, message: "there is a condition already: write all in one" }]
      : []),
    ...(Object.keys(condition).length === 0
      ? [{ path, message: "the condition is empty: leave it out, or say when the rule applies" }]
      : []),
    ...(from !== undefined && below !== undefined && from >= below
      ? [{ path, message: "no content is both as large and as small as that" }]
      : [])
  ]
}

/** Puts together what a document says of each pattern, in the order in which it names them. */
export const gather = (document: PolicyDocument, lineOf: (path: DocumentPath) => number) => {
  const issues: Array<DocumentIssue> = []
  const gathered = new Map<string, Gathered>()

  const at = (pattern: string, path: DocumentPath, key: boolean): Gathered => {
    const message = problemOfPattern(pattern)
    if (message !== undefined) issues.push({ path: key ? path : [...path, "capability"], message, key })
    const known = gathered.get(pattern)
    if (known !== undefined) return known
    const made: Gathered = { path, rules: [], otherwise: undefined, reason: undefined, limit: undefined }
    gathered.set(pattern, made)
    return made
  }

  const add = (pattern: string, into: Gathered, rule: WrittenRule) => {
    const condition = conditionOf(rule)
    if (condition !== undefined) {
      issues.push(...checkCondition(rule, condition))
      into.rules.push(rule)
    } else if (into.otherwise === undefined) {
      into.otherwise = rule
    } else {
      issues.push({
        path: rule.path,
        message: `line ${lineOf(into.otherwise.path)} says already what holds for ${pattern} without a condition`
      })
    }
  }

  const addEntry = (pattern: string, { rate_limit, reason, rules = [], tier }: Entry) => {
    const path = ["capabilities", pattern]
    const into = at(pattern, path, true)
    if (tier === undefined && rules.length === 0 && rate_limit === undefined) {
      issues.push({ path, key: true, message: `nothing is said of ${pattern}: give a tier, rules or a rate_limit` })
    }
    into.limit = rate_limit
    into.reason = reason
    if (tier !== undefined) into.otherwise = { path: [...path, "tier"], tier }
    for (const [index, written] of rules.entries()) {
      const rule = { ...written, path: [...path, "rules", index] }
      if (conditionOf(rule) === undefined && index < rules.length - 1) {
        issues.push({ path: rule.path, message: "a rule without a condition is for what is left: it goes last" })
      } else add(pattern, into, rule)
    }
  }

  for (const [pattern, entry] of Object.entries(document.capabilities ?? {})) addEntry(pattern, entry)
  for (const form of ["rules", "overrides"] as const) {
    for (const [index, { capability, ...rule }] of (document[form] ?? []).entries()) {
      const path = [form, index]
      add(capability, at(capability, path, false), { ...rule, path })
    }
  }
  return { gathered, issues }
}
