import type { ApprovalView } from "../../local/supervisor/ApprovalView.js"

/** What became of a request, in few words, and how it should feel. */
export const outcomeWords = (
  { decided_by, status, success }: ApprovalView
): { readonly tone: "good" | "bad" | "waiting" | "quiet"; readonly text: string; readonly by: string | undefined } => {
  const by = status === "withdrawn" || status === "expired" ? undefined : decided_by
  switch (status) {
    case "pending":
      return { tone: "waiting", text: "Pending", by: undefined }
    case "running":
      return { tone: "waiting", text: "Approved, running", by }
    case "approved":
      return success === false
        ? { tone: "bad", text: "Approved, but it failed", by }
        : { tone: "good", text: success === true ? "Approved and done" : "Approved", by }
    case "rejected":
      return { tone: "bad", text: "Rejected", by }
    case "expired":
      return { tone: "quiet", text: "Expired", by }
    case "withdrawn":
      return { tone: "quiet", text: "Withdrawn by the agent", by }
  }
}
