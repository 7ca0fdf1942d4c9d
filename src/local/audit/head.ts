import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as FileSystem from "node:fs/promises"
import * as Path from "node:path"
import type { Head } from "./chain.js"

/** The file in the data directory that says where the log ended, for whoever cuts off its end. */
export const fileIn = (dataDirectory: string): string => Path.join(dataDirectory, "audit.head")

/** The file cannot be read or written. */
export class HeadUnavailable extends Data.TaggedError("HeadUnavailable")<{ readonly cause: unknown }> {}

/** As people keep it: `SEQUENCE:HASH`. */
export const format = ({ hash, sequence }: Head): string => `${sequence}:${hash}`

/** Reads `SEQUENCE:HASH`. */
export const parse = (text: string): Option.Option<Head> => {
  const [, sequence = "", hash = ""] = /^(\d{1,15}):([0-9a-f]{64})$/i.exec(text.trim()) ?? []
  return sequence === "" ? Option.none() : Option.some({ sequence: Number(sequence), hash: hash.toLowerCase() })
}

const isMissing = (cause: unknown) => cause instanceof Error && "code" in cause && cause.code === "ENOENT"

/** What the file says; nothing where it is missing, or says something else. */
export const read = (file: string): Effect.Effect<Option.Option<Head>, HeadUnavailable> =>
  Effect.tryPromise({
    try: () => FileSystem.readFile(file, "utf8"),
    catch: (cause) => cause
  }).pipe(
    Effect.map(parse),
    Effect.catchIf(isMissing, () => Effect.succeed(Option.none())),
    Effect.mapError((cause) => new HeadUnavailable({ cause }))
  )

const ending = ".new"

/** Replaces the file, so that it is read either as it was or as it is. `writer` is the gateway that does: each has one write at a time. */
export const write = (file: string, head: Head, writer: string): Effect.Effect<void, HeadUnavailable> => {
  const temporary = `${file}.${encodeURIComponent(writer)}${ending}`
  return Effect.tryPromise({
    try: () =>
      FileSystem.writeFile(temporary, `${format(head)}\n`, { mode: 0o600 }).then(() =>
        FileSystem.rename(temporary, file)
      ),
    catch: (cause) => new HeadUnavailable({ cause })
  })
}

/** Removes what gateways were writing when they were killed. */
export const sweep = (file: string, isAlive: (writer: string) => boolean): Effect.Effect<void, HeadUnavailable> =>
  Effect.tryPromise({
    try: async () => {
      const start = `${Path.basename(file)}.`
      const names = await FileSystem.readdir(Path.dirname(file))
      const left = names.filter((name) =>
        name.startsWith(start) && name.endsWith(ending) &&
        !isAlive(decodeURIComponent(name.slice(start.length, -ending.length)))
      )
      await Promise.all(left.map((name) => FileSystem.rm(Path.join(Path.dirname(file), name), { force: true })))
    },
    catch: (cause) => new HeadUnavailable({ cause })
  })
