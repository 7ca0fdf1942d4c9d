import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import type { StateChange } from "../../schema/StateEntry.js"
import { compactJson, oneLine, shortJson } from "../text.js"

/** A key in a list, as either tier has it. */
export interface Listed {
  readonly key: string
  readonly version: number
  readonly size_bytes: number
  readonly updated_at: DateTime.Utc
  readonly owner_agent?: string
}

/** The heading of a table of keys, and their rows. */
export const keysTable = (entries: ReadonlyArray<Listed>): ReadonlyArray<ReadonlyArray<string>> => {
  const hasOwners = entries.some(({ owner_agent }) => owner_agent !== undefined)
  return [
    ["KEY", "VERSION", "BYTES", "UPDATED", ...(hasOwners ? ["OWNER"] : [])],
    ...entries.map(({ key, owner_agent, size_bytes, updated_at, version }) => [
      key,
      String(version),
      String(size_bytes),
      DateTime.formatIso(updated_at),
      ...(hasOwners ? [owner_agent ?? "-"] : [])
    ])
  ]
}

/** One version of a key. */
export interface Version {
  readonly value: unknown
  readonly version: number
  readonly updated_at: DateTime.Utc
}

/** The heading of a table of versions, and their rows. */
export const versionsTable = (versions: ReadonlyArray<Version>): ReadonlyArray<ReadonlyArray<string>> => [
  ["VERSION", "UPDATED", "VALUE"],
  ...versions.map(({ updated_at, value, version }) => [
    String(version),
    DateTime.formatIso(updated_at),
    shortJson(value)
  ])
]

/** That a key has a version now. */
export const writtenLine = (key: string, version: number): string => oneLine(`${key} has version ${version} now`)

const changeLine = (time: DateTime.Utc, key: string, version: number, by: string | undefined, what: string): string =>
  [DateTime.formatIso(time), oneLine(key), `version ${version}`, oneLine(by ?? "-"), what].join("  ")

/** What a change of the shared state comes to, a line for each key. */
export const changeLines = (now: DateTime.Utc, change: StateChange): ReadonlyArray<string> => {
  if (change._tag === "Resynced") {
    return change.entries.map(({ key, ownerAgent, updatedAt, value, version }) =>
      changeLine(updatedAt ?? now, key, version, ownerAgent, shortJson(value))
    )
  }
  const { key, ownerAgent, value, version } = change
  return [
    changeLine(now, key, version, ownerAgent, Option.match(value, { onNone: () => "deleted", onSome: shortJson }))
  ]
}

/** A change of the shared state as one line of JSON. */
export const changeJson = (change: StateChange): string => {
  if (change._tag === "Changed") {
    const { deleted, key, ownerAgent, value, version } = change
    return compactJson({
      type: "changed",
      key,
      version,
      owner_agent: ownerAgent,
      deleted,
      value: Option.getOrUndefined(value)
    })
  }
  return compactJson({
    type: "resynced",
    entries: change.entries.map(({ key, ownerAgent, updatedAt, value, version }) => ({
      key,
      version,
      owner_agent: ownerAgent,
      updated_at: updatedAt,
      value
    }))
  })
}
