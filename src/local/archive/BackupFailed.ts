import * as Data from "effect/Data"
import { codeOf } from "../workspace/systemFailure.js"

/** The directory of the backups, or a file in it, cannot be written or read. The message names no path of the host. */
export class BackupFailed extends Data.TaggedError("BackupFailed")<{
  readonly message: string
  readonly cause: unknown
}> {}

/** What the operating system said, as a failure of backups. */
export const backupFailed = (what: string) => (cause: unknown): BackupFailed =>
  new BackupFailed({ message: `${what} (${codeOf(cause) ?? "unexpected failure"})`, cause })
