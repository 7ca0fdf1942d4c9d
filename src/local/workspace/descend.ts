import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as fs from "node:fs"
import type { PathOutOfScope } from "../../errors/filesystem.js"
import type { Directory } from "./Directory.js"
import { isReserved, mountPoint, outOfScope } from "./pathForm.js"
import { codeOf, type Subject, type SystemFailure, systemFailure, unusable } from "./systemFailure.js"

/** A directory that is held, and a name in it; there may be nothing of that name. `.` is the directory itself. */
export interface Entry {
  readonly directory: Directory
  readonly name: string
}

/** The root of a workspace. */
export interface Root {
  readonly directory: Directory
  /** Its path on the host, without links. */
  readonly realPath: string
}

/** A directory on the way is not there, or is something else. `last`: the very place that the path leads to. */
export class NotThere extends Data.TaggedError("NotThere")<{
  readonly reason: "missing" | "not-a-directory"
  readonly last: boolean
}> {}

/** Somebody changed the place while it was looked at: look again. */
export class Changed extends Data.TaggedError("Changed")<{}> {}

export interface Descent {
  /**
   * The last name of the path: `itself` is where it is, `followed` is where it leads if it is a symbolic link, `entered`
   * holds the directory that it is or leads to. `opened` is `followed` for a use that opens what is there, and fails with
   * {@link Changed} where that is a symbolic link: it is not read before.
   */
  readonly last: "itself" | "followed" | "entered" | "opened"
  readonly createParents?: boolean
}

/** How many symbolic links a path may lead through. */
export const maximumLinks = 40

const maximumLooks = 10

/** The names of a link's target that count from the root; undefined for one that leads elsewhere. */
export const belowRoot = (target: string, { realPath }: Root): string | undefined => {
  const prefix = [realPath === "/" ? "" : realPath, mountPoint].find((start) =>
    target === start || target.startsWith(`${start}/`)
  )
  return prefix === undefined ? undefined : target.slice(prefix.length)
}

