import type { AnyCatalogue } from "../../../src/catalogue/Catalogue.js"
import type { Rows } from "./Row.js"

export interface Tables {
  readonly [name: string]: Rows | undefined
}

/** Errors that a capability lists and that this gateway never gives, with the reason. */
export interface NeverGiven {
  readonly [name: string]: { readonly [type: string]: string }
}

const entriesOf = (name: string, types: Iterable<string>) => [...types].map((type) => `${name} ${type}`)

const present = (entries: object) => Object.entries(entries).flatMap(([name, row]) => row === undefined ? [] : [name])

/**
 * What the tables lack of a catalogue, or have too much: a capability that is carried out without rows, an error without a row, rows of what
 * is not in the catalogue or not carried out, and reasons for what is there all the same.
 */
export const gaps = (
  catalogue: AnyCatalogue,
  notCarriedOut: ReadonlySet<string>,
  tables: Tables,
  neverGiven: NeverGiven
): ReadonlyArray<string> => {
  const names = new Set([...Object.keys(catalogue), ...present(tables), ...Object.keys(neverGiven)])
  return [...names].flatMap((name) => {
    const capability = catalogue[name]
    const rows = tables[name]
    const excused = Object.keys(neverGiven[name] ?? {})
    if (capability === undefined) return [`${name}: not in the catalogue`]
    if (notCarriedOut.has(name)) {
      return rows === undefined && excused.length === 0 ? [] : [`${name}: not carried out, and has rows or reasons`]
    }
    if (rows === undefined) return [`${name}: no rows`]
    const tested = present(rows.errors)
    const listed = Object.keys(capability.errors)
    return [
      ...entriesOf(name, listed.filter((type) => !tested.includes(type) && !excused.includes(type)))
        .map((entry) => `${entry}: no row`),
      ...entriesOf(name, [...tested, ...excused].filter((type) => !listed.includes(type)))
        .map((entry) => `${entry}: not in the catalogue`),
      ...entriesOf(name, excused.filter((type) => tested.includes(type)))
        .map((entry) => `${entry}: has a row, and a reason why it has none`),
      ...entriesOf(name, excused.filter((type) => (neverGiven[name]?.[type] ?? "").trim() === ""))
        .map((entry) => `${entry}: no row, and no reason`)
    ]
  }).sort()
}
