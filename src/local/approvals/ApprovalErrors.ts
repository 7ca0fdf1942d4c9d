import * as Data from "effect/Data"
import type { ApprovalState } from "../../schema/Approval.js"

/** There is no request for approval of that id. */
export class ApprovalNotFound extends Data.TaggedError("ApprovalNotFound")<{ readonly approvalId: string }> {
  override get message() {
    return `There is no request for approval ${this.approvalId}`
  }
}

/** The request for approval is no longer pending. */
export class ApprovalDecided extends Data.TaggedError("ApprovalDecided")<{
  readonly approvalId: string
  readonly status: ApprovalState
}> {
  override get message() {
    return `The request for approval ${this.approvalId} can no longer be decided: it is ${this.status}`
  }
}
