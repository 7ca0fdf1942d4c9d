import * as Data from "effect/Data"

/**
 * The store cannot be used. `reason` says why:
 * - `"not-installed"`: the optional dependency that reads the database is missing
 * - `"cannot-open"`: the file cannot be made or opened (a missing folder, permissions, a lock that stays)
 * - `"not-a-database"`: the file is something else, or damaged
 * - `"migration-failed"`: its tables could not be brought up to date; they are left as they were
 * - `"newer-version"`: a later version of this package made it
 */
export class StoreUnavailable extends Data.TaggedError("StoreUnavailable")<{
  readonly reason: "not-installed" | "cannot-open" | "not-a-database" | "migration-failed" | "newer-version"
  readonly path: string
  readonly message: string
  readonly cause?: unknown
}> {}

/** Whether an error, or what caused it, has a SQLite code that starts with one of these. */
const hasCode = (error: unknown, codes: ReadonlyArray<string>): boolean => {
  if (typeof error !== "object" || error === null) return false
  if ("code" in error && typeof error.code === "string") {
    const { code } = error
    if (codes.some((start) => code.startsWith(start))) return true
  }
  return "cause" in error && error.cause !== error && hasCode(error.cause, codes)
}

/** Whether an error says that the file is no database, or a damaged one. */
export const isDamage = (error: unknown): boolean => hasCode(error, ["SQLITE_NOTADB", "SQLITE_CORRUPT"])

/** Whether an error says that another connection holds the lock. */
export const isBusy = (error: unknown): boolean => hasCode(error, ["SQLITE_BUSY"])

/** The message of whatever was thrown. */
export const messageOf = (cause: unknown): string => cause instanceof Error ? cause.message : String(cause)
