import * as Effect from "effect/Effect"
import * as Encoding from "effect/Encoding"
import { append, edit, write } from "../../../catalogue/filesystem.js"
import { absent, bytesOf, fileOf, isSame, type Look, look, missingAbove } from "./fileLook.js"
import { type Ask, know, notUndone, type Outcome, together, type Undo } from "./Knowledge.js"
import { type FileChange, lookBefore, sizeOf, undoFile } from "./undoFile.js"

/** What a step has left, which only looking can tell. */
const lookAfter = (ask: Ask, path: string): Effect.Effect<Look | undefined> =>
  Effect.orElseSucceed(look(ask, path), () => undefined)

const writing = know(write, {
  plan: ({ content, create_parents, encoding, path }, { ask }) =>
    Effect.gen(function*() {
      const before = yield* lookBefore(ask, path)
      const created = before._tag === "Absent" && create_parents ? yield* missingAbove(ask, path) : []
      const bytes = bytesOf(content, encoding)
      const written = bytes === undefined ? undefined : fileOf(bytes)
      return {
        size: sizeOf(before) + (bytes?.length ?? 0),
        ended: (outcome) =>
          Effect.gen(function*() {
            const isDone = outcome._tag === "Done"
            const after = written ?? (isDone ? yield* lookAfter(ask, path) : undefined)
            const shown = isDone ? outcome.output.path : undefined
            return undoFile(ask, { path, shown, before, after, created }, outcome)
          })
      }
    })
})

const joined = (before: Look, content: string): Look | undefined => {
  if (before._tag === "Absent") return fileOf(Encoding.encodeBase64(content))
  if (before._tag !== "File" || before.content === undefined) return undefined
  // Three bytes are four digits, so that what is whole need not be made again.
  const whole = before.content.length - (before.content.endsWith("=") ? 4 : 0)
  const rest = Encoding.decodeBase64(before.content.slice(whole))
  if (rest._tag === "Left") return undefined
  const added = new TextEncoder().encode(content)
  const bytes = new Uint8Array(rest.right.length + added.length)
  bytes.set(rest.right)
  bytes.set(added, rest.right.length)
  return fileOf(before.content.slice(0, whole) + Encoding.encodeBase64(bytes))
}

const appending = know(append, {
  plan: ({ content, path }, { ask }) =>
    Effect.gen(function*() {
      const before = yield* lookBefore(ask, path)
      const after = joined(before, content)
      return {
        size: sizeOf(before, after ?? absent),
        ended: (outcome) => {
          const shown = outcome._tag === "Done" ? outcome.output.path : undefined
          return Effect.succeed(undoFile(ask, { path, shown, before, after }, outcome))
        }
      }
    })
})

const undoAll = (ask: Ask, changes: ReadonlyArray<FileChange>, outcome: Outcome<unknown>): Undo =>
  Effect.map(Effect.forEach(changes, (change) => undoFile(ask, change, outcome)), together)

const unseen = notUndone("it has changed files that were not among those that it was going to change")

const editing = know(edit, {
  isHarmless: ({ dry_run }) => dry_run,
  plan: (input, { ask }) =>
    Effect.gen(function*() {
      // What is below a directory and would be changed, a preview tells.
      const paths = input.include_glob === undefined
        ? [input.path]
        : (yield* ask("filesystem.edit", { ...input, dry_run: true })).per_file.map(({ path }) => path)
      const before = yield* Effect.forEach(paths, (path) =>
        Effect.map(lookBefore(ask, path), (found) => ({ path, before: found })))
      return {
        size: 2 * sizeOf(...before.map((each) =>
          each.before
        )),
        ended: (outcome) =>
          Effect.gen(function*() {
            if (outcome._tag === "Failed") {
              return undoAll(ask, before.map((each) => ({ ...each, after: undefined })), outcome)
            }
            const edited = outcome._tag === "Done" ? outcome.output.per_file : []
            const isSingle = input.include_glob === undefined
            const known = new Set(paths)
            if (!isSingle && edited.some(({ path }) => !known.has(path))) return Effect.succeed(unseen)
            const changes = yield* Effect.forEach(before, (each) =>
              Effect.map(lookAfter(ask, each.path), (after): FileChange => ({
                ...each,
                shown: isSingle ? edited[0]?.path : undefined,
                after
              })))
            const changed = changes.filter(({ after, before }) => after === undefined || !isSame(before, after))
            // What is not known to have ended may still change them.
            return outcome._tag === "Unknown"
              ? undoAll(ask, changes, outcome)
              : changed.length === 0
              ? undefined
              : undoAll(ask, changed, outcome)
          })
      }
    })
})

/** How steps are undone that change what is in files. */
export const fileContents = [writing, appending, editing]
