import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as RcMap from "effect/RcMap"
import type * as Scope from "effect/Scope"
import type { Agent } from "../store/Agents.js"
import * as Confined from "../workspace/confined.js"
import type { Workspace } from "../workspace/Workspace.js"
import type { WorkspaceUnavailable } from "../workspace/WorkspaceUnavailable.js"

/** The workspaces in use: the gateway's own, and those of agents that have one to themselves. */
export class Workspaces extends Context.Tag("kruxos/local/Workspaces")<Workspaces, {
  /** The agent's workspace, kept open until the scope ends. */
  readonly of: (agent: Agent) => Effect.Effect<Workspace, WorkspaceUnavailable, Scope.Scope>
  readonly shared: Workspace
}>() {}

/** Opens the gateway's workspace; those of agents are opened when first needed. */
export const layer = (root: string): Layer.Layer<Workspaces, WorkspaceUnavailable> =>
  Layer.scoped(
    Workspaces,
    Effect.gen(function*() {
      const opened = yield* RcMap.make({ lookup: (path: string) => Confined.make(path), idleTimeToLive: "1 minute" })
      const shared = yield* RcMap.get(opened, root)
      return { shared, of: (agent) => RcMap.get(opened, Option.getOrElse(agent.workspace, () => root)) }
    })
  )
