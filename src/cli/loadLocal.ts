import * as Effect from "effect/Effect"
import { type CommandFailed, failed } from "./exit.js"
import { oneLine } from "./text.js"

/** Why a part of the local gateway cannot be loaded. */
export const explainMissing = (cause: unknown): CommandFailed =>
  failed(oneLine(
    `The local gateway cannot be loaded: run \`npm install kruxos\` without --omit=optional `
      + `(${cause instanceof Error ? cause.message : String(cause)})`
  ))

/**
 * Loads a part of the local gateway: when needed, since it is large, and its dependencies may have been left out of the
 * installation.
 */
export const loadLocal = <Module>(load: () => Promise<Module>): Effect.Effect<Module, CommandFailed> =>
  Effect.tryPromise({ try: load, catch: explainMissing })
