import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type { WireFailure } from "../errors/wire.js"
import type { CallTrace } from "./CallTrace.js"
import type { CallOptions, Channel } from "./Link.js"
import type { Meter } from "./Meter.js"
import type { OnProgress } from "./progress.js"

/** An invocation, with what is to be known about its capability to read the answer. */
export interface InvokeRequest extends CallOptions {
  readonly name: string
  readonly arguments: { readonly [name: string]: unknown }
  /** Whether a value has the form of the capability's output; absent where nothing is known of its output. */
  readonly fits: ((value: unknown) => boolean) | undefined
  /** Whether an MCP gateway answers with the bare text of the content (`filesystem.read` does). */
  readonly answersWithText: boolean
  /**
   * Told over which session the invocation is about to go, and within how many milliseconds its answer is due. Gives how long to
   * wait for it there: longer, where a gateway may hold the answer back until a human has decided.
   */
  readonly timeoutOver?: ((channel: Channel, timeoutMillis: number) => number) | undefined
  /** How the caller undoes it, given its output, where it is a step of a transaction. */
  readonly compensate?: ((output: unknown) => Effect.Effect<unknown, unknown>) | undefined
  /** The transaction of the gateway that it is a step of. */
  readonly transactionId?: string | undefined
  /** Told when it begins to wait for a human's decision, and when it no longer does. */
  readonly onWaiting?: ((isWaiting: boolean) => void) | undefined
  /** Told how far it is, where the gateway can tell. */
  readonly onProgress?: OnProgress | undefined
}

/** An invocation as it is asked for. A class as PendingRequest says, all of whose fields are its own, so that a copy has them. */
export class Invocation implements InvokeRequest {
  readonly name: string
  readonly operation: string
  readonly arguments: InvokeRequest["arguments"]
  readonly timeoutMillis: number
  readonly replayable: boolean
  readonly idempotencyKey: string | undefined
  readonly fits: InvokeRequest["fits"]
  readonly answersWithText: boolean
  readonly meter: Meter
  readonly trace: CallTrace | undefined

  constructor(
    name: string,
    input: InvokeRequest["arguments"],
    timeoutMillis: number,
    idempotencyKey: string | undefined,
    known: Pick<Invocation, "replayable" | "fits" | "answersWithText" | "meter">
  ) {
    this.name = name
    this.operation = name
    this.arguments = input
    this.timeoutMillis = timeoutMillis
    this.replayable = known.replayable
    this.idempotencyKey = idempotencyKey
    this.fits = known.fits
    this.answersWithText = known.answersWithText
    this.meter = known.meter
    this.trace = undefined
  }
}

/** What the gateway made of an invocation. */
export type RawOutcome =
  | { readonly _tag: "Output"; readonly data: unknown }
  | { readonly _tag: "Failure"; readonly failure: WireFailure }

/** An answer of the gateway that does not have the form of its method. */
export class Malformed extends Data.TaggedError("Malformed")<{ readonly message: string }> {}
