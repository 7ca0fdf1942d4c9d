import type * as DateTime from "effect/DateTime"
import type * as Scope from "effect/Scope"
import type { Agent } from "../store/Agents.js"
import type { Workspace } from "../workspace/Workspace.js"
import type { Usage } from "./usage.js"

/** An agent at work: from `initialize` to the end of its socket, or from `session.create` to `session.end`. */
export interface Session {
  readonly id: string
  readonly agent: Agent
  readonly connectedAt: DateTime.Utc
  readonly workspace: Workspace
  /** Ends with the session. */
  readonly scope: Scope.CloseableScope
  /** How many invocations the session has made so far. */
  readonly invocations: () => number
  readonly countInvocation: () => void
  readonly usage: () => Usage
}
