import * as Effect from "effect/Effect"
import { DiskFull } from "../../errors/filesystem.js"
import { InvalidInput, PermissionDenied, ResourceExhausted } from "../../errors/general.js"
import type { WorkspacePath } from "./Workspace.js"

/** What an operation works on: for its errors, which show the agent's path and never the host's. */
export interface Subject {
  readonly path: WorkspacePath
  /** What is being done, as a verb: `read`, `write`, … */
  readonly operation: string
  /** The input that the path came from. */
  readonly field: "path" | "source" | "destination"
}

/** What the operating system can refuse any operation with. */
export type SystemFailure = InvalidInput | PermissionDenied | ResourceExhausted

/** The code of a system error, such as `ENOENT`. */
export const codeOf = (cause: unknown): string | undefined =>
  cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : undefined

/** The path cannot be used like this; `what` goes on after the path: "is a directory". */
export const unusable = ({ field, path }: Subject, what: string): InvalidInput =>
  new InvalidInput({ message: `${path.display} ${what}`, field, reason: what })

const failureOf = (cause: unknown, subject: Subject): SystemFailure | DiskFull | undefined => {
  const { operation, path: { display } } = subject
  switch (codeOf(cause)) {
    case "EACCES":
    case "EPERM":
    case "EROFS":
    case "EBUSY":
    case "ETXTBSY":
      return new PermissionDenied({
        message: `The operating system does not let the gateway ${operation} ${display}`,
        path: display,
        operation
      })
    case "ENOSPC":
    case "EDQUOT":
      return new DiskFull({ message: `There is no room left to ${operation} ${display}`, path: display })
    case "EMFILE":
    case "ENFILE":
      return new ResourceExhausted({
        message: `Too many files are open to ${operation} ${display}`,
        resource: "open files"
      })
    case "ENOMEM":
      return new ResourceExhausted({
        message: `There is no memory left to ${operation} ${display}`,
        resource: "memory"
      })
    case "EFBIG":
      return new ResourceExhausted({ message: `${display} is too large for the file system`, resource: "file size" })
    case "ENAMETOOLONG":
      return unusable(subject, "is longer than the file system allows")
    case "EILSEQ":
      return unusable(subject, "is no name that the file system allows")
    case "EXDEV":
      return unusable(subject, "is on another file system")
    case "ELOOP":
      return unusable(subject, "leads through too many symbolic links")
    default:
      return undefined
  }
}

/** Fails as a system error says. One that nobody expects is a defect. */
export const storageFailure =
  (subject: Subject) => (cause: unknown): Effect.Effect<never, SystemFailure | DiskFull> => {
    const failure = failureOf(cause, subject)
    return failure === undefined ? Effect.die(cause) : Effect.fail(failure)
  }

/** Like {@link storageFailure}, for what has no word for a full disk. */
export const systemFailure = (subject: Subject) => (cause: unknown): Effect.Effect<never, SystemFailure> =>
  Effect.catchTag(
    storageFailure(subject)(cause),
    "DiskFull",
    ({ message }) => new ResourceExhausted({ message, resource: "disk" })
  )
