import type { SqlError } from "@effect/sql/SqlError"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import { builtIn } from "../catalogue/builtIn.js"
import { builtInProse } from "../catalogue/prose/builtIn.js"
import * as ApprovalQueue from "./approvals/ApprovalQueue.js"
import { type BackupKey, BackupPlace, type Place } from "./archive/BackupPlace.js"
import * as Audit from "./audit/Audit.js"
import { makeRegistrations } from "./capabilities/builtIn.js"
import * as Directory from "./capabilities/Directory.js"
import { sweepTrash } from "./capabilities/filesystem/trash.js"
import type { Registration } from "./capabilities/Handler.js"
import * as Pack from "./capabilities/Pack.js"
import * as ProcessTable from "./capabilities/process/ProcessTable.js"
import * as Registrations from "./capabilities/Registrations.js"
import * as HealthCheck from "./capabilities/system/healthCheck.js"
import * as MachineSampler from "./capabilities/system/Sampler.js"
import * as Core from "./Core.js"
import * as RunOnce from "./idempotency/RunOnce.js"
import { inOrder, mapService, scopedDiscard, service } from "./inOrder.js"
import type { InvalidPolicy } from "./policy/InvalidPolicy.js"
import { Policy } from "./policy/Policy.js"
import type { PolicyChoice } from "./policy/PolicyChoice.js"
import * as PolicyLayer from "./policy/policyLayer.js"
import * as Drain from "./protocol/drain.js"
import * as Methods from "./protocol/methods.js"
import type { EffectCheck } from "./recovery/EffectCheck.js"
import * as EffectChecks from "./recovery/EffectChecks.js"
import { sweepTemporaries } from "./recovery/sweepTemporaries.js"
import * as Turns from "./recovery/Turns.js"
import type { Sandbox, SandboxChoice } from "./sandbox/Sandbox.js"
import * as SandboxLayer from "./sandbox/sandboxLayer.js"
import * as Scheduler from "./scheduler/Scheduler.js"
import * as Sessions from "./sessions/Sessions.js"
import * as Workspaces from "./sessions/Workspaces.js"
import * as State from "./state/State.js"
import { Agents } from "./store/Agents.js"
import type { Alerts } from "./store/Alerts.js"
import type { ApprovalSummaries } from "./store/ApprovalSummaries.js"
import type { AuditPages } from "./store/AuditPages.js"
import type { GatewayInstance } from "./store/GatewayInstance.js"
import type { LibsqlDatabase } from "./store/LibsqlDatabase.js"
import type { PersistentState } from "./store/PersistentState.js"
import { Sessions as SessionRecords } from "./store/Sessions.js"
import type { SharedState } from "./store/SharedState.js"
import * as Store from "./store/Store.js"
import type { StoreUnavailable } from "./store/StoreUnavailable.js"
import type { Supervisors } from "./store/Supervisors.js"
import { Transactions as TransactionRecords } from "./store/Transactions.js"
import type { Trash } from "./store/Trash.js"
import * as HealthMonitor from "./supervision/healthMonitor.js"
import type { Bounds } from "./supervision/Ring.js"
import * as Supervision from "./supervision/Supervision.js"
import { SweepInterval } from "./SweepInterval.js"
import * as StateViews from "./transactions/stateViews.js"
import type { Transactions as OwnTransactions } from "./transactions/Transactions.js"
import * as Transactions from "./transactions/transactionsLayer.js"
import type { Undo } from "./transactions/Undo.js"
import { sweepKept } from "./transactions/undo/sweepKept.js"
import * as Undos from "./transactions/Undos.js"
import { type VaultKey, VaultPlace } from "./vault/VaultPlace.js"
import type { WorkspaceUnavailable } from "./workspace/WorkspaceUnavailable.js"

/** What stands in for parts of a core, in a gateway for tests. */
export interface Substitutes {
  /** What the store works with: open already, and open for longer than the core. */
  readonly database?: LibsqlDatabase | undefined
  /** What the gateway can carry out, by what it could. */
  readonly registrations?: ((own: ReadonlyArray<Registration>) => ReadonlyArray<Registration>) | undefined
  /** How capabilities are undone in transactions, by how the gateway itself does it. */
  readonly undos?: ((own: ReadonlyMap<string, Undo>) => ReadonlyMap<string, Undo>) | undefined
  /** How it is found out after a crash what capabilities have done, by how the gateway itself does it. */
  readonly effectChecks?: ((own: ReadonlyMap<string, EffectCheck>) => ReadonlyMap<string, EffectCheck>) | undefined
  readonly core?: ((own: Core.CoreService) => Core.CoreService) | undefined
  readonly methods?: ((own: Methods.MethodsService) => Methods.MethodsService) | undefined
}

