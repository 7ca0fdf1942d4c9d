import * as Schema from "effect/Schema"

/** What a backup begins with: whose state it holds, and whether that which all agents share. */
export const Manifest = Schema.Struct({
  kind: Schema.Literal("manifest"),
  agents: Schema.Array(Schema.String),
  shared: Schema.Boolean
})
export interface Manifest extends Schema.Schema.Type<typeof Manifest> {}

/** A key, and the number of its newest version. Its versions follow, the oldest first. Times are milliseconds since 1970. */
export const KeyRecord = Schema.Struct({
  kind: Schema.Literal("key"),
  space: Schema.String,
  key: Schema.String,
  version: Schema.Int,
  owner: Schema.String,
  createdAt: Schema.Int
})
export interface KeyRecord extends Schema.Schema.Type<typeof KeyRecord> {}

/** A version of the key before it; `value` is JSON text. */
export const VersionRecord = Schema.Struct({
  kind: Schema.Literal("version"),
  version: Schema.Int,
  previousVersion: Schema.Int,
  size: Schema.Int,
  writer: Schema.String,
  writtenAt: Schema.Int,
  value: Schema.String
})
export interface VersionRecord extends Schema.Schema.Type<typeof VersionRecord> {}

/**
 * What a backup holds, in this order: the manifest, then space by space and key by key, each in the order of their bytes. A space is an
 * agent's, by its name, or `*`, which all agents share.
 */
export const StateRecord = Schema.Union(Manifest, KeyRecord, VersionRecord)
export type StateRecord = typeof StateRecord.Type

/** The space that all agents share. */
export const sharedSpace = "*"
