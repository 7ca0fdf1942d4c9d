import { type Facts, meets } from "./conditions.js"
import type { Entry, Layer, Verdict } from "./Layer.js"
import { isStricter } from "./tiers.js"

/** What one layer has for a capability. */
export interface Part {
  readonly layer: Layer
  /** The entry whose pattern is the most specific that the capability fits. */
  readonly entry: Entry | undefined
  /** What holds without an entry. */
  readonly base: Verdict | undefined
}

export const strictest = (verdicts: ReadonlyArray<Verdict>): Verdict | undefined => {
  let found: Verdict | undefined
  for (const verdict of verdicts) if (found === undefined || isStricter(verdict.tier, found.tier)) found = verdict
  return found
}

const present = (verdict: Verdict | undefined): ReadonlyArray<Verdict> => verdict === undefined ? [] : [verdict]

// Never less than what its rules ask for, unless the entry says so.
const otherwiseOf = ({ otherwise, rules }: Entry, base: Verdict | undefined): Verdict | undefined =>
  otherwise ?? strictest([...rules.map(({ verdict }) => verdict), ...present(base)])

/** All that a layer can say of a capability, whatever the input. */
export const possibleVerdicts = ({ base, entry }: Part): ReadonlyArray<Verdict> =>
  entry === undefined
    ? present(base)
    : [...entry.rules.map(({ verdict }) => verdict), ...present(otherwiseOf(entry, base))]

/**
 * What a layer says of an invocation; nothing, where it has no opinion. Of the rules that apply the strictest counts. A rule that
 * may or may not apply counts together with what holds if it does not, so that what cannot be told never lets more through.
 */
export const verdictOf = (
  { base, entry }: Part,
  facts: Facts
): Verdict | undefined => {
  if (entry === undefined) return base
  const applying: Array<Verdict> = []
  let isCertain = false
  for (const { condition, verdict } of entry.rules) {
    const answer = meets(condition, facts)
    if (answer !== "no") applying.push(verdict)
    if (answer === "yes") isCertain = true
  }
  return strictest(isCertain ? applying : [...applying, ...present(otherwiseOf(entry, base))])
}
