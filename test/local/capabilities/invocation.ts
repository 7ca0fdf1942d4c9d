import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Invocation } from "../../../src/local/capabilities/Handler.js"
import type { Workspace } from "../../../src/local/workspace/Workspace.js"

const notUsed = () => Effect.dieMessage("this handler was not expected to use the workspace's files")

const kept: Workspace["kept"] = {
  placeOf: notUsed,
  look: notUsed,
  glance: notUsed,
  lookInTrash: notUsed,
  keep: notUsed,
  putBack: notUsed,
  moveBack: notUsed,
  cutBack: notUsed,
  remove: notUsed,
  removeDirectory: notUsed,
  names: notUsed()
}

const untouched = (root: string): Workspace => ({
  root,
  kept,
  resolve: notUsed,
  status: notUsed,
  entries: notUsed,
  walk: () => Stream.dieMessage("this handler was not expected to walk the workspace"),
  read: notUsed,
  write: notUsed,
  fill: notUsed,
  append: notUsed,
  copy: notUsed,
  move: notUsed,
  moveToTrash: notUsed,
  restoreFromTrash: notUsed,
  dropFromTrash: notUsed
})

/** An invocation by the agent of that name, for handlers that leave the files of the workspace alone. */
export const invocationBy = (
  agent: string,
  root = "/there/is/no/such/workspace"
): Effect.Effect<Invocation, never, Scope.Scope> =>
  Effect.map(Effect.scope, (sessionScope) => ({
    agent: {
      name: agent,
      purpose: "",
      policyGroup: "default",
      workspace: Option.none(),
      status: "active",
      keyGeneration: 1,
      createdAt: DateTime.unsafeMake(0)
    },
    sessionId: "session",
    sessionScope,
    workspace: untouched(root),
    connectedAt: DateTime.unsafeMake(0),
    invocations: () => 1,
    usage: () => ({ cpuMillis: 0, memoryBytes: 0, bytesRead: 0, bytesWritten: 0 })
  }))
