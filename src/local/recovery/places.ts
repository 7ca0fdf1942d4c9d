import * as Effect from "effect/Effect"
import type { Workspace } from "../workspace/Workspace.js"

/** The names under which paths of a workspace are taken in turns: one for a file, whatever symbolic links lead to it. */
export const placesOf = (workspace: Workspace, paths: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<string>> =>
  Effect.forEach(paths, (path) =>
    workspace.resolve(path).pipe(
      Effect.flatMap((resolved) => workspace.kept.placeOf(resolved, { last: "followed" })),
      Effect.map(({ display }) => display),
      Effect.orElseSucceed(() => path),
      Effect.map((display) => `${workspace.root}\n${display}`)
    ))
