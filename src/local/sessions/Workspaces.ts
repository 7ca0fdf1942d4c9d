import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as RcMap from "effect/RcMap"
import type * as Scope from "effect/Scope"
import { isAbsolute, join, relative, sep } from "node:path"
import { scopedService } from "../inOrder.js"
import type { Agent } from "../store/Agents.js"
import * as Confined from "../workspace/confined.js"
import { dataFolder } from "../workspace/pathForm.js"
import type { Workspace } from "../workspace/Workspace.js"
import { WorkspaceUnavailable } from "../workspace/WorkspaceUnavailable.js"

/** The workspaces in use: the gateway's own, and those of agents that have one to themselves. */
export class Workspaces extends Context.Tag("kruxos/local/Workspaces")<Workspaces, {
  /** The agent's workspace, kept open until the scope ends. */
  readonly of: (agent: Agent) => Effect.Effect<Workspace, WorkspaceUnavailable, Scope.Scope>
  readonly shared: Workspace
}>() {}

const isWithin = (directory: string, path: string): boolean => {
  const below = relative(directory, path)
  return below !== ".." && !below.startsWith(`..${sep}`) && !isAbsolute(below)
}

// Agents see nothing of the folder that is kept for the gateway's data, and everything else.
const holdsData = ({ root }: Workspace, dataDirectory: string): boolean =>
  (isWithin(root, dataDirectory) && relative(root, dataDirectory) !== dataFolder) || isWithin(dataDirectory, root)

const exposed = (root: string, dataDirectory: string) =>
  new WorkspaceUnavailable({
    reason: "holds-data",
    path: root,
    message: `The gateway's data in ${dataDirectory} would be part of the workspace ${root}: keep it in ${
      join(root, dataFolder)
    }, or outside`
  })

/**
 * Opens the gateway's workspace; those of agents are opened when first needed. None of them may expose the directory of the
 * gateway's data.
 */
export const layer = (
  root: string,
  dataDirectory: string | undefined
): Layer.Layer<Workspaces, WorkspaceUnavailable> =>
  scopedService(
    Workspaces,
    Effect.gen(function*() {
      const open = (path: string) =>
        Effect.filterOrFail(
          Confined.make(path),
          (workspace) => dataDirectory === undefined || !holdsData(workspace, dataDirectory),
          () => exposed(path, dataDirectory ?? "")
        )
      const opened = yield* RcMap.make({ lookup: open, idleTimeToLive: "1 minute" })
      const shared = yield* RcMap.get(opened, root)
      return { shared, of: (agent) => RcMap.get(opened, Option.getOrElse(agent.workspace, () => root)) }
    })
  )
