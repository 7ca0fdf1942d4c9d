import * as Effect from "effect/Effect"
import type * as filesystem from "../../../catalogue/filesystem.js"
import type { Handler } from "../Handler.js"
import { decode, encode, encodingOf, margin } from "./encodings.js"
import { diskAsResource, inField, parentAsInput } from "./failures.js"

/**
 * `offset` and `limit` are bytes; the text of a window is that of the characters that begin in it. At most 16 MiB at once.
 */
export const read: Handler<typeof filesystem.read> = (
  { encoding: name, limit, offset = 0, path: given },
  { workspace }
) =>
  // The most frequent of all: a generator would cost as much as the file.
  Effect.flatMap(encodingOf(name), (encoding) =>
    Effect.flatMap(workspace.resolve(given), (path) => {
      const around = margin(encoding)
      const first = Math.max(0, offset - around)
      const range = {
        offset: first,
        limit: limit === undefined ? undefined : offset - first + limit + around,
        atOnce: true
      }
      return Effect.flatMap(workspace.read(path, range), ({ bytes, checksum, modified, size }) => {
        const end = limit === undefined ? size : Math.min(offset + limit, size)
        return Effect.map(decode(path, { bytes, start: offset, end, offset: first }, encoding), (content) => ({
          content,
          size,
          size_bytes: size,
          modified,
          modified_at: modified,
          checksum,
          truncated: end < size,
          encoding
        }))
      })
    }))

/** In one step. What the encoding has no bytes for is InvalidInput, not replaced. At most 16 MiB. */
export const write: Handler<typeof filesystem.write> = (input, { workspace }) =>
  Effect.gen(function*() {
    const encoding = yield* encodingOf(input.encoding)
    const path = yield* workspace.resolve(input.path)
    const bytes = yield* encode(input.content, encoding)
    const { checksum, size } = yield* workspace.write(path, bytes, { createParents: input.create_parents })
    return { path: path.display, size, checksum }
  })

/** Appends text in UTF-8; a missing parent directory is InvalidInput. */
export const append: Handler<typeof filesystem.append> = (input, { workspace }) =>
  Effect.gen(function*() {
    const path = yield* workspace.resolve(input.path)
    const bytes = yield* encode(input.content, "utf-8")
    const { size } = yield* workspace.append(path, bytes)
    return { path: path.display, new_size: size }
  }).pipe(Effect.catchTag("ParentNotFound", (error) => parentAsInput("path")(error)))

/** Copies a file in one step; a missing parent directory of the destination is InvalidInput. */
export const copy: Handler<typeof filesystem.copy> = (input, { workspace }) =>
  Effect.gen(function*() {
    const source = yield* Effect.mapError(workspace.resolve(input.source), inField("source"))
    const destination = yield* Effect.mapError(workspace.resolve(input.destination), inField("destination"))
    const { checksum, size } = yield* workspace.copy(source, destination, { overwrite: input.overwrite })
    return { source: source.display, destination: destination.display, size, checksum }
  }).pipe(
    Effect.catchTags({
      ParentNotFound: (error) => parentAsInput("destination")(error),
      DiskFull: (error) => diskAsResource(error)
    })
  )

/** Moves a file, a link itself or a directory; `overwrite` is for files, a directory stays. */
export const move: Handler<typeof filesystem.move> = (input, { workspace }) =>
  Effect.gen(function*() {
    const source = yield* Effect.mapError(workspace.resolve(input.source), inField("source"))
    const destination = yield* Effect.mapError(workspace.resolve(input.destination), inField("destination"))
    const { size } = yield* workspace.move(source, destination, { overwrite: input.overwrite })
    return { source: source.display, destination: destination.display, size }
  }).pipe(
    Effect.catchTags({
      ParentNotFound: (error) => parentAsInput("destination")(error),
      DiskFull: (error) => diskAsResource(error)
    })
  )
