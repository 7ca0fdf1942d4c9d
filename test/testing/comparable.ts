import * as DateTime from "effect/DateTime"
import * as Predicate from "effect/Predicate"

const times = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?/g

const ids =
  /\b(alert|apr|kept|msg|ses|snap|sub|txn|watch)-[0-9a-f][0-9a-f-]*|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{32}(?=-)/g

/**
 * Makes what turns the results of one gateway into what another one has to give as well: an id is numbered by when it was first seen, a
 * time is only said to be one, and what has caused an error is left out.
 */
export const make = (): (value: unknown) => unknown => {
  const seen = new Map<string, string>()
  const numbered = (id: string, kind?: string) => {
    const known = seen.get(id) ?? `<${kind ?? "id"} ${seen.size + 1}>`
    seen.set(id, known)
    return known
  }
  const comparable = (value: unknown): unknown => {
    if (typeof value === "string") return value.replaceAll(times, "<time>").replaceAll(ids, numbered)
    if (DateTime.isDateTime(value)) return "<time>"
    if (Array.isArray(value)) return value.map(comparable)
    if (!Predicate.isRecord(value)) return value
    const message = value instanceof Error ? [["message", value.message] as const] : []
    const fields = [...message, ...Object.entries(value)].filter(([name, field]) =>
      field !== undefined && name !== "cause" && name !== "stack"
    )
    return Object.fromEntries(fields.map(([name, field]) => [name, comparable(field)]))
  }
  return comparable
}
