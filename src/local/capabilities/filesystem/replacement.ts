import * as Effect from "effect/Effect"
import type { InvalidInput } from "../../../errors/general.js"
import { refused } from "./searchRoot.js"
import type { Occurrence, TextPattern } from "./TextPattern.js"

/** What takes the place of an occurrence. */
export type Replacement = (occurrence: Occurrence) => string

type Part = string | { readonly group: number }

const groupOf = (name: string, pattern: TextPattern): number | undefined => {
  const named = pattern.groupNames.get(name)
  if (named !== undefined) return named
  const index = /^\d{1,4}$/.test(name) ? Number(name) : undefined
  return index !== undefined && index <= pattern.groupCount ? index : undefined
}

const parse = (template: string, pattern: TextPattern): Effect.Effect<ReadonlyArray<Part>, InvalidInput> =>
  Effect.gen(function*() {
    const parts: Array<Part> = []
    let from = 0
    for (const found of template.matchAll(/\$(?:\$|\{([^{}]*)\}|(\w))/g)) {
      const [text, name, bare] = found
      if (bare !== undefined) {
        return yield* refused("replace", `${text} is ambiguous: write \${${bare}} for a group, $$ for a dollar sign`)
      }
      parts.push(template.slice(from, found.index))
      from = found.index + text.length
      if (name === undefined) {
        parts.push("$")
      } else {
        const group = groupOf(name, pattern)
        if (group === undefined) return yield* refused("replace", `the pattern has no group ${text.slice(0, 100)}`)
        parts.push({ group })
      }
    }
    return [...parts, template.slice(from)]
  })

/**
 * Understands a replacement. With `regex`, `${1}` and `${name}` stand for what a group holds (nothing where it took no
 * part), `${0}` for the whole occurrence and `$$` for a dollar sign; `$1` without braces is InvalidInput, because it means
 * one thing to some programs and another to others. Without `regex` every character stands for itself.
 */
export const makeReplacement = (
  template: string,
  pattern: TextPattern,
  { regex }: { readonly regex: boolean }
): Effect.Effect<Replacement, InvalidInput> =>
  /\p{Surrogate}/u.test(template)
    ? refused("replace", "it is not valid Unicode")
    : !regex
    ? Effect.succeed(() => template)
    : Effect.map(parse(template, pattern), (parts) => (occurrence) =>
      parts.map((part) =>
        typeof part === "string" ? part : occurrence.group(part.group) ?? ""
      ).join(""))
