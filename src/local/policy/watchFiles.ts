import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { unwatchFile, watchFile } from "node:fs"

/** Sets which paths are watched from now on. */
export type SetWatched = (paths: Iterable<string>) => void

/**
 * Tells when files or directories change, appear, are replaced or vanish, until the scope ends. The system looks at them every so many
 * milliseconds: what tells of events instead knows nothing of some file systems, and nothing of what is not there yet.
 */
export const watchFiles = (interval: number, onChange: () => void): Effect.Effect<SetWatched, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => new Set<string>()),
      (watched) =>
        Effect.sync(() => {
          for (const path of watched) unwatchFile(path, onChange)
        })
    ),
    (watched): SetWatched => (paths) => {
      const wanted = new Set(paths)
      for (const path of watched) {
        if (wanted.has(path)) continue
        unwatchFile(path, onChange)
        watched.delete(path)
      }
      for (const path of wanted) {
        if (watched.has(path)) continue
        watchFile(path, { interval, persistent: false }, onChange)
        watched.add(path)
      }
    }
  )