/** What a symbolic link says; undefined where there is none. It throws the system's errors. */
export const readLink = (path: string): string | undefined => {
  // What is no link costs an error to read as one.
  if (fs.lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return undefined
  try {
    return fs.readlinkSync(path)
  } catch (cause) {
    const code = codeOf(cause)
    if (code === "EINVAL" || code === "ENOENT") return undefined
    throw cause
  }
}

const makeDirectory = (path: string): void => {
  try {
    fs.mkdirSync(path)
  } catch (cause) {
    if (codeOf(cause) !== "EEXIST") throw cause
  }
}

type Step =
  | { readonly type: "into"; readonly directory: Directory }
  | { readonly type: "link"; readonly target: string }
  | { readonly type: "missing" | "other" | "changed" }

const stepInto = (directory: Directory, name: string): Step => {
  try {
    return { type: "into", directory: directory.child(name) }
  } catch (cause) {
    const code = codeOf(cause)
    if (code === "ENOENT") return { type: "missing" }
    if (code !== "ENOTDIR" && code !== "ELOOP") throw cause
    const target = readLink(directory.at(name))
    if (target !== undefined) return { type: "link", target }
    const now = fs.lstatSync(directory.at(name), { throwIfNoEntry: false })
    return { type: now === undefined || now.isDirectory() || now.isSymbolicLink() ? "changed" : "other" }
  }
}

const stepToLast = (directory: Directory, name: string): Step => {
  const target = readLink(directory.at(name))
  return target === undefined ? { type: "other" } : { type: "link", target }
}

type Refusal = PathOutOfScope | NotThere | Changed | SystemFailure

/**
 * Goes down from the root name by name, holding every directory before the next name is looked up in it, so that no
 * rename and no link made meanwhile can lead the way out. Symbolic links are read and expanded here, never by the
 * operating system. Synchronous: the descriptors that it opens are closed again, but for the entry's directory, which the
 * caller closes.
 */
const descend = (
  root: Root,
  subject: Subject,
  { createParents = false, last }: Descent
): Effect.Effect<Entry, Refusal> => {
  const held: Array<Directory> = []
  const names = [...subject.path.segments].reverse()
  const top = () => held.at(-1) ?? { ...root.directory, close: () => {} }
  let kept: Directory | undefined
  let links = 0
  let looks = 0

  const keep = (name: string) => {
    kept = top()
    return Effect.succeed({ directory: kept, name })
  }
  const isLast = () => names.every((name) => name === "" || name === ".")
  const follow = (target: string): boolean => {
    const rest = target.startsWith("/") ? belowRoot(target, root) : target
    if (rest === undefined) return false
    if (target.startsWith("/")) { for (const directory of held.splice(0)) directory.close() }
    for (const name of rest.split("/").reverse()) names.push(name)
    return true
  }

  try {
    for (let name = names.pop(); name !== undefined; name = names.pop()) {
      if (name === "" || name === ".") continue
      if (name === "..") {
        const left = held.pop()
        if (left === undefined) return Effect.fail(outOfScope(subject.path.display))
        left.close()
        continue
      }
      if (held.length === 0 && isReserved(name)) return Effect.fail(outOfScope(subject.path.display))
      const end = isLast() && last !== "entered"
      if (end && last === "itself") return keep(name)
      const step: Step = end ? stepToLast(top(), name) : stepInto(top(), name)
      if (step.type === "into") {
        held.push(step.directory)
      } else if (step.type === "link") {
        links += 1
        if (links > maximumLinks) return Effect.fail(unusable(subject, "leads through too many symbolic links"))
        if (!follow(step.target)) return Effect.fail(outOfScope(subject.path.display))
      } else if (end) {
        return keep(name)
      } else if (step.type === "changed") {
        return Effect.fail(new Changed())
      } else if (step.type === "missing" && createParents) {
        looks += 1
        if (looks > maximumLooks + subject.path.segments.length) return Effect.fail(new Changed())
        makeDirectory(top().at(name))
        names.push(name)
      } else {
        return Effect.fail(
          new NotThere({ reason: step.type === "missing" ? "missing" : "not-a-directory", last: isLast() })
        )
      }
    }
    return keep(".")
  } catch (cause) {
    return codeOf(cause) === "ENOENT" ? Effect.fail(new Changed()) : systemFailure(subject)(cause)
  } finally {
    for (const directory of held) if (directory !== kept) directory.close()
  }
}

const untilSettled = <A, E, R>(
  subject: Subject,
  look: Effect.Effect<A, E | Changed, R>,
  left = maximumLooks
): Effect.Effect<A, E | SystemFailure, R> =>
  Effect.catchAll(look, (failure): Effect.Effect<A, E | SystemFailure, R> =>
    !(failure instanceof Changed)
      ? Effect.fail(failure)
      : left > 0
      ? untilSettled(subject, look, left - 1)
      : Effect.fail(unusable(subject, "keeps changing while it is used")))

const letGo = ({ directory }: Entry) => Effect.sync(directory.close)

/**
 * Finds the place that a path leads to, and holds it while it is used. What it was used for may fail with
 * {@link Changed} to begin anew; a place that does not come to rest is InvalidInput in the end.
 */
export const withEntry = <A, E, R>(
  root: Root,
  subject: Subject,
  descent: Descent,
  use: (entry: Entry) => Effect.Effect<A, E | Changed, R>
): Effect.Effect<A, E | Exclude<Refusal, Changed>, R> => {
  const look = (last: Descent["last"]): Effect.Effect<A, E | Refusal, R> =>
    Effect.acquireUseRelease(Effect.suspend(() => descend(root, subject, { ...descent, last })), use, letGo)
  const settle = (first: Effect.Effect<A, E | Refusal, R>) =>
    untilSettled<A, E | Exclude<Refusal, Changed>, R>(subject, first)
  if (descent.last !== "opened") return settle(look(descent.last))
  return Effect.catchAll(
    look("itself"),
    (failure): Effect.Effect<A, E | Exclude<Refusal, Changed>, R> =>
      failure instanceof Changed ? settle(look("followed")) : Effect.fail(failure)
  )
}

/** Holds the directory that a path leads to, as long as the scope lasts. */
export const enter = (
  root: Root,
  subject: Subject
): Effect.Effect<Directory, Exclude<Refusal, Changed>, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      untilSettled<Entry, Exclude<Refusal, Changed>, never>(
        subject,
        Effect.suspend(() => descend(root, subject, { last: "entered" }))
      ),
      letGo
    ),
    ({ directory }) => directory
  )
