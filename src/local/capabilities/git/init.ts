import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { join } from "node:path"
import type * as git from "../../../catalogue/git.js"
import { DestinationExists } from "../../../errors/filesystem.js"
import { CapabilityError } from "../../../errors/general.js"
import { mountPoint } from "../../workspace/pathForm.js"
import { systemFailure } from "../../workspace/systemFailure.js"
import type { Handler } from "../Handler.js"
import { hasGit } from "./gitDirectory.js"
import { branchName } from "./names.js"
import { nowhere, placeOf, temporaryHome } from "./Repository.js"
import { runLocal } from "./run.js"
import { said } from "./said.js"

const exists = (path: string, what: string) => new DestinationExists({ message: `${path} ${what}`, path })

/** Makes a repository of a directory, which is made if need be; what is in it stays as it is, not yet a part of it. */
export const init: Handler<typeof git.init> = ({ default_branch, path }, { workspace }) =>
  Effect.gen(function*() {
    const branch = yield* branchName("default_branch", default_branch)
    const place = yield* placeOf(workspace, path)
    const host = join(workspace.root, ...place.segments)
    yield* Effect.flatten(Effect.catchAll(
      Effect.try({
        try: () => {
          const status = fs.lstatSync(host, { throwIfNoEntry: false })
          if (status !== undefined && !status.isDirectory()) return Effect.fail(exists(path, "is no directory"))
          return status !== undefined && hasGit(host) ? Effect.fail(exists(path, "is a repository")) : Effect.void
        },
        catch: (cause) => cause
      }),
      systemFailure({ path: place, operation: "look at", field: "path" })
    ))
    const home = yield* temporaryHome
    const ended = yield* runLocal({
      ...nowhere(home, workspace),
      args: ["init", "--quiet", "--template=", `--initial-branch=${branch}`, "--", host]
    })
    if (ended.code !== 0) {
      const reason = said(ended, workspace.root, [home])
      return yield* new CapabilityError({ type: "GitError", message: `The repository was not made: ${reason}` })
    }
    return { path: place.segments.length === 0 ? mountPoint : place.display, default_branch: branch }
  }).pipe(Effect.scoped)
