import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { RE2JS } from "re2js"
import { InvalidPattern } from "../../../errors/filesystem.js"
import { expandBraces } from "./braces.js"
import { globExpression } from "./globExpression.js"

/** A glob that has been understood. */
export interface Glob {
  /** Whether the glob covers a path, relative to the directory that the search began in, with `/`. */
  readonly matches: (relative: string) => boolean
}

const maximumLength = 1_000
const maximumProgramSize = 4_000

/** Compiles a regular expression for whole paths. Its time is linear in the path, whatever the expression. */
export const compileExpression = (expression: string): Either.Either<Glob, string> =>
  Either.flatMap(
    Either.try({ try: () => RE2JS.compile(expression), catch: () => "it is not a glob" }),
    (compiled) =>
      compiled.programSize() > maximumProgramSize
        ? Either.left("it is too complex")
        : Either.right({ matches: (relative) => compiled.testExact(relative) })
  )

const problemOf = (glob: string): string | undefined => {
  if (glob === "") return "it is empty"
  if (glob.length > maximumLength) return `it is longer than ${maximumLength} characters`
  if (glob.startsWith("/")) return "it starts with a slash; it is relative to the directory that is searched"
  if (glob.endsWith("/")) return "it ends with a slash, and only files are looked for"
  return glob.split("/").includes("..") ? "it leads out of the directory that is searched" : undefined
}

const withoutDot = (glob: string): string => glob.startsWith("./") ? glob.slice(2) : glob

/** {@link makeGlob} that says only why the glob cannot be used. */
export const parseGlob = (pattern: string): Either.Either<Glob, string> =>
  Either.gen(function*() {
    const problem = problemOf(pattern)
    if (problem !== undefined) return yield* Either.left(problem)
    const alternatives = yield* expandBraces(withoutDot(pattern))
    const expressions = yield* Either.all(
      alternatives.filter((glob) => glob !== "").map((glob) => globExpression(glob, { anchored: false }))
    )
    return yield* compileExpression(`(?:${expressions.join("|")})`)
  })

/**
 * Understands a glob: `*`, `**`, `?`, `[…]`, `{a,b}` and `\`. One without a slash is compared with base names, at any
 * depth; one with a slash with the path relative to the directory that is searched. Case matters. Fails with
 * InvalidPattern where the glob makes no sense, is longer than 1,000 characters or has more than 32 alternatives. Any
 * other takes time linear in the length of the path.
 *
 * Whether hidden files are covered is decided by whoever lists the files: a glob covers names that start with a dot.
 */
export const makeGlob = (pattern: string): Effect.Effect<Glob, InvalidPattern> =>
  Effect.mapError(
    parseGlob(pattern),
    (reason) =>
      new InvalidPattern({ message: `The glob cannot be used: ${reason}`, pattern: pattern.slice(0, maximumLength) })
  )
