import * as fs from "node:fs"
import { dirname, join } from "node:path"

/** Writes files below a folder, with the folders that they need. */
export const writeTree = (root: string, files: { readonly [path: string]: string | Uint8Array }): void => {
  for (const [path, content] of Object.entries(files)) {
    const file = join(root, path)
    fs.mkdirSync(dirname(file), { recursive: true })
    fs.writeFileSync(file, content)
  }
}
