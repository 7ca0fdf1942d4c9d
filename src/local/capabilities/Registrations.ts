import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { scopedService } from "../inOrder.js"
import type { Registration } from "./Handler.js"

/** What the gateway can carry out, by name. */
export class Registrations
  extends Context.Tag("kruxos/local/Registrations")<Registrations, ReadonlyMap<string, Registration>>()
{}

export const layer = <E, R>(
  registrations: Effect.Effect<ReadonlyArray<Registration>, E, R>
): Layer.Layer<Registrations, E, Exclude<R, Scope.Scope>> =>
  scopedService(
    Registrations,
    Effect.map(registrations, (all) => new Map(all.map((registration) => [registration.capability.name, registration])))
  )
