import * as Either from "effect/Either"
import { Buffer } from "node:buffer"
import { InvalidInput } from "../../../errors/general.js"

const longestName = 200

// What git allows in the name of a branch, and nothing that it could take for an option or for more than a name.
const problemOf = (name: string): string | undefined => {
  if (name === "") return "it is empty"
  if (name.length > longestName) return `it is longer than ${longestName} characters`
  if (name.startsWith("-")) return "it begins with -"
  if (name === "HEAD" || name === "@") return "it means something else in git"
  if (/[\p{Cc} ~^:?*[\\]|\.\.|@\{|\/\/|^\/|[/.]$/u.test(name) || /\p{Surrogate}/u.test(name)) {
    return "it holds what git allows in no name"
  }
  return name.split("/").some((part) => part.startsWith(".") || part.endsWith(".lock"))
    ? "a part of it begins with a dot or ends with .lock"
    : undefined
}

const refused = (what: string, field: string, reason: string) =>
  new InvalidInput({ message: `The ${what} cannot be used: ${reason}`, field, reason })

/** The name of a branch; InvalidInput where git would not allow it, or would take it for something else. */
export const branchName = (field: string, name: string): Either.Either<string, InvalidInput> => {
  const problem = problemOf(name)
  return problem === undefined ? Either.right(name) : Either.left(refused("name of the branch", field, problem))
}

/** The name of a remote. */
export const remoteName = (name: string): Either.Either<string, InvalidInput> => {
  const problem = problemOf(name) ?? (/^[\w][\w./-]*$/.test(name) ? undefined : "it is no name of a remote")
  return problem === undefined ? Either.right(name) : Either.left(refused("remote", "remote", problem))
}

/** What names a commit: a hash, a branch, a tag, `HEAD~2`. No range, and nothing that looks like an option. */
export const revision = (field: string, text: string): Either.Either<string, InvalidInput> => {
  const reason = text === ""
    ? "it is empty"
    : text.startsWith("-")
    ? "it begins with -"
    : text.length > 1000
    ? "it is longer than 1000 characters"
    : /\p{Cc}/u.test(text)
    ? "it holds control characters"
    : text.includes("..") || text.startsWith("^") || text.includes(":")
    ? "it names more or other than a commit"
    : undefined
  return reason === undefined ? Either.right(text) : Either.left(refused("commit", field, reason))
}

/** Text that goes to git as one line. */
export const line = (field: string, text: string): Either.Either<string, InvalidInput> =>
  text.length > 1000 || /\p{Cc}/u.test(text) || /\p{Surrogate}/u.test(text)
    ? Either.left(refused(field, field, "it is longer than 1000 characters, or no single line"))
    : Either.right(text)

/** A file of a repository, from its root. */
export const fileName = (field: string, text: string): Either.Either<string, InvalidInput> => {
  const parts = text.split("/")
  const reason = text === "" || text.includes("\0") || /\p{Surrogate}/u.test(text)
    ? "it is empty, or no text that a file can be called"
    : text.startsWith("/") || parts.includes("..")
    ? "it has to be relative to the root of the repository, and in it"
    : parts.some((part) => part.toLowerCase() === ".git")
    ? "it belongs to git itself"
    : Buffer.byteLength(text) > 4096
    ? "it is longer than 4096 bytes"
    : undefined
  return reason === undefined ? Either.right(text) : Either.left(refused(`file ${text.slice(0, 200)}`, field, reason))
}
