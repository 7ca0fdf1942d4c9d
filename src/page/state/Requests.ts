import * as DateTime from "effect/DateTime"
import type { ApprovalView } from "../../local/supervisor/ApprovalView.js"

/** Where the whole arguments of a request are. */
export type Arguments =
  | { readonly _tag: "Here"; readonly value: unknown }
  | { readonly _tag: "NotAsked"; readonly length: number }
  | { readonly _tag: "Asked"; readonly length: number }
  | { readonly _tag: "Failed"; readonly length: number; readonly message: string }

/** A request for approval as this page knows it. */
export interface Request {
  readonly view: ApprovalView
  readonly arguments: Arguments
  /** What is being decided, from the click to the answer. */
  readonly deciding: "approve" | "reject" | undefined
  /** What came of a decision that this page tried, where it is worth saying. */
  readonly remark: string | undefined
  /** It was decided while it was shown as pending, and stays where it is for a moment; when that was. */
  readonly settledAt: number | undefined
}

/** The requests that this page knows. */
export interface Requests {
  readonly isLoaded: boolean
  readonly byId: ReadonlyMap<string, Request>
  /** How many pending ones the gateway had beyond those that this page knows, when it was asked for them last. */
  readonly pendingUnlisted: number
  /** How many the gateway has in all. */
  readonly total: number
}

export const noRequests: Requests = { isLoaded: false, byId: new Map(), pendingUnlisted: 0, total: 0 }

/** How many requests are known at most, besides the pending ones; the oldest are forgotten first. */
export const maximumDecided = 400

/** The requests without the oldest of those that are over, where they are too many. */
export const bounded = (byId: ReadonlyMap<string, Request>): ReadonlyMap<string, Request> => {
  const over = [...byId.values()].filter((request) => !isAwaited(request))
  if (over.length <= maximumDecided) return byId
  const forgotten = new Set(over.sort((one, other) => decidedAt(one) - decidedAt(other)).slice(0, -maximumDecided))
  return new Map([...byId].filter(([, request]) => !forgotten.has(request)))
}

const argumentsOf = (view: ApprovalView, before: Request | undefined): Arguments => {
  if (view.arguments_length === undefined) return { _tag: "Here", value: view.arguments }
  return before?.arguments ?? { _tag: "NotAsked", length: view.arguments_length }
}

/** A request as it is now, with what the page knew of it before; `now` is the time in milliseconds. */
export const merged = (view: ApprovalView, before: Request | undefined, now: number): Request => ({
  view,
  arguments: argumentsOf(view, before),
  deciding: before?.deciding,
  remark: before?.remark,
  settledAt: view.status === "pending"
    ? undefined
    : before?.settledAt ?? (before?.view.status === "pending" ? now : undefined)
})

const isAwaited = ({ settledAt, view }: Request) => view.status === "pending" || settledAt !== undefined

const createdAt = ({ view }: Request) => DateTime.toEpochMillis(view.created_at)

const decidedAt = ({ view }: Request) => DateTime.toEpochMillis(view.decided_at ?? view.created_at)

/** What is pending, or was a moment ago; the oldest first, so that what arrives moves nothing under a pointer. */
export const awaited = ({ byId }: Requests): ReadonlyArray<Request> =>
  [...byId.values()].filter(isAwaited).sort((one, other) => createdAt(one) - createdAt(other))

/** What is over, the newest first. */
export const decided = ({ byId }: Requests): ReadonlyArray<Request> =>
  [...byId.values()].filter((request) => !isAwaited(request)).sort((one, other) => decidedAt(other) - decidedAt(one))

/** How many are pending. */
export const pendingCount = ({ byId, pendingUnlisted }: Requests): number => {
  let count = pendingUnlisted
  for (const { view } of byId.values()) if (view.status === "pending") count++
  return count
}
