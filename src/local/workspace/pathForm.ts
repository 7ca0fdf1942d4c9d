import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { Buffer } from "node:buffer"
import { PathOutOfScope } from "../../errors/filesystem.js"
import { InvalidInput } from "../../errors/general.js"
import type { WorkspacePath } from "./Workspace.js"

/** Where an agent sees its workspace. */
export const mountPoint = "/workspace"

/** The folder directly below the workspace's root that holds what was deleted. No path leads into it. */
export const trashFolder = ".kruxos-trash"

/**
 * The folder directly below the workspace's root where a gateway that is started in its own workspace keeps its data. No
 * path leads into it, whether or not the gateway is such a one.
 */
export const dataFolder = ".kruxos"

const reserved = [trashFolder, dataFolder]

const maximumNameBytes = 255
const maximumPathBytes = 4096

/**
 * Whether a name directly below the root is kept from agents. Compared without regard to case and to compatible forms,
 * because some file systems do the same.
 */
export const isReserved = (name: string): boolean => reserved.includes(name.normalize("NFKC").toLowerCase())

/** The path of names below the root, as an agent sees it. */
export const fromSegments = (segments: ReadonlyArray<string>): WorkspacePath => ({
  segments,
  display: [mountPoint, ...segments].join("/")
})

/** How an agent sees an entry of the trash folder. */
export const trashPathOf = (name: string): string => `${mountPoint}/${trashFolder}/${name}`

/** The path leads out of the workspace; `path` as the agent gave it or sees it. */
export const outOfScope = (path: string): PathOutOfScope =>
  new PathOutOfScope({ message: `${path} is outside the workspace ${mountPoint}`, path })

const malformed = (reason: string): InvalidInput =>
  new InvalidInput({ message: `The path cannot be used: ${reason}`, field: "path", reason })

const problemOf = (path: string): string | undefined => {
  if (path === "") return "it is empty"
  if (path.includes("\0")) return "it holds a NUL byte"
  if (/\p{Surrogate}/u.test(path)) return "it is not valid Unicode"
  if (Buffer.byteLength(path) > maximumPathBytes) return `it is longer than ${maximumPathBytes} bytes`
  return path.split("/").some((name) => Buffer.byteLength(name) > maximumNameBytes)
    ? `a name in it is longer than ${maximumNameBytes} bytes`
    : undefined
}

const namesOf = (path: string): Option.Option<ReadonlyArray<string>> => {
  if (path !== mountPoint && !path.startsWith(`${mountPoint}/`) && path.startsWith("/")) return Option.none()
  const names: Array<string> = []
  for (const name of (path.startsWith("/") ? path.slice(mountPoint.length) : path).split("/")) {
    if (name === "" || name === ".") continue
    if (name !== "..") names.push(name)
    else if (names.pop() === undefined) return Option.none()
  }
  return Option.some(names)
}

const parse = (path: string): Either.Either<ReadonlyArray<string>, PathOutOfScope | InvalidInput> => {
  const problem = problemOf(path)
  return problem === undefined
    ? Either.fromOption(namesOf(path), () => outOfScope(path))
    : Either.left(malformed(problem))
}

/** Whether a path could be one of the workspace or of its trash, whatever is there. */
export const checkForm = (path: string): Either.Either<void, PathOutOfScope | InvalidInput> =>
  Either.map(parse(path), () => undefined)

/**
 * Checks a path in form, without a look at the disk: relative to the workspace or below `/workspace`, `..` taken off
 * together with the name before it (so `link/..` is where the link is, whatever it leads to), and never above the root.
 * The trash folder and the gateway's data are out of scope.
 */
export const resolve = (path: string): Either.Either<WorkspacePath, PathOutOfScope | InvalidInput> =>
  Either.flatMap(parse(path), (names) => {
    const [first] = names
    return first !== undefined && isReserved(first) ? Either.left(outOfScope(path)) : Either.right(fromSegments(names))
  })

/** The name of an entry of the trash folder, from its path; none where the path is one of the workspace's other places. */
export const trashNameOf = (
  path: string
): Either.Either<Option.Option<string>, PathOutOfScope | InvalidInput> =>
  Either.map(
    parse(path),
    ([folder, name, ...further]) =>
      folder === trashFolder && name !== undefined && further.length === 0 ? Option.some(name) : Option.none()
  )
