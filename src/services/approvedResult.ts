import * as Either from "effect/Either"
import type { RawOutcome } from "../connection/InvokeRequest.js"
import { decodeFailure } from "../errors/decode.js"
import { ProtocolError } from "../errors/gateway.js"
import type { ApprovalExpired, ApprovalRejected, ApprovalRequired } from "../errors/general.js"
import type { KruxosError } from "../errors/KruxosError.js"

/** What an approved invocation can have failed with: whether it was approved is no longer the question. */
export type RunFailure = Exclude<KruxosError, ApprovalRequired | ApprovalRejected | ApprovalExpired>

/** How the answers of a capability are read. */
export interface Reading {
  readonly decode: (raw: unknown) => Either.Either<unknown, KruxosError>
  readonly narrow: (error: KruxosError) => KruxosError
}

const asRunFailure = (error: KruxosError): RunFailure =>
  error._tag === "ApprovalRequired" || error._tag === "ApprovalRejected" || error._tag === "ApprovalExpired"
    ? new ProtocolError({
      message: `What was approved was answered with ${error._tag}`,
      capability: error.capability,
      cause: error
    })
    : error

/** What an approved invocation came to; the data is as it came where it is not known how to read it. */
export const approvedResult = (
  outcome: RawOutcome,
  capability: string | undefined,
  reading?: Reading
): Either.Either<unknown, RunFailure> => {
  const raw = outcome._tag === "Output"
    ? Either.right(outcome.data)
    : Either.left(decodeFailure(outcome.failure, capability))
  const read = reading === undefined ? raw : raw.pipe(Either.flatMap(reading.decode), Either.mapLeft(reading.narrow))
  return Either.mapLeft(read, asRunFailure)
}
