import * as Predicate from "effect/Predicate"

/** What a JSON value holds at a path of names and indices; undefined where there is nothing. */
export const at = (value: unknown, ...path: ReadonlyArray<string | number>): unknown => {
  let found = value
  for (const step of path) {
    if (typeof step === "number") found = Array.isArray(found) ? found[step] : undefined
    else found = Predicate.isRecord(found) ? found[step] : undefined
  }
  return found
}

/** The same for what has to be a text. */
export const textAt = (value: unknown, ...path: ReadonlyArray<string | number>): string => {
  const found = at(value, ...path)
  if (typeof found === "string") return found
  throw new Error(`There is no text at ${path.join(".")} of ${JSON.stringify(value)}`)
}

/** The same for what has to be a list. */
export const listAt = (value: unknown, ...path: ReadonlyArray<string | number>): ReadonlyArray<unknown> => {
  const found = at(value, ...path)
  if (Array.isArray(found)) return found
  throw new Error(`There is no list at ${path.join(".")} of ${JSON.stringify(value)}`)
}
