import * as Effect from "effect/Effect"
import { copy, move, remove, restore } from "../../../catalogue/filesystem.js"
import type { KruxosError } from "../../../errors/KruxosError.js"
import { absent, isSame, type Look, look } from "./fileLook.js"
import {
  asBefore,
  type Ask,
  cannotUndo,
  conflict,
  know,
  nothingDone,
  notUndone,
  type Undo,
  type Undone,
  undone
} from "./Knowledge.js"
import { changedAt, lookBefore, putBack, sizeOf, undoFile } from "./undoFile.js"

const none = Effect.succeed(undefined)

const lookAfter = (ask: Ask, path: string): Effect.Effect<Look | undefined> =>
  Effect.orElseSucceed(look(ask, path), () => undefined)

// Without `overwrite` a step fails where something is.
const lookAtDestination = (ask: Ask, path: string, overwrite: boolean) =>
  overwrite ? lookBefore(ask, path) : look(ask, path, { withContent: false })

const copying = know(copy, {
  plan: ({ destination: path, overwrite, source }, { ask }) =>
    Effect.map(lookAtDestination(ask, path, overwrite), (before) => ({
      size: sizeOf(before),
      ended: (outcome) => {
        switch (outcome._tag) {
          case "Failed":
            return none
          case "Done":
            return Effect.map(
              lookAfter(ask, path),
              (after) => undoFile(ask, { path, shown: outcome.output.destination, before, after }, outcome)
            )
          case "Unknown":
            // If it was made, it is what the source is.
            return Effect.succeed(
              Effect.flatMap(look(ask, source), (after) => undoFile(ask, { path, before, after }, outcome))
            )
        }
      }
    }))
})

/** Moves back what is at `destination`, and puts there what was there before. */
const moveBack = (ask: Ask, source: string, destination: string, before: Look): Effect.Effect<Undone, KruxosError> =>
  ask("filesystem.move", { source: destination, destination: source }).pipe(
    Effect.zipRight(before._tag === "Absent" ? Effect.succeed(undone) : putBack(ask, destination, before)),
    Effect.catchTag("DestinationExists", () => Effect.succeed(conflict({ resource: source })))
  )

const moving = know(move, {
  plan: ({ destination, overwrite, source }, { ask }) =>
    Effect.gen(function*() {
      const from = yield* look(ask, source, { withContent: false })
      const before = yield* lookAtDestination(ask, destination, overwrite)
      const undo = (after: Look | undefined, isDone: boolean): Undo =>
        Effect.gen(function*() {
          const there = yield* look(ask, source)
          const here = yield* look(ask, destination)
          if (!isDone && isSame(there, from) && isSame(here, before)) return nothingDone
          if (there._tag === "Absent") {
            return after !== undefined && (isSame(here, after) || (isSame(from, here) && after === from))
              ? yield* moveBack(ask, source, destination, before)
              : conflict(changedAt(ask, destination, before))
          }
          if (isSame(here, before)) return isDone ? undone : nothingDone
          // An undo that was cut off has moved it back, and not yet put back what was at the destination.
          return isDone && here._tag === "Absent" && after !== undefined && isSame(there, after)
            ? yield* putBack(ask, destination, before)
            : conflict({
              resource: source,
              savedAs: after !== undefined && isSame(here, after) ? destination : undefined
            })
        })
      return {
        size: sizeOf(before),
        ended: (outcome) => {
          switch (outcome._tag) {
            case "Failed":
              return none
            case "Done":
              return Effect.map(lookAfter(ask, destination), (after) => undo(after, true))
            case "Unknown":
              return Effect.succeed(undo(from, false))
          }
        }
      }
    })
})

const deleting = know(remove, {
  plan: ({ path }, { ask }) =>
    Effect.map(look(ask, path), (before) => ({
      size: sizeOf(before),
      ended: (outcome) => {
        if (outcome._tag === "Failed") return none
        const trashPath = outcome._tag === "Done" ? outcome.output.trash_path : undefined
        const restoring: Effect.Effect<Undone, KruxosError> = trashPath === undefined
          ? putBack(ask, path, before)
          : Effect.as(ask("filesystem.restore", { trash_path: trashPath }), undone)
        return Effect.succeed(Effect.flatMap(look(ask, path), (now) => {
          if (now._tag === "Absent") return before._tag === "Absent" ? Effect.succeed(nothingDone) : restoring
          return Effect.succeed(
            isSame(now, before) ? asBefore(outcome) : conflict(
              trashPath === undefined ? changedAt(ask, path, before) : { resource: path, savedAs: trashPath }
            )
          )
        }))
      }
    }))
})

const restoring = know(restore, {
  plan: ({ overwrite }, { ask }) =>
    overwrite
      ? cannotUndo("it replaces what is at a path that only the gateway knows; without overwrite it can be undone")
      : Effect.succeed({
        size: 0,
        ended: (outcome) => {
          switch (outcome._tag) {
            case "Failed":
              return none
            case "Unknown":
              return Effect.succeed(
                Effect.succeed(notUndone("nobody knows whether and where it has restored anything"))
              )
            case "Done": {
              const path = outcome.output.restored_path
              return Effect.map(
                lookAfter(ask, path),
                (after) => undoFile(ask, { path, before: absent, after }, outcome)
              )
            }
          }
        }
      })
})

/** How steps are undone that change where files are. */
export const filePlaces = [copying, moving, deleting, restoring]
