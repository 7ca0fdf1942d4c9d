import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as fs from "node:fs"
import type { Root } from "./descend.js"
import * as directories from "./directories.js"
import { hold, type Holding, strongestHolding } from "./Directory.js"
import * as files from "./files.js"
import * as keptFiles from "./givingBack.js"
import { resolve } from "./pathForm.js"
import { codeOf } from "./systemFailure.js"
import * as trash from "./trashFolder.js"
import type { Workspace } from "./Workspace.js"
import { WorkspaceUnavailable } from "./WorkspaceUnavailable.js"

const unavailable = (path: string, cause: unknown): WorkspaceUnavailable => {
  switch (codeOf(cause)) {
    case "ENOENT":
      return new WorkspaceUnavailable({ reason: "missing", path, message: `There is no directory at ${path}`, cause })
    case "ENOTDIR":
      return new WorkspaceUnavailable({ reason: "not-a-directory", path, message: `${path} is not a directory`, cause })
    default:
      return new WorkspaceUnavailable({ reason: "not-readable", path, message: `${path} cannot be read`, cause })
  }
}

const holdRoot = (path: string, holding: Holding): Root => {
  const realPath = fs.realpathSync.native(path)
  fs.opendirSync(realPath).closeSync()
  fs.accessSync(realPath, fs.constants.R_OK | fs.constants.X_OK)
  return { realPath, directory: hold(realPath, holding) }
}

/**
 * Makes a directory of the host a {@link Workspace}. It is held until the scope ends: one that is renamed meanwhile stays
 * the workspace. `holding` is the strongest guard that the system has, unless given.
 *
 * What it cannot tell apart: a hard link to a file that lies outside is a file of the workspace like any other.
 *
 * Fails with WorkspaceUnavailable where there is no directory or the gateway may not read it, and on Windows.
 */
export const make = (
  root: string,
  { holding = strongestHolding() }: { readonly holding?: Holding } = {}
): Effect.Effect<Workspace, WorkspaceUnavailable, Scope.Scope> => {
  if (process.platform === "win32") {
    const message = "Paths cannot be confined on Windows: run the gateway in the Windows Subsystem for Linux"
    return Effect.fail(new WorkspaceUnavailable({ reason: "unsupported", path: root, message }))
  }
  return Effect.acquireRelease(
    Effect.try({ try: () => holdRoot(root, holding), catch: (cause) => unavailable(root, cause) }),
    ({ directory }) => Effect.sync(directory.close)
  ).pipe(
    Effect.map((held): Workspace => ({
      root: held.realPath,
      resolve,
      ...directories.make(held),
      ...files.make(held),
      ...trash.make(held),
      kept: keptFiles.make(held)
    }))
  )
}
