import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { fromSegments } from "../../workspace/pathForm.js"
import type { PathFailure, Workspace, WorkspacePath } from "../../workspace/Workspace.js"

/** Directories that were not there before a step which makes them, the outer ones first. */
export const Missing = Schema.Array(Schema.String)

/** The directories that have to be made for a place to which no symbolic link leads. */
export const missingAbove = (
  workspace: Workspace,
  { segments }: WorkspacePath
): Effect.Effect<ReadonlyArray<string>, PathFailure> =>
  Effect.gen(function*() {
    const above = segments.slice(0, -1).map((_, index) => fromSegments(segments.slice(0, index + 1)))
    for (const [index, path] of above.entries()) {
      if (Option.isNone(yield* workspace.kept.look(path))) return above.slice(index).map(({ display }) => display)
    }
    return []
  })

/** Whether any of them has been made. */
export const isAnyMade = (workspace: Workspace, [first]: ReadonlyArray<string>): Effect.Effect<boolean> =>
  first === undefined ? Effect.succeed(false) : workspace.resolve(first).pipe(
    Effect.flatMap(workspace.kept.look),
    Effect.map(Option.isSome),
    Effect.orElseSucceed(() => true)
  )

/** Deletes those that are empty; `temporary`: but for what a killed gateway was writing there. */
export const removeMade = (
  workspace: Workspace,
  made: ReadonlyArray<string>,
  options: { readonly temporary: boolean } = { temporary: false }
): Effect.Effect<void> =>
  Effect.forEach([...made].reverse(), (path) =>
    workspace.resolve(path).pipe(
      Effect.flatMap((directory) => workspace.kept.removeDirectory(directory, options)),
      Effect.catchAll(({ message }) => Effect.logWarning(`An empty directory stays: ${message}`))
    ), { discard: true })
