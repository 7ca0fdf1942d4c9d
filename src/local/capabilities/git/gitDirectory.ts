import * as Data from "effect/Data"
import * as fs from "node:fs"
import { isAbsolute, join, relative, resolve, sep } from "node:path"
import { isReserved } from "../../workspace/pathForm.js"

/** A directory is no repository that git may be let into; `outside`: because it leads out of the workspace. */
export class Unusable extends Data.TaggedError("Unusable")<{
  readonly reason: string
  readonly outside: boolean
}> {}

const most = 50_000

// What git never reads here, because it is given a directory of the gateway's own in its place.
const notRead = new Set(["hooks", "modules", "worktrees", "lfs", "branches", "remotes", "svn", "rr-cache", "annex"])

const isInside = (root: string, path: string): boolean => {
  const below = relative(root, path)
  const [first = ""] = below.split(sep)
  return first !== ".." && !isAbsolute(below) && !isReserved(first)
}

const led = (what: string) => new Unusable({ reason: `${what} is a symbolic link`, outside: true })

const notFit = (reason: string) => new Unusable({ reason, outside: false })

const checkTree = (directory: string, shown: string, state: { count: number }): void => {
  for (const entry of fs.readdirSync(directory, { withFileTypes: true })) {
    const name = `${shown}/${entry.name}`
    if (shown === ".git" && notRead.has(entry.name)) continue
    state.count++
    if (state.count > most) throw notFit(`.git holds more than ${most} files besides objects`)
    if (shown === ".git" && entry.name === ".git") throw notFit("there is a repository in its .git")
    if (entry.isSymbolicLink()) throw led(name)
    if (entry.isDirectory()) {
      // Objects are checked by git against their names.
      if (!/^\.git\/objects\/[0-9a-f]{2}$/.test(name)) checkTree(join(directory, entry.name), name, state)
    } else if (!entry.isFile()) {
      throw notFit(`${name} is no file`)
    }
  }
}

const alternatesOf = (objects: string): ReadonlyArray<string> => {
  const list = join(objects, "info", "alternates")
  const status = fs.lstatSync(list, { throwIfNoEntry: false })
  if (status === undefined) return []
  if (!status.isFile() || status.size > 65_536) throw notFit("its list of other object directories cannot be read")
  return fs.readFileSync(list, "utf8").split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"))
}

const mostAlternates = 5

const checkAlternates = (root: string, objects: string, state: { count: number }, depth: number): void => {
  for (const line of alternatesOf(objects)) {
    const other = resolve(objects, line)
    const real = fs.existsSync(other) ? fs.realpathSync.native(other) : other
    if (line.startsWith("\"") || !isInside(root, other) || !isInside(root, real)) {
      throw new Unusable({ reason: "it takes objects from outside the workspace", outside: true })
    }
    if (depth >= mostAlternates) throw notFit("it takes objects from too many other repositories")
    if (!fs.existsSync(real)) continue
    checkTree(real, ".git/objects", state)
    checkAlternates(root, real, state, depth + 1)
  }
}

/** Whether there is something that git would take for its directory, or the file that leads to it. */
export const hasGit = (directory: string): boolean =>
  fs.lstatSync(join(directory, ".git"), { throwIfNoEntry: false }) !== undefined

/** Whether a directory has the form of a repository without a working tree. */
export const looksBare = (directory: string): boolean =>
  ["HEAD", "objects", "refs"].every((name) => fs.existsSync(join(directory, name)))

/**
 * Looks through git's directory before git is let in: nothing in it may lead out of the workspace. Throws {@link Unusable}, and what the
 * system says.
 */
export const checkGitDirectory = (root: string, gitDirectory: string): void => {
  const status = fs.lstatSync(gitDirectory)
  if (status.isSymbolicLink()) throw led(".git")
  if (status.isFile()) {
    const text = status.size > 8192 ? "" : fs.readFileSync(gitDirectory, "utf8")
    const [, target = ""] = /^gitdir: (.*)/.exec(text) ?? []
    const outside = !isInside(root, resolve(gitDirectory, "..", target.trim()))
    throw new Unusable({ reason: "its .git is a file, as submodules and further working trees have it", outside })
  }
  if (!status.isDirectory()) throw notFit(".git is no directory")
  const state = { count: 0 }
  checkTree(gitDirectory, ".git", state)
  if (!looksBare(gitDirectory)) throw notFit("parts of its .git are not there")
  checkAlternates(root, join(gitDirectory, "objects"), state, 1)
}
