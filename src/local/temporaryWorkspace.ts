import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import * as PathForm from "./workspace/pathForm.js"
import { WorkspaceUnavailable } from "./workspace/WorkspaceUnavailable.js"

/** Files by their paths, as an agent writes them: in the workspace, or below `/workspace`. */
export interface InitialFiles {
  readonly [path: string]: string | Uint8Array
}

const notWritable = (path: string, cause: unknown) =>
  new WorkspaceUnavailable({
    reason: "not-writable",
    path,
    message: `The temporary workspace cannot be written: ${cause instanceof Error ? cause.message : String(cause)}`,
    cause
  })

const invalidPath = (path: string, problem: string) =>
  new WorkspaceUnavailable({
    reason: "invalid-path",
    path,
    message: `${JSON.stringify(path.slice(0, 100))} is no file of a workspace: ${problem}`
  })

const placesOf = (files: InitialFiles) =>
  Either.all(
    Object.entries(files).map(([path, content]) =>
      PathForm.resolve(path).pipe(
        Either.mapLeft(({ message }) => invalidPath(path, message)),
        Either.filterOrLeft(
          ({ segments }) => segments.length > 0,
          () => invalidPath(path, "it is the workspace itself")
        ),
        Either.map(({ segments }) => ({ content, segments }))
      )
    )
  )

/** A new directory with those files, which goes with the scope, whatever is in it by then. */
export const make = (files: InitialFiles = {}): Effect.Effect<string, WorkspaceUnavailable, Scope.Scope> =>
  Effect.gen(function*() {
    const places = yield* placesOf(files)
    const root = yield* Effect.acquireRelease(
      Effect.try({
        try: () => fs.mkdtempSync(join(tmpdir(), "kruxos-test-")),
        catch: (cause) => notWritable(tmpdir(), cause)
      }),
      (directory) =>
        Effect.ignoreLogged(Effect.try(() => fs.rmSync(directory, { recursive: true, force: true, maxRetries: 3 })))
    )
    yield* Effect.try({
      try: () => {
        for (const { content, segments } of places) {
          const file = join(root, ...segments)
          fs.mkdirSync(dirname(file), { recursive: true })
          fs.writeFileSync(file, content)
        }
      },
      catch: (cause) => notWritable(root, cause)
    })
    return root
  })
