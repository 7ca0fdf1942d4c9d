import type * as Effect from "effect/Effect"
import type { BuiltIn } from "../catalogue/builtIn.js"
import type { AnyCapability, ErrorOf, HandlerInputOf, OutputOf } from "../catalogue/Capability.js"
import type { AnyCatalogue, NameIn } from "../catalogue/Catalogue.js"
import type { RateLimited, SessionPaused } from "../errors/general.js"
import type { HandlerFailure, Invocation } from "../local/capabilities/Handler.js"
import type { Reply } from "./Reply.js"

/** What a scripted capability may fail with: its own errors, and what any invocation may. */
export type ScriptFailure<C extends AnyCapability> = ErrorOf<C["errors"]> | HandlerFailure | RateLimited | SessionPaused

type Pair<Output, One extends keyof Output, Other extends keyof Output> =
  | (Pick<Output, One> & Partial<Pick<Output, Other>>)
  | (Partial<Pick<Output, One>> & Pick<Output, Other>)

type Spelled<Output, Pairs> = Pairs extends
  readonly [readonly [infer One extends keyof Output, infer Other extends keyof Output], ...infer Rest]
  ? Pair<Output, One, Other> & Spelled<Output, Rest>
  : unknown

/** A capability's output in a script: of two fields that mean the same one is enough, and the other one is filled in. */
export type ScriptOutput<C extends AnyCapability> = C["spellings"] extends
  readonly [unknown, ...ReadonlyArray<unknown>] ?
    & Omit<OutputOf<C["outputs"]>, C["spellings"][number][number]>
    & Spelled<OutputOf<C["outputs"]>, C["spellings"]>
  : OutputOf<C["outputs"]>

/** A handler in a script, typed by the catalogue as those of a gateway are. */
export type ScriptHandler<C extends AnyCapability> = (
  input: HandlerInputOf<C["inputs"]>,
  invocation: Invocation
) => Effect.Effect<ScriptOutput<C>, ScriptFailure<C>>

/** A reply that fits a capability. */
export type ReplyOf<C extends AnyCapability> = Reply<
  HandlerInputOf<C["inputs"]>,
  ScriptOutput<C>,
  ScriptFailure<C>
>

/** What a capability does in a test: its output, a handler that is typed by the catalogue, or a {@link Reply}. */
export type Script<C extends AnyCapability> = ScriptOutput<C> | ScriptHandler<C> | ReplyOf<C>

/** Scripts by the names of the capabilities. */
export type Scripts<C extends AnyCatalogue> = { readonly [Name in NameIn<C>]?: Script<C[Name]> }

/**
 * Scripts of capabilities that the gateway does not have by itself. They are told apart by `Exclude`, and by nothing else, because the
 * compiler then knows the arguments of the handlers of both.
 */
export type FurtherScripts<C extends AnyCatalogue> = {
  readonly [Name in Exclude<NameIn<C>, NameIn<BuiltIn>>]?: Script<C[Name]>
}
