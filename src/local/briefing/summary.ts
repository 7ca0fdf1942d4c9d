import * as DateTime from "effect/DateTime"

/** What a briefing comes to, in numbers. */
export interface Totals {
  readonly since: DateTime.Utc
  readonly files: { readonly created: number; readonly modified: number; readonly deleted: number }
  /** Whether all files could be looked at. */
  readonly isWhole: boolean
  readonly processes: { readonly started: number; readonly failed: number }
  readonly pendingApprovals: number
  readonly unreadMessages: number
  readonly alerts: { readonly pending: number; readonly critical: number }
  readonly health: string
  /** The keys that changed, of the agent's own state and of the shared one; some of them. */
  readonly persistent: { readonly count: number; readonly keys: ReadonlyArray<string> }
  readonly shared: { readonly count: number; readonly keys: ReadonlyArray<string> }
  readonly restored: number
}

const mostNamed = 5

const counted = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`

const files = ({ files: { created, deleted, modified }, isWhole }: Totals) => {
  if (created + modified + deleted === 0) return isWhole ? "No files changed." : "No changed files were found so far."
  const known = isWhole ? "" : " (not all files could be looked at)"
  return `Files: ${created} created, ${modified} modified, ${deleted} deleted${known}.`
}

const keys = (what: string, { count, keys }: Totals["shared"]) => {
  const named = keys.slice(0, mostNamed).map((key) => JSON.stringify(key))
  const more = count > named.length ? `, and ${count - named.length} more` : ""
  return `${what}: ${counted(count, "key")} changed (${named.join(", ")}${more}).`
}

const processes = ({ processes: { failed, started } }: Totals) =>
  `Processes: ${started} started${failed === 0 ? "" : `, ${failed} failed`}.`

const alerts = ({ alerts: { critical, pending } }: Totals) =>
  `${counted(pending, "alert")} nobody acknowledged yet${critical === 0 ? "" : `, ${critical} of them critical`}.`

/** A briefing in words: a few lines. */
export const summaryOf = (totals: Totals): string => {
  const { health, pendingApprovals, persistent, restored, shared, since, unreadMessages } = totals
  return [
    `Since ${DateTime.formatIso(since)}:`,
    files(totals),
    ...(totals.processes.started === 0 ? [] : [processes(totals)]),
    ...(persistent.count === 0 ? [] : [keys("Your persistent state", persistent)]),
    ...(shared.count === 0 ? [] : [keys("The shared state", shared)]),
    ...(restored === 0 ? [] : [`State was restored from a backup${restored === 1 ? "" : ` ${restored} times`}.`]),
    ...(pendingApprovals === 0 ? [] : [`${counted(pendingApprovals, "request")} of yours for approval waiting.`]),
    ...(unreadMessages === 0 ? [] : [`${counted(unreadMessages, "unread message")}: read with comms.receive.`]),
    ...(totals.alerts.pending === 0 ? [] : [alerts(totals)]),
    health === "healthy" ? "The gateway is healthy." : `The gateway's health: ${health}.`
  ].join("\n")
}
