import * as Schema from "effect/Schema"
import { Json } from "./primitives.js"

// A parser takes deeper nesting than the functions that walk over what it gives have room for.
const deepestNesting = 500

const isJsonValue = (value: unknown, depth = 0): boolean => {
  if (typeof value === "number") return Number.isFinite(value)
  if (typeof value !== "object") return typeof value === "string" || typeof value === "boolean"
  if (value === null) return true
  if (depth === deepestNesting) return false
  return Array.isArray(value)
    ? value.every((item) => isJsonValue(item, depth + 1))
    : Object.values(value).every((item) => item === undefined || isJsonValue(item, depth + 1))
}

/**
 * A JSON value that has to be there: null is one, a missing one is refused, and so is what JSON has no form for or would
 * turn into null (functions, big integers, NaN, cycles). At most 500 levels deep.
 */
export const JsonValue = Json.pipe(
  Schema.filter((value) => isJsonValue(value), {
    message: () => "a JSON value is needed: null, a boolean, a finite number, text, or a list or object of such",
    jsonSchema: {},
    arbitrary: () => (fastCheck) => fastCheck.jsonValue()
  })
)
