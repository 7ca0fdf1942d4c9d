import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Buffer } from "node:buffer"
import { randomBytes } from "node:crypto"
import { constants } from "node:fs"
import * as FileSystem from "node:fs/promises"
import { join } from "node:path"
import { codeOf } from "../workspace/systemFailure.js"
import { type BackupFailed, backupFailed } from "./BackupFailed.js"
import * as Format from "./backupFormat.js"

const idForm = /^bkp-\d{8}T\d{6}-[0-9a-f]{8}$/

/** Whether a text is the id of a backup, and so good for the name of a file. */
export const isBackupId = (id: string): boolean => idForm.test(id)

/** An id that tells when the backup was made, such as `bkp-20250131T080000-1f2e3d4c`. */
export const newBackupId = (at: DateTime.Utc): string =>
  `bkp-${DateTime.formatIso(at).slice(0, 19).replaceAll(/[-:]/g, "")}-${randomBytes(4).toString("hex")}`

const extension = ".krxb"

const temporaryForm = /^\.[0-9a-f]{24}\.tmp$/

/** After how long a file that was being written counts as left by a gateway that was killed, in milliseconds: an hour. */
const abandonedAfter = 60 * 60 * 1000

const attempt = <A>(what: string, run: () => Promise<A>): Effect.Effect<A, BackupFailed> =>
  Effect.tryPromise({ try: run, catch: backupFailed(what) })

/** A backup that is open: what it says of itself, and its size in bytes. */
export interface OpenBackup {
  readonly id: string
  readonly header: Format.Header
  readonly size: number
  /** The file up to its first chunk. */
  readonly head: Uint8Array
  /** Bytes from a place on, fewer at the end. */
  readonly read: (position: number, length: number) => Effect.Effect<Uint8Array, BackupFailed>
}

/** What came of opening a backup. */
export type Opened =
  | { readonly _tag: "Opened"; readonly backup: OpenBackup }
  /** There is a file of that name, and it is no backup, or another one's. */
  | { readonly _tag: "Damaged" }
  | { readonly _tag: "Missing" }

/** The files of the backups in a directory, which only its owner can read. */
export interface BackupFiles {
  /**
   * Makes the file of a backup in one step: it is there as a whole, on the disk, or not at all. Gives its size in bytes. A file of that
   * name is replaced.
   */
  readonly write: <E, R>(
    id: string,
    fill: (append: (bytes: Uint8Array) => Effect.Effect<void, BackupFailed>) => Effect.Effect<void, E, R>
  ) => Effect.Effect<number, E | BackupFailed, R>
  /** The ids that there are files of, in no order. */
  readonly ids: Effect.Effect<ReadonlyArray<string>, BackupFailed>
  /** Opens a backup until the scope ends. The id has to be one. */
  readonly open: (id: string) => Effect.Effect<Opened, BackupFailed, Scope.Scope>
}

const cannotWrite = "The backup cannot be written"
const cannotRead = "The backup cannot be read"
const cannotList = "The backups cannot be listed"

const fill = async (
  file: FileSystem.FileHandle,
  position: number,
  bytes: Buffer,
  count: number
): Promise<Uint8Array> => {
  if (count === bytes.length) return bytes
  const { bytesRead } = await file.read(bytes, count, bytes.length - count, position + count)
  return bytesRead === 0 ? bytes.subarray(0, count) : fill(file, position, bytes, count + bytesRead)
}

const readFully = (file: FileSystem.FileHandle, position: number, length: number) =>
  fill(file, position, Buffer.alloc(length), 0)

const openedFrom = async (file: FileSystem.FileHandle, id: string): Promise<Opened> => {
  const status = await file.stat()
  const damaged: Opened = { _tag: "Damaged" }
  if (!status.isFile()) return damaged
  const prefix = await readFully(file, 0, Format.prefixBytes)
  const length = Format.headerLength(prefix)
  if (length === undefined) return damaged
  const bytes = await readFully(file, Format.prefixBytes, length)
  const header = Format.parseHeader(bytes)
  if (header?.id !== id) return damaged
  return {
    _tag: "Opened",
    backup: {
      id,
      header,
      size: status.size,
      head: Buffer.concat([prefix, bytes]),
      read: (position, wanted) => attempt(cannotRead, () => readFully(file, position, wanted))
    }
  }
}

