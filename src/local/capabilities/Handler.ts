import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import {
  type AnyCapability,
  type ErrorOf,
  type HandlerInputOf,
  inputField,
  type OutputOf
} from "../../catalogue/Capability.js"
import type { AnyCatalogue, NameIn } from "../../catalogue/Catalogue.js"
import { invalidInputOf } from "../../catalogue/invalidInput.js"
import { wireTypeOf } from "../../catalogue/wireType.js"
import {
  type CapabilityError,
  InvalidInput,
  type NotReversible,
  type PermissionDenied,
  type PolicyDenied,
  type ResourceExhausted,
  ServiceUnavailable
} from "../../errors/general.js"
import type { KruxosError } from "../../errors/KruxosError.js"
import type { ReportProgress } from "../progress.js"
import type { Session } from "../sessions/Session.js"
import { outputWriter } from "./outputWriter.js"

/** Who invokes, and what belongs to them. */
export interface Invocation extends Pick<Session, "agent" | "workspace" | "connectedAt" | "invocations" | "usage"> {
  readonly sessionId: string
  /** The request for approval that this carries out, if it does; it belongs to no session then. */
  readonly approvalId?: string | undefined
  /** Names this invocation among all others in what it writes into the store; where it does not, its session does. */
  readonly source?: string | undefined
  /** The session's scope: what an invocation leaves running (a watch) ends with it. */
  readonly sessionScope: Scope.Scope
  /** Tells the caller how far it is, where the caller wants to know. Called as `progress?.({ … })` it costs nothing where not. */
  readonly progress?: ReportProgress | undefined
}

/** What any handler may fail with, besides the errors that its capability lists. */
export type HandlerFailure =
  | CapabilityError
  | InvalidInput
  | NotReversible
  | PermissionDenied
  | PolicyDenied
  | ResourceExhausted
  | ServiceUnavailable

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

/** The handlers of those capabilities whose names start with the category. */
export type HandlersOf<C extends AnyCatalogue, Category extends string> = Pick<
  Handlers<C>,
  Extract<NameIn<C>, `${Category}.${string}`>
>

/** An invocation whose arguments have been checked. */
export type Prepared = (invocation: Invocation) => Effect.Effect<unknown, KruxosError>

/** A capability with its handler. */
export interface Registration {
  readonly capability: AnyCapability
  /** Checks arguments as they came from the wire; what it returns runs the handler and encodes its output for the wire. */
  readonly prepare: (input: unknown) => Either.Either<Prepared, InvalidInput | ServiceUnavailable>
}

const isTime = (inputs: AnyCapability["inputs"], name: string): boolean => {
  // A name that every object has is no input's.
  const field = Object.hasOwn(inputs, name) ? inputs[name] : undefined
  return field !== undefined && wireTypeOf(inputField(field).schema) === "DateTime"
}

// Some capabilities list an error of its own for one of their arguments, such as InvalidPort for port or InvalidFilter for state_filter.
const listed = ({ errors, inputs, name }: AnyCapability, error: InvalidInput): InvalidInput => {
  const { field = "", message } = error
  const word = field.slice(field.lastIndexOf("_") + 1)
  const own = `Invalid${word.slice(0, 1).toUpperCase()}${word.slice(1)}`
  const type = !Object.hasOwn(errors, own) && isTime(inputs, field) ? "InvalidTimestamp" : own
  return Object.hasOwn(errors, type) && errors[type]?.class === InvalidInput
    ? new InvalidInput({ type, message, field, reason: type, capability: name })
    : error
}

const register = (capability: AnyCapability, handler: Handler<AnyCapability>): Registration => {
  const decode = Schema.decodeUnknownEither(capability.handlerInputSchema, { onExcessProperty: "error" })
  const encode = outputWriter(capability.outputSchema)
  return {
    capability,
    prepare: (input) =>
      Either.mapBoth(decode(input), {
        onLeft: (error) => listed(capability, invalidInputOf(error, capability.name)),
        onRight: (decoded) => (invocation) =>
          Effect.flatMap(handler(decoded, invocation), (output) => Effect.orDie(encode(output)))
      })
  }
}

// Before any question of approval: nobody is asked to approve what cannot be done.
const withoutHandler = (capability: AnyCapability): Registration => {
  const [category = ""] = capability.name.split(".")
  return {
    capability,
    prepare: () =>
      Either.left(
        new ServiceUnavailable({
          message: `${capability.name} is not there: this gateway does not carry out ${category} capabilities yet`,
          capability: capability.name,
          service: category,
          reason: "use a KruxOS appliance, or a later version of this gateway",
          recovery: [{
            action: "use_appliance",
            description: "Connect to a KruxOS appliance, which carries it out, or do without"
          }],
          retryable: false
        })
      )
  }
}

// That each handler belongs to the capability of its name is what `Handlers` says, and what is lost when both are looked up
// by name: a type-level helper.
const byName = (handlers: object) => new Map(Object.entries(handlers)) as ReadonlyMap<string, Handler<AnyCapability>>

/**
 * Registers every capability of a catalogue. One without a handler is listed like the others, and fails with
 * ServiceUnavailable.
 */
export const registerAll = <C extends AnyCatalogue>(
  catalogue: C,
  handlers: Partial<Handlers<C>>
): ReadonlyArray<Registration> => {
  const found = byName(handlers)
  return Object.values(catalogue).map((capability) => {
    const handler = found.get(capability.name)
    return handler === undefined ? withoutHandler(capability) : register(capability, handler)
  })
}
