import * as NodeContext from "@effect/platform-node/NodeContext"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { audited } from "./audit/agents.js"
import * as DataDirectory from "./data/DataDirectory.js"
import * as Workspaces from "./sessions/Workspaces.js"
import { Agents, type AgentsService } from "./store/Agents.js"
import { AuditLog } from "./store/AuditLog.js"
import * as Store from "./store/Store.js"
import type { StoreUnavailable } from "./store/StoreUnavailable.js"
import type { WorkspaceUnavailable } from "./workspace/WorkspaceUnavailable.js"

export type { Agent } from "./store/Agents.js"

/** An agent's new key. */
export interface Rotated {
  readonly apiKey: Redacted.Redacted<string>
  /** Why the gateway's own copy of the key, where there is one, is still the old key. */
  readonly copyFailed: Option.Option<DataDirectory.DataDirectoryUnavailable>
}

/**
 * The agents of a data directory, for whoever looks after it: also while a gateway runs on it, which sees what is changed
 * within 200 ms.
 */
export interface Administration {
  readonly path: string
  /** As `AgentsService.create`; a workspace of the agent's own is checked first. */
  readonly create: (
    ...args: Parameters<AgentsService["create"]>
  ) => Effect.Effect<
    Effect.Effect.Success<ReturnType<AgentsService["create"]>>,
    Effect.Effect.Error<ReturnType<AgentsService["create"]>> | WorkspaceUnavailable
  >
  readonly list: AgentsService["list"]
  /** Replaces an agent's key, and the copy of it that the gateway keeps for its own agent. */
  readonly rotate: (
    name: string
  ) => Effect.Effect<Rotated, Effect.Effect.Error<ReturnType<AgentsService["rotate"]>>>
  readonly revoke: AgentsService["revoke"]
  readonly pause: AgentsService["pause"]
  readonly resume: AgentsService["resume"]
}

/** What administration can fail with before it begins. */
export type AdministrationUnavailable = DataDirectory.DataDirectoryUnavailable | StoreUnavailable

const make = (agents: AgentsService, data: DataDirectory.DataDirectory): Administration => {
  const checkWorkspace = (path: string) => Effect.scoped(Layer.build(Workspaces.layer(path, data.realPath)))

  const replaceCopy = (name: string, apiKey: Redacted.Redacted<string>) =>
    Effect.flatMap(
      data.readKey(name),
      (kept) => Option.isSome(kept) ? data.writeKey(name, apiKey) : Effect.void
    )
  return {
    path: data.path,
    create: (agent) =>
      Effect.zipRight(
        agent.workspace === undefined ? Effect.void : checkWorkspace(agent.workspace),
        agents.create(agent)
      ),
    list: agents.list,
    rotate: (name) =>
      Effect.gen(function*() {
        const apiKey = yield* agents.rotate(name)
        const copied = yield* Effect.either(replaceCopy(name, apiKey))
        return { apiKey, copyFailed: Either.getLeft(copied) }
      }),
    revoke: agents.revoke,
    pause: agents.pause,
    resume: agents.resume
  }
}

/**
 * Opens the store of a data directory until the scope ends. A directory that holds none is made (`ifMissing: "make"`), or
 * is a failure.
 */
export const open = (
  directory: string,
  { ifMissing }: { readonly ifMissing: "make" | "fail" }
): Effect.Effect<Administration, AdministrationUnavailable, Scope.Scope> =>
  Effect.gen(function*() {
    const data = yield* ifMissing === "make" ? DataDirectory.open(directory) : DataDirectory.openExisting(directory)
    const store = yield* Layer.build(Store.layer({ filename: data.database }))
    return make(audited(Context.get(store, Agents), Context.get(store, AuditLog)), data)
  }).pipe(Effect.provide(NodeContext.layer))
