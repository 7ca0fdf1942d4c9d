import type { SqlError } from "@effect/sql/SqlError"
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
import * as Pack from "./capabilities/Pack.js"
import * as Registrations from "./capabilities/Registrations.js"
import * as HealthCheck from "./capabilities/system/healthCheck.js"
import * as MachineSampler from "./capabilities/system/Sampler.js"
import * as Core from "./Core.js"
import * as RunOnce from "./idempotency/RunOnce.js"
import type { InvalidPolicy } from "./policy/InvalidPolicy.js"
import { Policy } from "./policy/Policy.js"
import type { PolicyChoice } from "./policy/PolicyChoice.js"
import * as PolicyLayer from "./policy/policyLayer.js"
import * as Drain from "./protocol/drain.js"
import * as Methods from "./protocol/methods.js"
import * as EffectChecks from "./recovery/EffectChecks.js"
import { sweepTemporaries } from "./recovery/sweepTemporaries.js"
import * as Sessions from "./sessions/Sessions.js"
import * as Workspaces from "./sessions/Workspaces.js"
import * as State from "./state/State.js"
import { Agents } from "./store/Agents.js"
import type { ApprovalSummaries } from "./store/ApprovalSummaries.js"
import type { AuditPages } from "./store/AuditPages.js"
import type { GatewayInstance } from "./store/GatewayInstance.js"
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
import * as StateViews from "./transactions/stateViews.js"
import type { Transactions as OwnTransactions } from "./transactions/Transactions.js"
import * as Transactions from "./transactions/transactionsLayer.js"
import { sweepKept } from "./transactions/undo/sweepKept.js"
import * as Undos from "./transactions/Undos.js"
import type { WorkspaceUnavailable } from "./workspace/WorkspaceUnavailable.js"

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
  /** What the gateway serves besides its own capabilities. */
  readonly packs: ReadonlyArray<Pack.Pack>
  /** How many of the last events are kept for supervisors; 20,000 unless given. */
  readonly events?: Bounds | undefined
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
  | Agents
  | ApprovalSummaries
  | AuditPages
  | GatewayInstance
  | PersistentState
  | SessionRecords
  | SharedState
  | Supervisors

const closeOrphans = Effect.gen(function*() {
  const records = yield* SessionRecords
  const count = yield* records.closeOrphans
  if (count > 0) yield* Effect.logInfo(`${count} sessions were left open by a gateway that stopped without ending them`)
})

// Hourly is often enough for what is kept a day.
const sweepTrashHourly = Effect.gen(function*() {
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
  yield* Effect.forkScoped(Effect.repeat(sweep, Schedule.spaced("1 hour")))
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
  Effect.forkScoped
)

// What killed gateways have kept for transactions that have ended since.
const sweepKeptHourly = Effect.gen(function*() {
  const records = yield* TransactionRecords
  const context = yield* Effect.context<Agents | Trash | Workspaces.Workspaces>()
  const sweep = everyWorkspace.pipe(
    Effect.flatMap(Effect.forEach((workspace) => sweepKept(workspace, { isNeeded: records.isKept }))),
    Effect.scoped,
    Effect.provide(context),
    Effect.catchAll((cause) => Effect.logWarning("What transactions have kept was not swept", cause))
  )
  yield* Effect.forkScoped(Effect.repeat(sweep, Schedule.spaced("1 hour")))
})

const backupPlaceOf = ({ backupKey: key, dataDirectory, database }: CoreOptions): Place | undefined =>
  dataDirectory === undefined ? undefined : { dataDirectory, database, key }

const coreOf = (options: CoreOptions, offer: Pack.Offer) => {
  const policy = PolicyLayer.layer({
    choice: options.policy,
    dataDirectory: options.dataDirectory,
    workspace: options.workspace,
    allowedHosts: options.allowedHosts,
    capabilities: Object.values(offer.catalogue)
  })
  const directory = Layer.effect(
    Directory.Directory,
    Effect.map(Policy, (made) => Directory.make(offer.catalogue, offer.prose, made))
  )
  const registrations = Registrations.layer(Effect.map(makeRegistrations, (own) => [
    ...own,
    ...options.packs.flatMap((pack) => pack.registrations)
  ])).pipe(Layer.provide(Layer.succeed(BackupPlace, backupPlaceOf(options))))
  const transactions = Layer.provide(Transactions.layer, [Undos.layer, StateViews.layer])
  return Methods.layer.pipe(
    Layer.provide(Core.layer),
    Layer.provideMerge(ApprovalQueue.layer),
    Layer.provide(registrations),
    // What was left open is undone before what was approved goes on.
    Layer.provideMerge(transactions),
    // What was cut off is looked at before what is undone or goes on changes anything.
    Layer.provideMerge(RunOnce.layer),
    Layer.provideMerge(EffectChecks.layer),
    Layer.provideMerge(Audit.layer(options.dataDirectory)),
    Layer.provideMerge(Drain.layer),
    Layer.provideMerge(
      Layer.merge(
        Sessions.layer,
        Layer.scopedDiscard(Effect.all([sweepTemporaryFiles, sweepTrashHourly, sweepKeptHourly]))
      )
    ),
    Layer.provide([directory, HealthMonitor.layer]),
    Layer.provideMerge(Supervision.layer(options.events)),
    Layer.provideMerge(Layer.provideMerge(HealthCheck.layer, MachineSampler.layer)),
    Layer.provideMerge(Workspaces.layer(options.workspace, options.dataDirectory)),
    Layer.provide([
      policy,
      State.layer(),
      Layer.effectDiscard(closeOrphans)
    ]),
    Layer.provideMerge(Store.layer({ filename: options.database }))
  )
}

/** The gateway without a way in: everything behind the protocols. */
export const layer = (
  options: CoreOptions
): Layer.Layer<
  CoreServices,
  SqlError | StoreUnavailable | WorkspaceUnavailable | InvalidPolicy | Pack.PackConflict | Pack.InvalidCapabilityName
> =>
  Layer.unwrapEffect(
    Effect.map(Pack.join({ catalogue: builtIn, prose: builtInProse }, options.packs), (offer) => coreOf(options, offer))
  )
