import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { randomUUID } from "node:crypto"

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
  readonly readSupervisorToken: Effect.Effect<Option.Option<Redacted.Redacted<string>>, DataDirectoryUnavailable>
  /** Keeps a token where none is kept yet. */
  readonly addSupervisorToken: (token: Redacted.Redacted<string>) => Effect.Effect<void, DataDirectoryUnavailable>
  /** What the gateway that serves these data says of itself, as it is on disk. */
  readonly readAnnouncement: Effect.Effect<Option.Option<string>, DataDirectoryUnavailable>
  readonly writeAnnouncement: (text: string) => Effect.Effect<void, DataDirectoryUnavailable>
  readonly removeAnnouncement: Effect.Effect<void, DataDirectoryUnavailable>
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

  const tokenFile = paths.join(path, "supervisor.token")
  const announcementFile = paths.join(path, "gateway.json")

  const read = (file: string, what: string) =>
    files.readFileString(file).pipe(
      Effect.asSome,
      Effect.catchIf(
        (error) => error._tag === "SystemError" && error.reason === "NotFound",
        () => Effect.succeed(Option.none<string>())
      ),
      Effect.mapError(unavailable(`${what} cannot be read`))
    )

  const readSecret = (file: string, what: string) =>
    Effect.map(read(file, what), Option.map((text) => Redacted.make(text.trim())))

  const write = (file: string, text: string, what: string) => {
    // Several gateways may write the same at a time.
    const temporary = `${file}.${randomUUID()}`
    return files.writeFileString(temporary, text, { mode: 0o600 }).pipe(
      Effect.zipRight(files.rename(temporary, file)),
      Effect.onError(() => Effect.ignore(files.remove(temporary))),
      Effect.mapError(unavailable(`${what} cannot be kept`))
    )
  }

  const opened: DataDirectory = {
    path,
    realPath,
    database: paths.join(path, databaseName),
    readKey: (agent) => readSecret(fileOf(agent), `The key of ${agent}`),
    writeKey: (agent, key) => write(fileOf(agent), `${Redacted.value(key)}\n`, `The key of ${agent}`),
    readSupervisorToken: readSecret(tokenFile, "The supervisor's token"),
    // A link is made where there is nothing yet, or not at all: of several gateways that start, all use the token of the first.
    addSupervisorToken: (token) => {
      const temporary = `${tokenFile}.${randomUUID()}`
      return files.writeFileString(temporary, `${Redacted.value(token)}\n`, { mode: 0o600 }).pipe(
        Effect.zipRight(Effect.catchIf(
          files.link(temporary, tokenFile),
          (error) => error._tag === "SystemError" && error.reason === "AlreadyExists",
          () => Effect.void
        )),
        Effect.ensuring(Effect.ignore(files.remove(temporary))),
        Effect.mapError(unavailable("The supervisor's token cannot be kept"))
      )
    },
    readAnnouncement: read(announcementFile, "Where the gateway is"),
    writeAnnouncement: (text) => write(announcementFile, text, "Where the gateway is"),
    removeAnnouncement: Effect.mapError(
      files.remove(announcementFile, { force: true }),
      unavailable("Where the gateway was cannot be removed")
    )
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
