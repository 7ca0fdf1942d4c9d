import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type { Capability, ErrorEntries, HandlerInputOf, InputFields, OutputOf } from "../../../catalogue/Capability.js"
import { invalidInputOf } from "../../../catalogue/invalidInput.js"
import { NotReversible } from "../../../errors/general.js"
import { isGatewayError, type KruxosError } from "../../../errors/KruxosError.js"
import type { CapabilitiesService } from "../../Capabilities.js"
import type { Arguments } from "../../codec.js"
import type { Versions } from "./Versions.js"

/** Makes a plain invocation: outside of every region, and so of every transaction. */
export type Ask = CapabilitiesService["invoke"]

/** What knowledge of a capability can use. */
export interface UndoContext {
  readonly ask: Ask
  readonly versions: Versions
}

/** How a step has ended, as far as is known. */
export type Outcome<Output> =
  | { readonly _tag: "Done"; readonly output: Output }
  /** The gateway says that it failed. */
  | { readonly _tag: "Failed" }
  /** Its answer was lost, or not waited for: it may have taken effect. */
  | { readonly _tag: "Unknown" }

/** Something that somebody else has changed since. */
export interface ChangedSince {
  readonly resource: string
  /** Where the content from before is kept already. */
  readonly savedAs?: string | undefined
  /** Keeps the content from before somewhere, and says where. The argument makes its name one of its own. */
  readonly save?: ((label: string) => Effect.Effect<string, KruxosError>) | undefined
}

/** What came of undoing a step. */
export type Undone =
  | { readonly _tag: "Undone" }
  /** There was nothing to undo: the step did not take effect. */
  | { readonly _tag: "NothingDone" }
  | { readonly _tag: "NotReversible"; readonly reason: string }
  | { readonly _tag: "Conflict"; readonly changes: ReadonlyArray<ChangedSince> }

/**
 * Undoes a step, if what is there is still what the step has left; it looks first, so that it can be called again where it was cut
 * off. Whatever it fails with, the step is not undone.
 */
export type Undo = Effect.Effect<Undone, unknown>

/** What is known before a step is sent. */
export interface Plan<Output> {
  /** How many characters are kept for the case that it has to be undone. */
  readonly size: number
  /** Says how to undo the step now that it has ended; undefined where nothing has to be undone. */
  readonly ended: (outcome: Outcome<Output>) => Effect.Effect<Undo | undefined>
}

/** How the steps of a capability are undone. */
export interface Knowledge<Input, Output> {
  /** Whether such a step changes nothing at all. */
  readonly isHarmless?: (input: Input) => boolean
  /**
   * Asks what undoing will need, before the step is sent. Fails with {@link CannotUndo} where it cannot be undone. Absent where only
   * harmless steps are possible.
   */
  readonly plan?: (input: Input, context: UndoContext) => Effect.Effect<Plan<Output>, KruxosError | CannotUndo>
}

/** A step cannot be undone, for this reason. */
export class CannotUndo extends Data.TaggedError("CannotUndo")<{ readonly reason: string }> {}

export const cannotUndo = (reason: string): Effect.Effect<never, CannotUndo> => Effect.fail(new CannotUndo({ reason }))

export const undone: Undone = { _tag: "Undone" }

export const nothingDone: Undone = { _tag: "NothingDone" }

export const notUndone = (reason: string): Undone => ({ _tag: "NotReversible", reason })

export const conflict = (...changes: ReadonlyArray<ChangedSince>): Undone => ({ _tag: "Conflict", changes })

/** What came of undoing a step that is undone piece by piece. */
export const together = (pieces: ReadonlyArray<Undone>): Undone => {
  const failed = pieces.find(({ _tag }) => _tag === "NotReversible")
  if (failed !== undefined) return failed
  const changes = pieces.flatMap((piece) => piece._tag === "Conflict" ? piece.changes : [])
  if (changes.length > 0) return conflict(...changes)
  return pieces.some(({ _tag }) => _tag === "Undone") ? undone : nothingDone
}

/** What is there is as it was before: either nobody had to undo anything, or somebody has. */
export const asBefore = ({ _tag }: Outcome<unknown>): Undone => _tag === "Done" ? undone : nothingDone

/** The knowledge of one capability, for arguments as they are sent and outputs as they come. */
export interface Known {
  readonly name: string
  readonly isHarmless: (input: Arguments) => boolean
  readonly plan: (input: Arguments, context: UndoContext) => Effect.Effect<Plan<unknown>, KruxosError>
}

const passed = new Set<KruxosError["_tag"]>([
  "InvalidInput",
  "NotReversible",
  "PathOutOfScope",
  "PermissionDenied",
  "RateLimited",
  "ServiceUnavailable",
  "SessionPaused"
])

/** The step is not sent: nobody would know how to undo it. */
export const notReversible = (capability: string, reason: string, cause?: unknown): NotReversible =>
  new NotReversible({ message: `${capability} was not sent: ${reason}`, capability, cause })

/** Makes knowledge of a capability, typed by its entry in the catalogue. */
export const know = <
  Name extends string,
  Inputs extends InputFields,
  Outputs extends Schema.Struct.Fields,
  Errors extends ErrorEntries
>(
  capability: Capability<Name, Inputs, Outputs, Errors>,
  { isHarmless, plan }: Knowledge<HandlerInputOf<Inputs>, OutputOf<Outputs>>
): Known => {
  const { name } = capability
  const inputOf = (input: Arguments) => Schema.decodeUnknownEither(capability.handlerInputSchema)(input)
  const outputOf = (output: unknown): Outcome<OutputOf<Outputs>> =>
    Either.match(Schema.decodeUnknownEither(capability.outputSchema)(output), {
      onLeft: () => ({ _tag: "Unknown" }),
      onRight: (decoded) => ({ _tag: "Done", output: decoded })
    })
  return {
    name,
    isHarmless: (input) =>
      isHarmless !== undefined && Either.match(inputOf(input), { onLeft: () => false, onRight: isHarmless }),
    plan: (input, context) =>
      Effect.gen(function*() {
        const decoded = yield* Either.mapLeft(inputOf(input), (error) => invalidInputOf(error, name))
        const { ended, size } = yield* (plan?.(decoded, context) ?? cannotUndo("nobody can undo it"))
        return {
          size,
          ended: (outcome: Outcome<unknown>) => ended(outcome._tag === "Done" ? outputOf(outcome.output) : outcome)
        }
      }).pipe(Effect.mapError((error) => {
        if (error._tag === "CannotUndo") return notReversible(name, error.reason)
        // The step itself would have failed with these.
        return passed.has(error._tag) || (isGatewayError(error) && error._tag !== "OutcomeUnknown")
          ? error
          : notReversible(name, `what undoing it would need cannot be learned (${error.message})`, error)
      }))
  }
}
