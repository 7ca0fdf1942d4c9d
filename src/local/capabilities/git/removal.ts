import * as fs from "node:fs"
import { dirname } from "node:path"
import { type Directory, hold, strongestHolding } from "../../workspace/Directory.js"
import { isReserved } from "../../workspace/pathForm.js"
import { codeOf } from "../../workspace/systemFailure.js"
import { removeTree } from "../../workspace/trashFolder.js"
import type { Workspace } from "../../workspace/Workspace.js"

/** How many directories above a path of the host, below the root, are not there. */
export const missingAbove = (root: string, host: string): number => {
  let count = 0
  for (
    let above = dirname(host);
    above !== root && above.startsWith(root) && !fs.existsSync(above);
    above = dirname(above)
  ) {
    count++
  }
  return count
}

// Directory by directory, so that no link that somebody puts there meanwhile leads out of the workspace.
const within = <A>({ root }: Workspace, segments: ReadonlyArray<string>, use: (directory: Directory) => A): A => {
  const held = [hold(root, strongestHolding())]
  try {
    return use(segments.reduce((above, name) => {
      const next = above.child(name)
      held.push(next)
      return next
    }, held[0] ?? hold(root, strongestHolding())))
  } finally {
    for (const directory of held) directory.close()
  }
}

const unlessGone = (action: () => void): void => {
  try {
    action()
  } catch (cause) {
    if (codeOf(cause) !== "ENOENT") throw cause
  }
}

/** Deletes all that is in a directory of the workspace but what is the gateway's, and with `itself` the directory. Throws what the system says. */
export const removeBelow = (
  workspace: Workspace,
  segments: ReadonlyArray<string>,
  { itself }: { readonly itself: boolean }
): void =>
  unlessGone(() => {
    const last = segments.at(-1)
    if (itself && last !== undefined) {
      return within(workspace, segments.slice(0, -1), (directory) => removeTree(directory, last))
    }
    within(workspace, segments, (directory) => {
      for (const name of fs.readdirSync(directory.at("."))) {
        if (segments.length > 0 || !isReserved(name)) removeTree(directory, name)
      }
    })
  })

/** Deletes directories above a path, as many as are empty and at most so many. Throws what the system says. */
export const removeEmptyAbove = (workspace: Workspace, segments: ReadonlyArray<string>, count: number): void => {
  for (let length = segments.length - 1; length > 0 && length >= segments.length - count; length--) {
    const name = segments[length - 1] ?? ""
    try {
      within(workspace, segments.slice(0, length - 1), (directory) => fs.rmdirSync(directory.at(name)))
    } catch (cause) {
      if (codeOf(cause) === "ENOTEMPTY" || codeOf(cause) === "ENOENT") return
      throw cause
    }
  }
}
