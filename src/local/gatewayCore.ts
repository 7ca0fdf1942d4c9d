import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { builtIn } from "../catalogue/builtIn.js"
import { builtInProse } from "../catalogue/prose/builtIn.js"
import { makeRegistrations } from "./capabilities/builtIn.js"
import * as Directory from "./capabilities/Directory.js"
import { sweepTrash } from "./capabilities/filesystem/trash.js"
import * as Pack from "./capabilities/Pack.js"
import * as Core from "./Core.js"
import * as Policy from "./policy/Policy.js"
import * as Methods from "./protocol/methods.js"
import * as Sessions from "./sessions/Sessions.js"
import * as Workspaces from "./sessions/Workspaces.js"
import { Agents } from "./store/Agents.js"
import { Sessions as SessionRecords } from "./store/Sessions.js"
import * as Store from "./store/Store.js"
import type { StoreUnavailable } from "./store/StoreUnavailable.js"
import type { WorkspaceUnavailable } from "./workspace/WorkspaceUnavailable.js"

/**
 * Which tier an invocation has: what the catalogue says of its capability, or `autonomous` whatever it is (`allow-all`), for
 * agents that are trusted with everything in the workspace.
 */
export type PolicyChoice = "catalogue" | "allow-all"

/** What a gateway's core is made of. */
export interface CoreOptions {
  readonly workspace: string
  /** A file, or `:memory:`. */
  readonly database: string
  /** The directory of the gateway's data, links resolved, where it has one. */
  readonly dataDirectory: string | undefined
  readonly policy: PolicyChoice
  /** What the gateway serves besides its own capabilities. */
  readonly packs: ReadonlyArray<Pack.Pack>
}

/** What the protocols need of the core. */
export type CoreServices = Methods.Methods | Sessions.Sessions | Agents

const policyOf = (choice: PolicyChoice, { catalogue }: Pack.Offer): Policy.PolicyService =>
  choice === "allow-all" ? Policy.allowAll : Policy.catalogueTiers(Object.values(catalogue))

const warnIfAllowAll = (choice: PolicyChoice) =>
  choice === "allow-all"
    ? Effect.logWarning("allow-all: every capability of every tier runs without asking a human")
    : Effect.void

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

const coreOf = (options: CoreOptions, offer: Pack.Offer) => {
  const policy = Layer.sync(Policy.Policy, () => policyOf(options.policy, offer))
  const directory = Layer.effect(
    Directory.Directory,
    Effect.map(Policy.Policy, (made) => Directory.make(offer.catalogue, offer.prose, made))
  )
  const registrations = Effect.map(makeRegistrations, (own) => [
    ...own,
    ...options.packs.flatMap((pack) => pack.registrations)
  ])
  const core = Layer.scoped(Core.Core, Effect.flatMap(registrations, Core.make))
  return Methods.layer.pipe(
    Layer.provide(core),
    Layer.provideMerge(Layer.merge(Sessions.layer, Layer.scopedDiscard(sweepTrashHourly))),
    Layer.provide([directory, Workspaces.layer(options.workspace, options.dataDirectory)]),
    Layer.provide([
      policy,
      Layer.effectDiscard(closeOrphans),
      Layer.effectDiscard(warnIfAllowAll(options.policy))
    ]),
    Layer.provideMerge(Store.layer({ filename: options.database }))
  )
}

/** The gateway without a way in: everything behind the protocols. */
export const layer = (
  options: CoreOptions
): Layer.Layer<
  CoreServices,
  SqlError | StoreUnavailable | WorkspaceUnavailable | Pack.PackConflict | Pack.InvalidCapabilityName
> =>
  Layer.unwrapEffect(
    Effect.map(Pack.join({ catalogue: builtIn, prose: builtInProse }, options.packs), (offer) => coreOf(options, offer))
  )
