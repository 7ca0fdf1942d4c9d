import * as Data from "effect/Data"

/**
 * The directory of the host cannot be a workspace. `reason` says why; `"holds-data"` is one that has the gateway's own data
 * where agents could get at it, `"unsupported"` an operating system whose paths cannot be confined here (Windows).
 */
export class WorkspaceUnavailable extends Data.TaggedError("WorkspaceUnavailable")<{
  readonly reason: "holds-data" | "missing" | "not-a-directory" | "not-readable" | "unsupported"
  readonly path: string
  readonly message: string
  readonly cause?: unknown
}> {}
