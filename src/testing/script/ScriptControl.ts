import type * as DateTime from "effect/DateTime"
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type { BuiltIn } from "../../catalogue/builtIn.js"
import type { AnyCatalogue, HandlerInput, Input, NameIn } from "../../catalogue/Catalogue.js"
import type { KruxosError } from "../../errors/KruxosError.js"
import type { Script } from "../Scripts.js"
import type { Exactly } from "./Matching.js"
import type { GatewayRequest, RequestReply } from "./requests.js"
import type { ScriptMismatch } from "./ScriptMismatch.js"

/** An invocation as the gateway received it. */
export interface MockInvocation {
  readonly capability: string
  /** As they went over the wire. */
  readonly arguments: unknown
  readonly at: DateTime.Utc
  readonly sessionId: string
  readonly idempotencyKey: string | undefined
  readonly transactionId: string | undefined
  /**
   * What it came to at the gateway, once it has: its output as it goes on the wire, or the failure. Of what was approved later it is
   * what came of carrying it out, and ApprovalRequired before that.
   */
  readonly exit: Exit.Exit<unknown, KruxosError> | undefined
  /** Whether it answered by the script in a transaction that was then rolled back, and so has been undone. */
  readonly isRolledBack: boolean
}

/**
 * What is asked of an expected invocation's arguments: these at least, these and no others (`exactly`), or whatever a predicate accepts.
 * A field that is undefined is one that must not be there.
 */
export type ExpectedArguments<C extends AnyCatalogue, Name extends NameIn<C>> =
  | Partial<HandlerInput<C, Name>>
  | Exactly<Input<C, Name>>
  | ((input: HandlerInput<C, Name>) => boolean)

/** What a test asks and says of invocations; `C` is what its expectations know. */
export interface ScriptControl<C extends AnyCatalogue = BuiltIn> {
  /** Every invocation that has arrived, in the order of arrival, refused ones too. */
  readonly invocations: Effect.Effect<ReadonlyArray<MockInvocation>>
  /**
   * Expects an invocation, and answers it. Expectations of one capability are used up in the order in which they were made, by the
   * first invocations that fit them; they come before `capabilities`. A reply without `times` answers one invocation; one that answers
   * always has to answer one at least.
   */
  readonly expect: <const Name extends NameIn<C>>(
    name: Name,
    input: ExpectedArguments<C, Name>,
    reply: Script<C[Name]>
  ) => Effect.Effect<void>
  /** The same for a name that is known only at run time. It dies with a message if there is no such capability. */
  readonly expectDynamic: (name: string, input: unknown, reply: unknown) => Effect.Effect<void>
  /**
   * Expects a request of the SDK that is no invocation, such as `transaction.commit`, and lets its answer be late, lost or refused:
   * `expectRequest("transaction.commit", Reply.passThrough.pipe(Reply.dropReply))`. Those that nobody expects the gateway answers as ever.
   */
  readonly expectRequest: (request: GatewayRequest, reply: RequestReply) => Effect.Effect<void>
  /**
   * That everything went by the script: fails with ScriptMismatch where an invocation came that nothing answered, an answer did not fit
   * its capability, or an expectation, a counted reply or a human's decision was not used up. Its message is the difference.
   */
  readonly verify: Effect.Effect<void, ScriptMismatch>
}
