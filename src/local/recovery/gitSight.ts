import * as Effect from "effect/Effect"
import { open, type OpenFailure, type Repository } from "../capabilities/git/Repository.js"
import type { Workspace } from "../workspace/Workspace.js"
import * as EffectCheck from "./EffectCheck.js"

/** Looks at the repository that a path is in. */
export const within = <A, E>(
  workspace: Workspace,
  path: string,
  look: (repository: Repository) => Effect.Effect<A, E>
): Effect.Effect<A, E | OpenFailure> => Effect.scoped(Effect.flatMap(open(workspace, path), look))

/** Somebody else was there. */
export const moved = (path: string) => EffectCheck.unknown(`${path} was changed again since`)
