import { ApprovalList, ApprovalView } from "../../local/supervisor/ApprovalView.js"
import { get as show, post, type Target } from "../supervisor/client.js"

/** Requests for approval, the newest first. */
export const list = (target: Target, filter: { readonly status?: string; readonly limit: number }) => {
  const query = new URLSearchParams({
    limit: String(filter.limit),
    ...(filter.status === undefined ? {} : { status: filter.status })
  })
  return show(target, `/approvals?${query}`, ApprovalList)
}

export const get = (target: Target, id: string) => show(target, `/approvals/${encodeURIComponent(id)}`, ApprovalView)

export const decide = (target: Target, id: string, verdict: "approve" | "reject", reason?: string) =>
  post(target, `/approvals/${encodeURIComponent(id)}/${verdict}`, { reason }, ApprovalView)
