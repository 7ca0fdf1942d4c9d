import type * as DateTime from "effect/DateTime"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Turns } from "../../connection/Turns.js"
import type { Agent } from "../store/Agents.js"
import type { Workspace } from "../workspace/Workspace.js"
import type { Usage } from "./usage.js"

/**
 * An agent at work: from `initialize` to the end of the connection that it has last, which it outlives for a while where its client can
 * resume it; or from `session.create` to `session.end`.
 */
export interface Session {
  readonly id: string
  readonly agent: Agent
  readonly connectedAt: DateTime.Utc
  readonly workspace: Workspace
  /** Keeps the workspace open until the scope ends, also after the session. */
  readonly holdWorkspace: Effect.Effect<void, never, Scope.Scope>
  /** How many of the session's invocations run at a time; the others wait. */
  readonly turns: Turns
  /** Ends with the session. */
  readonly scope: Scope.CloseableScope
  /** How many invocations the session has made so far. */
  readonly invocations: () => number
  readonly countInvocation: () => void
  /** When it made the last of them, in milliseconds since 1970; when it began if there is none. */
  readonly lastActiveAt: () => number
  readonly usage: () => Usage
}
