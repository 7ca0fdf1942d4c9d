import type { DiskFull, ParentNotFound } from "../../../errors/filesystem.js"
import { InvalidInput, ResourceExhausted } from "../../../errors/general.js"

/** A missing parent directory, for a capability that has no error of its own for it. */
export const parentAsInput = (field: string) => ({ message }: ParentNotFound): InvalidInput =>
  new InvalidInput({ message, field, reason: "the parent directory does not exist" })

/** A full disk, for a capability that has no error of its own for it. */
export const diskAsResource = ({ message }: DiskFull): ResourceExhausted =>
  new ResourceExhausted({ message, resource: "disk" })

/** Says which input a path came from. */
export const inField = (field: string) => <E>(error: E): E | InvalidInput =>
  error instanceof InvalidInput ? new InvalidInput({ message: error.message, reason: error.reason, field }) : error
