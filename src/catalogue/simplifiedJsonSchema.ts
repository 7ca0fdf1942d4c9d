import * as Predicate from "effect/Predicate"

/** A JSON Schema of draft 2020-12. */
export interface JsonSchema {
  readonly [keyword: string]: unknown
}

const definitionPath = "#/$defs/"

const schemaKeywords = new Set(["items", "additionalProperties", "propertyNames", "contentSchema", "not"])

const schemaListKeywords = new Set(["anyOf", "allOf", "oneOf", "prefixItems"])

const schemaMapKeywords = new Set(["properties", "patternProperties"])

// Effect's own descriptions of its filters say again what the keywords beside them say; a model pays for every word.
const restatesKeywords =
  /^(?:an integer|a (?:positive|negative|non-negative|non-positive|finite) number|a number (?:less|greater|between)|a string (?:matching|at least|at most))/

const isNoise = (keyword: string, value: unknown) =>
  keyword === "title" ||
  (keyword === "$id" && String(value).startsWith("/schemas/")) ||
  (keyword === "description" && restatesKeywords.test(String(value)))

/**
 * Makes what Effect generates fit for a model: puts definitions where they are referred to, since not every reader of a
 * tool follows references, and drops what only repeats. `replace` has the last word on each schema. A definition that
 * contains itself stays a reference; after `simplify`, `recursiveDefinitions` gives those.
 */
export const simplifier = (
  definitions: { readonly [name: string]: unknown },
  replace: (schema: JsonSchema) => JsonSchema
) => {
  const recursive = new Set<string>()

  const simplify = (value: unknown, open: ReadonlySet<string>): unknown =>
    Predicate.isRecord(value) ? simplifyRecord(value, open) : value

  const simplifyRecord = (schema: JsonSchema, open: ReadonlySet<string>): JsonSchema => {
    const { $ref, ...rest } = Object.fromEntries(
      Object.entries(schema).filter(([keyword, value]) => !isNoise(keyword, value)).map(([keyword, value]) => [
        keyword,
        simplifyKeyword(keyword, value, open)
      ])
    )
    return typeof $ref === "string" ? withReferred($ref, rest, open) : replace(withoutLoneAllOf(rest))
  }

  const simplifyKeyword = (keyword: string, value: unknown, open: ReadonlySet<string>): unknown => {
    if (schemaKeywords.has(keyword)) return simplify(value, open)
    if (schemaListKeywords.has(keyword) && Array.isArray(value)) return value.map((item) => simplify(item, open))
    if (schemaMapKeywords.has(keyword) && Predicate.isRecord(value)) {
      return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, simplify(item, open)]))
    }
    return value
  }

  const withReferred = ($ref: string, beside: JsonSchema, open: ReadonlySet<string>): JsonSchema => {
    const name = $ref.slice(definitionPath.length).replaceAll("~1", "/").replaceAll("~0", "~")
    if (open.has(name)) {
      recursive.add(name)
      return { $ref, ...beside }
    }
    return merge(simplify(definitions[name], new Set([...open, name])), beside)
  }

  /** The definitions of all that contain themselves; simplifying one may meet another. */
  const recursiveDefinitions = (
    done: { readonly [name: string]: unknown } = {}
  ): { readonly [name: string]: unknown } => {
    const todo = [...recursive].filter((name) => !Object.hasOwn(done, name))
    return todo.length === 0
      ? done
      : recursiveDefinitions({
        ...done,
        ...Object.fromEntries(todo.map((name) => [name, simplify(definitions[name], new Set([name]))]))
      })
  }

  return { simplify: (value: unknown) => simplify(value, new Set()), recursiveDefinitions }
}

// What stands beside a reference narrows it, so it wins; where both bound the same thing, both hold.
const merge = (referred: unknown, beside: JsonSchema): JsonSchema => {
  if (!Predicate.isRecord(referred)) return beside
  const free = new Set(["type", "description", "examples", "default"])
  if (!Object.keys(beside).some((keyword) => !free.has(keyword) && Object.hasOwn(referred, keyword))) {
    return { ...referred, ...beside }
  }
  const { type, ...bounds } = referred
  return {
    ...(type === undefined ? {} : { type }),
    ...beside,
    allOf: [bounds, ...(Array.isArray(beside["allOf"]) ? beside["allOf"] : [])]
  }
}

const withoutLoneAllOf = ({ allOf, ...rest }: JsonSchema): JsonSchema => {
  if (!Array.isArray(allOf)) return allOf === undefined ? rest : { ...rest, allOf }
  const [only, ...others] = allOf
  return others.length === 0 && Predicate.isRecord(only) ? merge(only, rest) : { ...rest, allOf }
}
