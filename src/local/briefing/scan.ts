import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Workspace } from "../workspace/Workspace.js"

/** How many files are looked at. */
const mostFiles = 20_000

/** For how long, in milliseconds. */
const mostMillis = 500

// Files are dated by the clock's last tick, which may have been that many milliseconds before.
const tickMillis = 10

/** A file whose content changed: when it did at the latest, and when the file was made that has the name now, where that is known. */
export interface ChangedFile {
  readonly modified: number
  readonly made: number | undefined
}

/** The files whose content changed since a time, and whether all were looked at. Those that start with a dot are not. */
export const changedFiles = (
  workspace: Workspace,
  since: number
): Effect.Effect<{ readonly files: ReadonlyMap<string, ChangedFile>; readonly isWhole: boolean }> =>
  Effect.gen(function*() {
    const files = new Map<string, ChangedFile>()
    const millisOf = (time: DateTime.Utc) => DateTime.toEpochMillis(time) + tickMillis
    const begun = yield* Clock.currentTimeMillis
    const root = yield* workspace.resolve("/workspace")
    let looked = 0
    let isWhole = true
    yield* workspace.walk(root, { includeHidden: false }).pipe(
      Stream.mapEffect((file) => Effect.map(Clock.currentTimeMillis, (now) => ({ file, now }))),
      Stream.takeWhile(({ now }) => {
        isWhole = ++looked <= mostFiles && now - begun <= mostMillis
        return isWhole
      }),
      Stream.runForEach(({ file }) =>
        Effect.sync(() => {
          const modified = millisOf(file.modified)
          if (modified < since) return
          const made = file.created === undefined ? undefined : millisOf(file.created)
          files.set(file.path.display, { modified, made })
        })
      )
    )
    return { files, isWhole }
  }).pipe(
    Effect.catchAll((cause) =>
      Effect.as(Effect.logDebug("The workspace was not looked through for a briefing", cause), {
        files: new Map<string, ChangedFile>(),
        isWhole: false
      })
    )
  )
