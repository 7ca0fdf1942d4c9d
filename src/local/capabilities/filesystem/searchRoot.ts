import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { DirectoryNotFound, type NotADirectory } from "../../../errors/filesystem.js"
import { InvalidInput } from "../../../errors/general.js"
import type { FileStatus, PathFailure, Workspace, WorkspacePath } from "../../workspace/Workspace.js"

/** A path and what is there. A symbolic link counts as what it may lead to. */
export interface Found {
  readonly path: WorkspacePath
  readonly status: FileStatus
}

/** Looks up what is at a path; none where there is nothing. */
export const lookUp = (workspace: Workspace, text: string): Effect.Effect<Option.Option<Found>, PathFailure> =>
  Effect.gen(function*() {
    const path = yield* workspace.resolve(text)
    return Option.map(yield* workspace.status(path), (status) => ({ path, status }))
  })

/** The path is something else where a directory is needed. */
export const notADirectory = (path: string): InvalidInput =>
  new InvalidInput({ message: `${path} is not a directory`, field: "path", reason: "it is not a directory" })

/** There is no directory at the path, which is shown as agents see it. */
export const noDirectory = (path: string): DirectoryNotFound =>
  new DirectoryNotFound({ message: `There is no directory at ${path}`, path })

/** The directory at a path: DirectoryNotFound where nothing is there, InvalidInput where it is a file. */
export const requireDirectory = (
  workspace: Workspace,
  text: string
): Effect.Effect<WorkspacePath, PathFailure | DirectoryNotFound> =>
  Effect.gen(function*() {
    const found = yield* lookUp(workspace, text)
    if (Option.isNone(found)) return yield* noDirectory((yield* workspace.resolve(text)).display)
    const { path, status } = found.value
    return status.type === "file" || status.type === "other" ? yield* notADirectory(path.display) : path
  })

/** A directory that has become something else since it was looked at is no directory. */
export const noLongerADirectory = (error: NotADirectory): Effect.Effect<never, InvalidInput> =>
  Effect.fail(notADirectory(error.path ?? "The path"))

/** The input is not one that the capability takes. */
export const refused = (field: string, reason: string): InvalidInput =>
  new InvalidInput({ message: `${field} cannot be used: ${reason}`, field, reason })

const mostResults = 10_000

/** Refuses a number of results beyond 10,000. */
export const checkResultLimit = (field: string, limit: number): Effect.Effect<void, InvalidInput> =>
  limit <= mostResults ? Effect.void : Effect.fail(refused(field, `it is more than ${mostResults}`))
