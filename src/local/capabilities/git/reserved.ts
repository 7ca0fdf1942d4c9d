import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { join } from "node:path"
import { dataFolder, isReserved, trashFolder } from "../../workspace/pathForm.js"
import { output } from "./head.js"
import type { Repository } from "./Repository.js"

const folders = [dataFolder, trashFolder]

/** What has git leave the gateway's own folders out, where a repository's working tree is the whole workspace. */
export const excludesOf = (home: string, segments: ReadonlyArray<string>): ReadonlyArray<readonly [string, string]> => {
  if (segments.length > 0) return []
  const file = join(home, "excludes")
  fs.writeFileSync(file, folders.map((name) => `/${name}/\n`).join(""))
  return [["core.excludesFile", file]]
}

// A name that means the root is none among what is taken literally.
const named = (file: string): string =>
  file.split("/").every((part) => part === "" || part === ".") ? ":(top)" : `:(top,literal)${file}`

/** How files are named to git; all where none are. What a repository says itself cannot include the gateway's folders. */
export const filesNamed = ({ place }: Repository, files: ReadonlyArray<string> | undefined): {
  readonly options: ReadonlyArray<string>
  readonly names: ReadonlyArray<string> | undefined
} =>
  place.segments.length > 0 ? { options: [], names: files } : {
    options: ["--no-literal-pathspecs"],
    names: [
      ...files === undefined ? [":(top)"] : files.map(named),
      ...folders.map((name) => `:(top,exclude,icase)${name}`)
    ]
  }

/** Whether a commit has files that would be put where the gateway keeps its own. */
export const hasReserved = (repository: Repository, commit: string) =>
  repository.place.segments.length > 0
    ? Effect.succeed(false)
    : Effect.map(
      output(repository, ["ls-tree", "-z", "--name-only", commit]),
      (text) => text.split("\0").some((name) => name !== "" && isReserved(name))
    )
