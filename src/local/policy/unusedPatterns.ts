import type { Entry, Layer } from "./Layer.js"
import { suggestion } from "./nearest.js"
import { patternsOf } from "./patterns.js"
import { blockedByTemplates } from "./templates.js"

/** A pattern that fits no capability, and says nothing therefore. */
export interface UnusedPattern {
  /** 0 where it stands in no file. */
  readonly line: number
  readonly message: string
}

const isOfTemplate = ({ line, pattern }: Entry): boolean =>
  line === 0 && blockedByTemplates.some(({ capability }) => capability === pattern)

/** The patterns that a layer was given and that fit none of the capabilities: most are slips of the pen. */
export const unusedPatterns = (
  { entries }: Layer,
  capabilities: Iterable<string>
): ReadonlyArray<UnusedPattern> => {
  const names = [...capabilities]
  const known = new Set(names.flatMap(patternsOf))
  return [...entries.values()]
    .filter((entry) => !known.has(entry.pattern) && !isOfTemplate(entry))
    .map(({ line, pattern }) => ({
      line,
      message: `${pattern} fits no capability${suggestion(pattern, pattern.endsWith(".*") ? known : names)}`
    }))
}
