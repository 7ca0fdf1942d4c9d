import * as Schema from "effect/Schema"
import * as Filesystem from "./filesystem.js"
import * as Gateway from "./gateway.js"
import * as General from "./general.js"

/** The whole family of what a capability can fail with, and the connection cannot. */
export const CapabilityFailure = Schema.Union(
  ...General.GeneralError.members,
  General.VersionConflict,
  General.CapabilityUnavailable,
  General.CapabilityNotFound,
  General.BatchProtection,
  Filesystem.PathOutOfScope,
  Filesystem.FileNotFound,
  Filesystem.DirectoryNotFound,
  Filesystem.NotADirectory,
  Filesystem.EncodingError,
  Filesystem.ParentNotFound,
  Filesystem.DiskFull,
  Filesystem.DirectoryNotEmpty,
  Filesystem.InvalidPattern,
  Filesystem.DestinationExists,
  Filesystem.TooManyWatches,
  Filesystem.ReplacementCountMismatch,
  Filesystem.TrashEntryNotFound
)
export type CapabilityFailure = typeof CapabilityFailure.Type

/** Every error of this package, as a schema: for storing one, or sending it to another process. */
export const KruxosError = Schema.Union(...CapabilityFailure.members, ...Gateway.GatewayError.members)
export type KruxosError = typeof KruxosError.Type

const isFailure = Schema.is(CapabilityFailure)

const isGatewayFailure = Schema.is(Gateway.GatewayError)

/**
 * Narrows to what a capability can fail with, as the guide's `except CapabilityError` does: everything but the failures
 * of the connection.
 */
export const isCapabilityError = <E>(error: E): error is Extract<E, CapabilityFailure> => isFailure(error)

/** Narrows to what the connection can fail with, whatever the call. */
export const isGatewayError = <E>(error: E): error is Extract<E, Gateway.GatewayError> => isGatewayFailure(error)
