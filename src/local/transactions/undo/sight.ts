import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Sight } from "../../workspace/KeptFiles.js"

/** What was seen at a place, as it is kept in the journal; null where nothing was. */
export const JournalledSight = Schema.NullOr(Schema.Struct({
  type: Schema.Literal("file", "directory", "symlink", "other"),
  size: Schema.Number,
  mode: Schema.Number,
  modified: Schema.Number,
  inode: Schema.String,
  links: Schema.Number,
  sha256: Schema.optional(Schema.String)
}))

/** What was seen, or nothing, without what only counts for a moment. */
export const journalled = (seen: Option.Option<Sight>): Sight | null =>
  Option.match(seen, {
    onNone: () => null,
    onSome: ({ inode, links, mode, modified, sha256, size, type }) => ({
      type,
      size,
      mode,
      modified,
      inode,
      links,
      ...sha256 === undefined ? {} : { sha256 }
    })
  })

/** Whether it is the very same file, not written since. */
export const isUntouched = (now: Sight | null, then: Sight | null): boolean =>
  now === null || then === null
    ? now === then
    : now.type === then.type && now.size === then.size && now.modified === then.modified && now.inode === then.inode

/**
 * Whether what is there is what was there: of a file the bytes count, where they are known; of a directory which one it is, not
 * what is in it.
 */
export const isAs = (now: Sight | null, then: Sight | null): boolean => {
  if (now === null || then === null) return now === then
  if (now.type !== then.type) return false
  if (now.type === "directory") return now.inode === then.inode
  return now.sha256 !== undefined && then.sha256 !== undefined
    ? now.size === then.size && now.sha256 === then.sha256
    : isUntouched(now, then)
}

/** Whether it is a file with a given content, as far as that can be told from a look. */
export const hasContent = (
  now: Sight | null,
  content: { readonly size: number; readonly sha256: string }
): boolean => now?.type === "file" && now.size === content.size && now.sha256 === content.sha256
