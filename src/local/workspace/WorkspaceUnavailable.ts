import * as Data from "effect/Data"

/**
 * The directory of the host cannot be a workspace. `reason` says why; `"unsupported"` is an operating system whose paths
 * cannot be confined here (Windows).
 */
export class WorkspaceUnavailable extends Data.TaggedError("WorkspaceUnavailable")<{
  readonly reason: "missing" | "not-a-directory" | "not-readable" | "unsupported"
  readonly path: string
  readonly message: string
  readonly cause?: unknown
}> {}
