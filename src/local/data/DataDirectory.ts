import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"

/** The directory that holds what the gateway keeps cannot be used. */
export class DataDirectoryUnavailable extends Data.TaggedError("DataDirectoryUnavailable")<{
  readonly path: string
  readonly message: string
  readonly cause: unknown
}> {}

/** What a gateway keeps on disk: its database, and the keys that it made for itself. Only its owner can read any of it. */
export interface DataDirectory {
  readonly path: string
  /** The path without links. */
  readonly realPath: string
  readonly database: string
  readonly readKey: (agent: string) => Effect.Effect<Option.Option<Redacted.Redacted<string>>, DataDirectoryUnavailable>
  readonly writeKey: (agent: string, key: Redacted.Redacted<string>) => Effect.Effect<void, DataDirectoryUnavailable>
}

const databaseName = "gateway.db"

/** Opens the directory, and makes it if need be. */
export const open = Effect.fnUntraced(function*(directory: string) {
  const files = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  const path = paths.resolve(directory)
  const keys = paths.join(path, "keys")
  const unavailable = (what: string) => (cause: unknown) =>
    new DataDirectoryUnavailable({ path, message: `${what} in the data directory ${path}`, cause })

  yield* Effect.mapError(
    files.makeDirectory(keys, { recursive: true, mode: 0o700 }),
    unavailable("Nothing can be kept")
  )

  const realPath = yield* Effect.mapError(files.realPath(path), unavailable("Nothing can be found"))

  // The names of agents are safe as file names: letters, digits, `.`, `-` and `_`.
  const fileOf = (agent: string) => paths.join(keys, `${agent}.key`)

  const opened: DataDirectory = {
    path,
    realPath,
    database: paths.join(path, databaseName),
    readKey: (agent) =>
      files.readFileString(fileOf(agent)).pipe(
        Effect.map((text) => Option.some(Redacted.make(text.trim()))),
        Effect.catchIf(
          (error) => error._tag === "SystemError" && error.reason === "NotFound",
          () => Effect.succeed(Option.none())
        ),
        Effect.mapError(unavailable(`The key of ${agent} cannot be read`))
      ),
    writeKey: (agent, key) => {
      const temporary = `${fileOf(agent)}.new`
      return Effect.mapError(
        Effect.zipRight(
          files.writeFileString(temporary, `${Redacted.value(key)}\n`, { mode: 0o600 }),
          files.rename(temporary, fileOf(agent))
        ),
        unavailable(`The key of ${agent} cannot be kept`)
      )
    }
  }
  return opened
})

/** Opens the directory of a gateway that has been started before. */
export const openExisting = Effect.fnUntraced(function*(directory: string) {
  const files = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  const path = paths.resolve(directory)
  if (!(yield* Effect.orElseSucceed(files.exists(paths.join(path, databaseName)), () => false))) {
    return yield* new DataDirectoryUnavailable({
      path,
      message: `There is no gateway's data in ${path}`,
      cause: undefined
    })
  }
  return yield* open(directory)
})
