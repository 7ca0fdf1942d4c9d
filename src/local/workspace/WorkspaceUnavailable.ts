import * as Data from "effect/Data"

/**
 * The directory of the host cannot be a workspace. `reason` says why; `"holds-data"` is one that has the gateway's own data
 * where agents could get at it, `"unsupported"` an operating system whose paths cannot be confined here (Windows); a temporary one
 * cannot be made where nothing can be written (`"not-writable"`), and for a file that is not in it (`"invalid-path"`).
 */
export class WorkspaceUnavailable extends Data.TaggedError("WorkspaceUnavailable")<{
  readonly reason:
    | "holds-data"
    | "invalid-path"
    | "missing"
    | "not-a-directory"
    | "not-readable"
    | "not-writable"
    | "unsupported"
  readonly path: string
  readonly message: string
  readonly cause?: unknown
}> {}
