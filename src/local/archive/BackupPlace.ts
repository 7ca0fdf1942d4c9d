import * as Context from "effect/Context"
import type * as Redacted from "effect/Redacted"

/** What backups are encrypted with: a file with a key, or a passphrase. */
export type BackupKey = { readonly keyFile: string } | { readonly passphrase: Redacted.Redacted<string> }

/** Where a gateway keeps its backups, and of what. */
export interface Place {
  /** The directory of the gateway's data. */
  readonly dataDirectory: string
  /** The file of the store. */
  readonly database: string
  /** The key that is kept in the data directory, made when it is first needed, unless given. */
  readonly key: BackupKey | undefined
}

/** Where the gateway keeps its backups; nowhere unless it is said, as where it keeps nothing on disk at all. */
export class BackupPlace extends Context.Reference<BackupPlace>()("kruxos/local/BackupPlace", {
  defaultValue: (): Place | undefined => undefined
}) {}