/** What a gateway's core is made of. */
export interface CoreOptions {
  readonly workspace: string
  /** A file, or `:memory:`. */
  readonly database: string
  /** The directory of the gateway's data, links resolved, where it has one. */
  readonly dataDirectory: string | undefined
  readonly policy: PolicyChoice | undefined
  /** Hosts that agents may reach, besides those of the policy. */
  readonly allowedHosts?: ReadonlyArray<string> | undefined
  /** What backups are encrypted with; the key that is kept in the data directory unless given. */
  readonly backupKey?: BackupKey | undefined
  /** What programs run in; bubblewrap unless given, and no programs where there is none. */
  readonly sandbox?: SandboxChoice | undefined
  /** What secrets are encrypted with; the key that is kept in the data directory unless given. */
  readonly vaultKey?: VaultKey | undefined
  /** What the gateway serves besides its own capabilities. */
  readonly packs: ReadonlyArray<Pack.Pack>
  /** How many of the last events are kept for supervisors; 20,000 unless given. */
  readonly events?: Bounds | undefined
  readonly substitutes?: Substitutes | undefined
}

/** What the protocols need of the core. */
export type CoreServices =
  | ApprovalQueue.ApprovalQueue
  | Audit.Audit
  | Drain.Drain
  | HealthCheck.HealthCheck
  | Methods.Methods
  | RunOnce.RunOnce
  | Sessions.Sessions
  | Supervision.Supervision
  | OwnTransactions
  | Workspaces.Workspaces
  | Sandbox
  | Agents
  | Alerts
  | ApprovalSummaries
  | AuditPages
  | GatewayInstance
  | PersistentState
  | SessionRecords
  | SharedState
  | Supervisors

/** All that is in a core: what the protocols need, and what is behind it. */
export type CoreParts = CoreServices | State.State | Store.Store

const closeOrphans = Effect.gen(function*() {
  const records = yield* SessionRecords
  const count = yield* records.closeOrphans
  if (count > 0) yield* Effect.logInfo(`${count} sessions were left open by a gateway that stopped without ending them`)
})

/** When a gateway first clears away what is left of earlier ones: when it starts, unless it is known that there is nothing. */
export class FirstSweep extends Context.Reference<FirstSweep>()("kruxos/local/FirstSweep", {
  defaultValue: () => Duration.zero
}) {}

const forkSweep = <A, E, R>(sweep: Effect.Effect<A, E, R>) =>
  Effect.flatMap(
    FirstSweep,
    (first) => Effect.forkScoped(Duration.equals(first, Duration.zero) ? sweep : Effect.delay(sweep, first))
  )

const sweepTrashOften = Effect.gen(function*() {
  const agents = yield* Agents
  const workspaces = yield* Workspaces.Workspaces
  const workspaceOf = (name: string) =>
    agents.get(name).pipe(
      Effect.flatten,
      Effect.flatMap(workspaces.of),
      Effect.option
    )
  const sweep = Effect.scoped(sweepTrash(workspaceOf)).pipe(
    Effect.catchAll((cause) => Effect.logWarning("The trash was not swept", cause))
  )
  yield* forkSweep(Effect.repeat(sweep, Schedule.spaced(yield* SweepInterval)))
})

// The gateway's workspace and those of its agents, each once; one that cannot be opened is left out.
const everyWorkspace = Effect.gen(function*() {
  const agents = yield* Agents
  const workspaces = yield* Workspaces.Workspaces
  const own = yield* Effect.forEach(yield* agents.list, (agent) => Effect.option(workspaces.of(agent)))
  const all = [workspaces.shared, ...own.flatMap(Option.toArray)]
  return [...new Map(all.map((workspace) => [workspace.root, workspace])).values()]
})

// What a gateway that was killed was writing.
const sweepTemporaryFiles = everyWorkspace.pipe(
  Effect.flatMap(Effect.forEach((workspace) => sweepTemporaries(workspace))),
  Effect.scoped,
  Effect.catchAll((cause) => Effect.logWarning("Temporary files were not swept", cause)),
  forkSweep
)

