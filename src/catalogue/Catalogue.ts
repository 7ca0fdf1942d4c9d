import type { GatewayError } from "../errors/gateway.js"
import type { ApprovalRequired, GeneralError } from "../errors/general.js"
import type { AnyCapability, ErrorOf, HandlerInputOf, InputOf, OutputOf } from "./Capability.js"

/** Capabilities by their names. */
export interface AnyCatalogue {
  readonly [name: string]: AnyCapability
}

/** The names of a catalogue. */
export type NameIn<C extends AnyCatalogue> = keyof C & string

/** What the caller of a capability gives. */
export type Input<C extends AnyCatalogue, Name extends NameIn<C>> = InputOf<C[Name]["inputs"]>

/** What the handler of a capability is given. */
export type HandlerInput<C extends AnyCatalogue, Name extends NameIn<C>> = HandlerInputOf<C[Name]["inputs"]>

/** What a capability returns. */
export type Output<C extends AnyCatalogue, Name extends NameIn<C>> = OutputOf<C[Name]["outputs"]>

/** What a capability itself can fail with. */
export type OwnError<C extends AnyCatalogue, Name extends NameIn<C>> = ErrorOf<C[Name]["errors"]>

/** What an invocation can fail with: the capability's own errors, the general ones and those of the connection. */
export type InvokeErrorIn<C extends AnyCatalogue, Name extends NameIn<C>> =
  | OwnError<C, Name>
  | Exclude<GeneralError, ApprovalRequired>
  | ApprovalRequired<Name>
  | GatewayError

/** Makes a catalogue of capabilities; each is found under its own name. */
export const make = <const Capabilities extends ReadonlyArray<AnyCapability>>(
  ...capabilities: Capabilities
): { readonly [C in Capabilities[number] as C["name"]]: C } => byName(capabilities)

// `Object.fromEntries` forgets which value is under which key; the mapped type of `make` is what it does.
const byName = <C>(capabilities: ReadonlyArray<AnyCapability>) =>
  Object.fromEntries(capabilities.map((capability) => [capability.name, capability])) as C
