import * as Predicate from "effect/Predicate"

/** Whether two values are the same JSON, whatever the order of their fields. */
export const isSameJson = (one: unknown, other: unknown): boolean => {
  if (Object.is(one, other)) return true
  if (Array.isArray(one) || Array.isArray(other)) {
    return Array.isArray(one) && Array.isArray(other) && one.length === other.length &&
      one.every((each, index) => isSameJson(each, other[index]))
  }
  if (!Predicate.isRecord(one) || !Predicate.isRecord(other)) return one === other
  const keys = Object.keys(one)
  return keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && isSameJson(one[key], other[key]))
}

/** How many characters a value takes as JSON. */
export const jsonSize = (value: unknown): number => JSON.stringify(value)?.length ?? 0
