import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Encoding from "effect/Encoding"
import * as Predicate from "effect/Predicate"
import type { KruxosError } from "../../../errors/KruxosError.js"
import type { Ask } from "./Knowledge.js"

/** The largest file whose content is kept, in bytes: as base64 it goes into one frame. */
export const maximumKept = 8 * 1024 * 1024

/** What is at a path. */
export type Look =
  | { readonly _tag: "Absent" }
  | {
    readonly _tag: "File"
    readonly size: number
    readonly modified: number | undefined
    /** In base64 without line ends; undefined where it was not asked for, is too large, or cannot be had whole. */
    readonly content: string | undefined
  }
  | { readonly _tag: "Directory" }
  /** A link, or something else that is neither file nor directory. */
  | { readonly _tag: "Other"; readonly type: string }

export const absent: Look = { _tag: "Absent" }

/** A base64 text without line ends, if it is one of so many bytes. */
export const wholeBase64 = (text: string, size: number): string | undefined => {
  const digits = text.replace(/[\t\n\r ]+/g, "")
  if (digits.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(digits)) return undefined
  const padding = digits.endsWith("==") ? 2 : digits.endsWith("=") ? 1 : 0
  return digits.length / 4 * 3 - padding === size ? digits : undefined
}

const contentIn = (raw: unknown): string | undefined =>
  Predicate.isRecord(raw) && typeof raw["content"] === "string" ? raw["content"] : undefined

// A gateway may cut what is long, and one that answers with the bare content says nothing of its size: what does not have the size
// that the file has is not its content.
const readContent = (ask: Ask, path: string, size: number): Effect.Effect<string | undefined, KruxosError> =>
  ask("filesystem.read", { path, encoding: "binary" }).pipe(
    Effect.map(({ content }): string | undefined => content),
    Effect.catchTag("OutputMismatch", ({ raw }) => Effect.succeed(contentIn(raw))),
    Effect.map((content) => content === undefined ? undefined : wholeBase64(content, size))
  )

const gone = () => Effect.succeed(absent)

/** Looks what is at a path: with the content of a file that is not too large, unless it is not wanted. */
export const look = (
  ask: Ask,
  path: string,
  { withContent = true }: { readonly withContent?: boolean } = {}
): Effect.Effect<Look, KruxosError> =>
  Effect.gen(function*() {
    const { exists, modified, size, type = "file" } = yield* ask("filesystem.stat", { path })
    if (!exists) return absent
    if (type === "directory") return { _tag: "Directory" } as const
    if (type !== "file" || size === undefined) return { _tag: "Other", type } as const
    return {
      _tag: "File",
      size,
      modified: modified === undefined ? undefined : DateTime.toEpochMillis(modified),
      content: withContent && size <= maximumKept ? yield* readContent(ask, path, size) : undefined
    } as const
  }).pipe(Effect.catchTag("FileNotFound", gone))

/** Whether what is there is the same: by its content where that is known, else by its size and time. */
export const isSame = (one: Look, other: Look): boolean => {
  if (one._tag !== "File" || other._tag !== "File") return one._tag === other._tag && one._tag !== "Other"
  if (one.size !== other.size) return false
  return one.content !== undefined && other.content !== undefined
    ? one.content === other.content
    : one.modified !== undefined && one.modified === other.modified
}

/** A file of this content. */
export const fileOf = (content: string): Look => ({
  _tag: "File",
  size: content.length / 4 * 3 - (content.endsWith("==") ? 2 : content.endsWith("=") ? 1 : 0),
  modified: undefined,
  content
})

/** The bytes of a text that is to be written, in base64; undefined where the encoding is the gateway's business. */
export const bytesOf = (content: string, encoding: string): string | undefined => {
  switch (encoding.toLowerCase()) {
    case "utf-8":
    case "utf8":
      return Encoding.encodeBase64(content)
    case "binary":
    case "base64": {
      const digits = content.replace(/[\t\n\r ]+/g, "")
      return /^[A-Za-z0-9+/]*={0,2}$/.test(digits) ? digits : undefined
    }
    default:
      return undefined
  }
}

/** The directory that a path is in; undefined for a name alone and for the root. */
export const parentOf = (path: string): string | undefined => {
  const trimmed = path.replace(/\/+$/, "")
  const end = trimmed.lastIndexOf("/")
  return end <= 0 ? undefined : trimmed.slice(0, end)
}

const deepest = 64

/** The directories above a path that are not there, the deepest first. */
export const missingAbove = (ask: Ask, path: string): Effect.Effect<ReadonlyArray<string>, KruxosError> =>
  Effect.gen(function*() {
    const missing: Array<string> = []
    for (let above = parentOf(path); above !== undefined && missing.length < deepest; above = parentOf(above)) {
      const found = yield* look(ask, above, { withContent: false })
      if (found._tag !== "Absent") break
      missing.push(above)
    }
    return missing
  })
