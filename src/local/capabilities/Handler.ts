import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { AnyCatalogue, NameIn } from "../../catalogue/Catalogue.js"
import type { AnyCapability, ErrorOf, HandlerInputOf, OutputOf } from "../../catalogue/Capability.js"
import type {
  InvalidInput,
  NotReversible,
  PermissionDenied,
  ResourceExhausted,
  ServiceUnavailable
} from "../../errors/general.js"
import type { Agent } from "../store/Agents.js"
import type { Workspace } from "../workspace/Workspace.js"

/** Who invokes, and what belongs to them. */
export interface Invocation {
  readonly agent: Agent
  readonly sessionId: string
  readonly workspace: Workspace
  /** The session's scope: what an invocation leaves running (a watch) ends with it. */
  readonly sessionScope: Scope.Scope
}

/** What any handler may fail with, besides the errors that its capability lists. */
export type HandlerFailure = InvalidInput | NotReversible | PermissionDenied | ResourceExhausted | ServiceUnavailable

/**
 * What carries out a capability in the local gateway, typed by its catalogue entry. It is interrupted when the caller
 * cancels. Recovery actions that an error leaves empty are filled in from the catalogue.
 */
export type Handler<C extends AnyCapability> = (
  input: HandlerInputOf<C["inputs"]>,
  invocation: Invocation
) => Effect.Effect<OutputOf<C["outputs"]>, ErrorOf<C["errors"]> | HandlerFailure>

/** A handler for every capability of a catalogue. */
export type Handlers<C extends AnyCatalogue> = { readonly [Name in NameIn<C>]: Handler<C[Name]> }
