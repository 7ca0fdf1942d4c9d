import { diffLines } from "diff"
import * as Equal from "effect/Equal"
import * as Predicate from "effect/Predicate"
import { isSecret, show } from "./show.js"

/** One place where what came is not what was expected. `path` is empty for the value as a whole. */
export interface Difference {
  readonly path: ReadonlyArray<string | number>
  readonly expected: unknown
  readonly received: unknown
}

const isPlain = (value: unknown): value is { readonly [name: string]: unknown } => {
  if (!Predicate.isReadonlyRecord(value) || Equal.isEqual(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

const areEqualBytes = (expected: Uint8Array, received: Uint8Array) =>
  expected.length === received.length && expected.every((byte, index) => byte === received[index])

const at = (
  path: ReadonlyArray<string | number>,
  key: string | number,
  expected: unknown,
  received: unknown,
  isSubset: boolean
) => compare(expected, received, isSubset, [...path, key])

/**
 * Where a value is not what was expected, place by place; nowhere where it is. A field that is undefined is the same as none. Of a
 * subset only the fields are compared that the outermost object of `expected` has.
 */
export const compare = (
  expected: unknown,
  received: unknown,
  isSubset = false,
  path: ReadonlyArray<string | number> = []
): ReadonlyArray<Difference> => {
  if (Object.is(expected, received) || Equal.equals(expected, received)) return []
  if (expected instanceof Uint8Array && received instanceof Uint8Array && areEqualBytes(expected, received)) return []
  if (Array.isArray(expected) && Array.isArray(received)) {
    return Array.from({ length: Math.max(expected.length, received.length) }).flatMap((_, index) =>
      at(path, index, expected[index], received[index], false)
    )
  }
  if (isPlain(expected) && isPlain(received)) {
    const names = new Set([...Object.keys(expected), ...(isSubset ? [] : Object.keys(received))])
    return [...names].flatMap((name) => at(path, name, expected[name], received[name], false))
  }
  return [{ path, expected, received }]
}

const pathOf = (path: ReadonlyArray<string | number>) =>
  path.map((key, index) => typeof key === "number" ? `[${key}]` : `${index === 0 ? "" : "."}${key}`).join("")

const shown = (value: unknown) => value === undefined ? "nothing" : show(value)

const lineByLine = (expected: string, received: string): ReadonlyArray<string> =>
  diffLines(expected, received)
    .filter(({ added, removed }) => added || removed)
    .flatMap(({ added, value }) => value.replace(/\n$/, "").split("\n").map((line) => `${added ? "+" : "-"} ${line}`))

const hasLines = (text: string) => text.includes("\n")

const isSecretAt = (path: ReadonlyArray<string | number>) =>
  path.map(String).some((name, index, names) => isSecret(name, names[index - 1]))

const partsOf = ({ expected, path, received }: Difference): ReadonlyArray<string> => {
  if (isSecretAt(path)) return ["is a secret, and another one than was expected"]
  if (typeof expected === "string" && typeof received === "string" && (hasLines(expected) || hasLines(received))) {
    return lineByLine(expected, received)
  }
  return [`expected ${shown(expected)}`, `received ${shown(received)}`]
}

const linesOf = (difference: Difference): ReadonlyArray<string> =>
  difference.path.length === 0
    ? partsOf(difference)
    : [pathOf(difference.path), ...partsOf(difference).map((part) => `  ${part}`)]

/** Differences for a human, a line or more for each. */
export const describeDifferences = (differences: ReadonlyArray<Difference>): string =>
  differences.flatMap(linesOf).join("\n")
