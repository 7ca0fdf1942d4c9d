import { openEnumeration } from "./primitives.js"

/**
 * Where a request for approval stands. `timed_out` and `expired` both mean that nobody decided in time; `running`
 * means decided and not finished.
 */
export const ApprovalState = openEnumeration(
  "pending",
  "running",
  "approved",
  "rejected",
  "expired",
  "timed_out",
  "withdrawn"
)
export type ApprovalState = typeof ApprovalState.Type