const syncDirectory = async (path: string) => {
  const directory = await FileSystem.open(path, "r")
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/** The files in the directory `backups` of a gateway's data. */
export const make = (dataDirectory: string): BackupFiles => {
  const directory = join(dataDirectory, "backups")
  const pathOf = (id: string) => join(directory, `${id}${extension}`)

  const names = (): Promise<ReadonlyArray<string>> => FileSystem.readdir(directory)

  const sweepOne = async (path: string, now: number) => {
    // Another gateway may do the same.
    const status = await FileSystem.lstat(path).catch(() => undefined)
    if (status === undefined || now - status.mtimeMs <= abandonedAfter) return
    await FileSystem.rm(path, { force: true })
  }

  const sweep = async (now: number) => {
    const abandoned = (await names()).filter((name) => temporaryForm.test(name))
    await Promise.all(abandoned.map((name) => sweepOne(join(directory, name), now)))
  }

  const begin = (temporary: string) =>
    Effect.flatMap(DateTime.now, (now) =>
      attempt(cannotWrite, async () => {
        await FileSystem.mkdir(directory, { recursive: true, mode: 0o700 })
        await sweep(DateTime.toEpochMillis(now))
        return FileSystem.open(temporary, "wx", 0o600)
      }))

  const write: BackupFiles["write"] = (id, fill) => {
    const temporary = join(directory, `.${randomBytes(12).toString("hex")}.tmp`)
    return Effect.acquireUseRelease(
      begin(temporary),
      (file) =>
        Effect.gen(function*() {
          let size = 0
          yield* fill((bytes) =>
            Effect.map(attempt(cannotWrite, () => file.writeFile(bytes)), () => {
              size += bytes.length
            })
          )
          yield* attempt(cannotWrite, async () => {
            await file.sync()
            await FileSystem.rename(temporary, pathOf(id))
            await syncDirectory(directory)
          }).pipe(Effect.uninterruptible)
          return size
        }),
      (file) =>
        attempt(cannotWrite, async () => {
          await file.close()
          await FileSystem.rm(temporary, { force: true })
        }).pipe(Effect.ignoreLogged)
    )
  }

  const ids = Effect.map(
    Effect.catchIf(
      attempt(cannotList, names),
      ({ cause }) => codeOf(cause) === "ENOENT",
      () => Effect.succeed([])
    ),
    (found) =>
      found.flatMap((name) => {
        const id = name.endsWith(extension) ? name.slice(0, -extension.length) : ""
        return isBackupId(id) ? [id] : []
      })
  )

  const openFile = (id: string): Effect.Effect<FileSystem.FileHandle | "Missing" | "Damaged", BackupFailed> =>
    Effect.catchAll(
      // What is no file at all must not hold anybody up.
      attempt(
        cannotRead,
        () => FileSystem.open(pathOf(id), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
      ),
      (failure) => {
        const code = codeOf(failure.cause)
        if (code === "ENOENT") return Effect.succeed("Missing" as const)
        return code === "ELOOP" ? Effect.succeed("Damaged" as const) : Effect.fail(failure)
      }
    )

  const open: BackupFiles["open"] = (id) =>
    Effect.flatMap(
      Effect.acquireRelease(
        openFile(id),
        (file) => typeof file === "string" ? Effect.void : Effect.ignoreLogged(attempt(cannotRead, () => file.close()))
      ),
      (file): Effect.Effect<Opened, BackupFailed> =>
        typeof file === "string"
          ? Effect.succeed({ _tag: file })
          : attempt(cannotRead, () => openedFrom(file, id))
    )

  return { write, ids, open }
}
