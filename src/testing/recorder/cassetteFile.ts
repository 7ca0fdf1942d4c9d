import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { randomUUID } from "node:crypto"
import { constants } from "node:fs"
import * as fs from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { Cassette, version } from "./Cassette.js"
import { CassetteUnreadable, CassetteUnwritable } from "./CassetteErrors.js"

const reasonOf = (cause: unknown) => cause instanceof Error ? cause.message : String(cause)

const unwritable = (file: string) => (cause: unknown) =>
  new CassetteUnwritable({ file, message: `The cassette ${file} cannot be written: ${reasonOf(cause)}`, cause })

const isMissing = (cause: unknown) => Predicate.hasProperty(cause, "code") && cause.code === "ENOENT"

/** Makes the folder of a cassette, and finds out before anything is recorded whether it can be written. */
export const prepare = (file: string): Effect.Effect<void, CassetteUnwritable> =>
  Effect.tryPromise({
    try: async () => {
      await fs.mkdir(dirname(file), { recursive: true })
      await fs.access(dirname(file), constants.W_OK)
      const before = await fs.stat(file).catch((cause: unknown) => {
        if (isMissing(cause)) return undefined
        throw cause
      })
      if (before !== undefined && !before.isFile()) throw new Error("there is something there that is not a file")
    },
    catch: unwritable(file)
  })

const encode = Schema.encode(Cassette)

/** Writes a cassette in one go: whoever reads the file finds the one before, or this one as a whole. */
export const write = (file: string, cassette: Cassette): Effect.Effect<void, CassetteUnwritable> =>
  Effect.gen(function*() {
    const encoded = yield* Effect.mapError(encode(cassette), unwritable(file))
    const temporary = join(dirname(file), `.${basename(file)}.${randomUUID()}.tmp`)
    yield* Effect.tryPromise({
      try: () => fs.writeFile(temporary, `${JSON.stringify(encoded, undefined, 2)}\n`, { flush: true }),
      catch: unwritable(file)
    }).pipe(
      Effect.zipRight(Effect.tryPromise({ try: () => fs.rename(temporary, file), catch: unwritable(file) })),
      Effect.onError(() => Effect.promise(() => fs.rm(temporary, { force: true })))
    )
  })

const decode = Schema.decodeUnknownEither(Cassette)

const problem = (file: string, reason: CassetteUnreadable["reason"], message: string, cause?: unknown) =>
  new CassetteUnreadable({ file, reason, message: `The cassette ${file} ${message}`, cause })

const decodeText = (file: string, text: string): Either.Either<Cassette, CassetteUnreadable> =>
  Either.gen(function*() {
    const parsed = yield* Either.try({
      try: (): unknown => JSON.parse(text),
      catch: (cause) => problem(file, "malformed", `is not JSON: ${reasonOf(cause)}`, cause)
    })
    const found = Predicate.isRecord(parsed) ? parsed["version"] : undefined
    if (typeof found === "number" && found !== version) {
      return yield* Either.left(
        problem(
          file,
          "other-version",
          `has version ${found}, and this recorder reads version ${version}: record it again`
        )
      )
    }
    const cassette = yield* Either.mapLeft(
      decode(parsed),
      (cause) => problem(file, "malformed", `is not one: ${ParseResult.TreeFormatter.formatErrorSync(cause)}`, cause)
    )
    if (!cassette.entries.some((entry) => "connected" in entry)) {
      return yield* Either.left(problem(file, "malformed", "has no session"))
    }
    return cassette
  })

/** Reads a cassette. */
export const read = (file: string): Effect.Effect<Cassette, CassetteUnreadable> =>
  Effect.tryPromise({
    try: () => fs.readFile(file, "utf8"),
    catch: (cause) =>
      isMissing(cause)
        ? problem(file, "missing", "is not there: record it with Recorder.layer", cause)
        : problem(file, "unreadable", `cannot be read: ${reasonOf(cause)}`, cause)
  }).pipe(Effect.flatMap((text) => decodeText(file, text)))
