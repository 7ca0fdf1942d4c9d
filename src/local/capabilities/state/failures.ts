import type { SqlError } from "@effect/sql/SqlError"
import { CapabilityUnavailable } from "../../../errors/general.js"
import { KeyNotFound } from "../../../errors/state.js"

/** Nothing is stored under a key. */
export const keyNotFound = (key: string): KeyNotFound =>
  new KeyNotFound({ message: `Nothing is stored under ${key}`, key })

/** The store failed while keys were listed. */
export const databaseError = (cause: SqlError): CapabilityUnavailable =>
  new CapabilityUnavailable({
    type: "DatabaseError",
    reason: "DatabaseError",
    message: "The gateway's store does not answer",
    retryable: true,
    cause
  })
