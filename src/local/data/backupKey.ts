import { join } from "node:path"

/** Where the gateway keeps the key of its backups, unless it was told of another file. */
export const backupKeyFile = (dataDirectory: string): string => join(dataDirectory, "backup.key")
