import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { open, type OpenFailure, type Repository } from "../../capabilities/git/Repository.js"
import type { Workspace } from "../../workspace/Workspace.js"
import type { Conflict, Undone } from "../Undo.js"

export const undone: Undone = { _tag: "Undone" }

export const conflictAt = (resource: string): Conflict => ({ _tag: "Conflict", resource })

interface Failure {
  readonly message: string
}

/** Does something with a repository, and calls whatever goes wrong a conflict. */
export const orConflict = <A>(
  path: string,
  work: Effect.Effect<A, Failure, Scope.Scope>
): Effect.Effect<A | Conflict> =>
  Effect.scoped(work).pipe(
    Effect.catchAll(({ message }) =>
      Effect.as(Effect.logWarning(`What git did at ${path} could not be undone: ${message}`), conflictAt(path))
    )
  )

/** Opens a repository where a handler is going to succeed with it; none where it is going to say itself why not. */
export const ifOpen = <A, E, R>(
  workspace: Workspace,
  path: string,
  work: (repository: Repository) => Effect.Effect<A, E, R>
): Effect.Effect<Option.Option<A>, E | OpenFailure, Exclude<R, Scope.Scope>> =>
  open(workspace, path).pipe(
    Effect.flatMap(work),
    Effect.asSome,
    Effect.catchIf(
      (error) => isRefusal(error),
      () => Effect.succeedNone
    ),
    Effect.scoped
  )

const isRefusal = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "_tag" in error &&
  (error._tag === "NotARepository" || error._tag === "PathOutOfScope" || error._tag === "InvalidInput")