// What killed gateways have kept for transactions that have ended since.
const sweepKeptOften = Effect.gen(function*() {
  const records = yield* TransactionRecords
  const context = yield* Effect.context<Agents | Trash | Workspaces.Workspaces>()
  const sweep = everyWorkspace.pipe(
    Effect.flatMap(Effect.forEach((workspace) => sweepKept(workspace, { isNeeded: records.isKept }))),
    Effect.scoped,
    Effect.provide(context),
    Effect.catchAll((cause) => Effect.logWarning("What transactions have kept was not swept", cause))
  )
  yield* forkSweep(Effect.repeat(sweep, Schedule.spaced(yield* SweepInterval)))
})

const backupPlaceOf = ({ backupKey: key, dataDirectory, database }: CoreOptions): Place | undefined =>
  dataDirectory === undefined ? undefined : { dataDirectory, database, key }

const vaultPlaceOf = ({ dataDirectory, vaultKey: key }: CoreOptions) =>
  dataDirectory === undefined ? undefined : { dataDirectory, key }

const mapped = <I, S, E, R>(tag: Context.Tag<I, S>, own: Layer.Layer<I, E, R>, f: ((own: S) => S) | undefined) =>
  f === undefined ? own : mapService(tag, own, f)

const coreOf = (options: CoreOptions, offer: Pack.Offer) => {
  const policy = PolicyLayer.layer({
    choice: options.policy,
    dataDirectory: options.dataDirectory,
    workspace: options.workspace,
    allowedHosts: options.allowedHosts,
    capabilities: Object.values(offer.catalogue)
  })
  const directory = service(
    Directory.Directory,
    Effect.map(Policy, (made) => Directory.make(offer.catalogue, offer.prose, made))
  )
  const { substitutes = {} } = options
  const registrations = Registrations.layer(Effect.map(makeRegistrations, (own) => {
    const all = [...own, ...options.packs.flatMap((pack) => pack.registrations)]
    return substitutes.registrations?.(all) ?? all
  })).pipe(
    Layer.provide(Layer.succeed(BackupPlace, backupPlaceOf(options))),
    Layer.provide(Layer.succeed(VaultPlace, vaultPlaceOf(options)))
  )
  const sweeps = scopedDiscard(Effect.all([sweepTemporaryFiles, sweepTrashOften, sweepKeptOften]))
  return inOrder((nothing, and) =>
    nothing.pipe(
      and(Store.layer({ filename: options.database, database: substitutes.database })),
      and(State.layer()),
      and(scopedDiscard(closeOrphans)),
      and(policy),
      and(Workspaces.layer(options.workspace, options.dataDirectory)),
      and(SandboxLayer.layer({ choice: options.sandbox, dataDirectory: options.dataDirectory })),
      and(ProcessTable.layer),
      and(MachineSampler.layer),
      and(HealthCheck.layer),
      and(Supervision.layer(options.events)),
      and(HealthMonitor.layer),
      and(directory),
      and(Sessions.layer),
      and(sweeps),
      and(Drain.layer),
      and(Audit.layer(options.dataDirectory)),
      and(Turns.layer),
      and(mapped(EffectChecks.EffectChecks, EffectChecks.layer, substitutes.effectChecks))
    ).pipe(
      // What was cut off is looked at before what is undone or goes on changes anything.
      and(RunOnce.layer),
      // What was left open is undone before what was approved goes on.
      and(mapped(Undos.Undos, Undos.layer, substitutes.undos)),
      and(StateViews.layer),
      and(Transactions.layer),
      and(registrations),
      and(ApprovalQueue.layer),
      and(mapped(Core.Core, Core.layer, substitutes.core)),
      and(Scheduler.layer),
      and(mapped(Methods.Methods, Methods.layer, substitutes.methods))
    )
  )
}

/** The gateway without a way in: everything behind the protocols. */
export const layer = (
  options: CoreOptions
): Layer.Layer<
  CoreParts,
  SqlError | StoreUnavailable | WorkspaceUnavailable | InvalidPolicy | Pack.PackConflict | Pack.InvalidCapabilityName
> =>
  Layer.unwrapEffect(
    Effect.map(Pack.join({ catalogue: builtIn, prose: builtInProse }, options.packs), (offer) => coreOf(options, offer))
  )
