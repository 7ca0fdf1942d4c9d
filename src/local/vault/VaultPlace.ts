import * as Context from "effect/Context"
import type { BackupKey } from "../archive/BackupPlace.js"

/** What secrets are encrypted with: a file with a key, or a passphrase. */
export type VaultKey = BackupKey

/** Where the key of a gateway's vault comes from. */
export interface Place {
  /** The directory of the gateway's data. */
  readonly dataDirectory: string
  /** The key that is kept in the data directory, made with the first secret, unless given. */
  readonly key: VaultKey | undefined
}

/** Where the key of the vault comes from; nowhere unless it is said, as where a gateway keeps nothing on disk at all. */
export class VaultPlace extends Context.Reference<VaultPlace>()("kruxos/local/VaultPlace", {
  defaultValue: (): Place | undefined => undefined
}) {}
