import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type { ApprovalView } from "../../local/supervisor/ApprovalView.js"
import type { Client } from "../client/Client.js"
import type { AskFailure, TokenRefused } from "../client/failures.js"
import { makeCell } from "./Cell.js"
import { bounded, merged, noRequests, pendingCount, type Request } from "./Requests.js"

/** How many requests are asked for at once. */
const pageSize = 100

/** Arguments of up to so many characters are asked for by themselves. */
const smallEnough = 300_000

const neverDecided = "It was not decided here"

/** Makes what knows the requests for approval, and decides them. */
export const makeApprovals = (client: Client, arrived: (views: ReadonlyArray<ApprovalView>) => void) => {
  const requests = makeCell(noRequests)
  const stale = new Set<string>()

  const change = (id: string, with_: (request: Request) => Request) =>
    requests.update((all) => {
      const request = all.byId.get(id)
      return request === undefined ? all : { ...all, byId: new Map(all.byId).set(id, with_(request)) }
    })

  const learn = (views: ReadonlyArray<ApprovalView>, now: number) => {
    const { byId, isLoaded } = requests.get()
    const next = new Map(byId)
    for (const view of views) next.set(view.id, merged(view, byId.get(view.id), now))
    requests.update((all) => ({ ...all, byId: bounded(next), total: Math.max(all.total, next.size) }))
    const isNew = ({ id, status }: ApprovalView) => status === "pending" && !byId.has(id)
    const added = views.filter(isNew)
    if (isLoaded && added.length > 0) arrived(added)
  }

  const learnFrom = (asked: Effect.Effect<ApprovalView, AskFailure>) =>
    Effect.zipWith(asked, Clock.currentTimeMillis, (view, now) => learn([view], now))

  /** Asks for the arguments of a request that a list left out. */
  const askArguments = (id: string): Effect.Effect<void, TokenRefused> => {
    const length = requests.get().byId.get(id)?.view.arguments_length
    if (length === undefined) return Effect.void
    change(id, (request) => ({ ...request, arguments: { _tag: "Asked", length } }))
    return learnFrom(client.approval(id)).pipe(
      Effect.catchAll((failure) => {
        if (failure._tag === "TokenRefused") return Effect.fail(failure)
        change(id, (request) => ({ ...request, arguments: { _tag: "Failed", length, message: failure.message } }))
        return Effect.void
      })
    )
  }

  const askMissing = Effect.suspend(() =>
    Effect.forEach(
      [...requests.get().byId.values()].filter(({ arguments: { _tag }, view }) =>
        view.status === "pending" && _tag === "NotAsked" && (view.arguments_length ?? 0) <= smallEnough
      ),
      ({ view }) => askArguments(view.id),
      { concurrency: 4, discard: true }
    )
  )

  /** Asks for what is pending, and for the latest. */
  const loadLists = Effect.all([
    client.approvals({ status: "pending", limit: pageSize }),
    client.approvals({ limit: 30 })
  ]).pipe(
    Effect.zip(Clock.currentTimeMillis),
    Effect.map(([[pending, latest], now]) => {
      learn(latest.approvals, now)
      learn(pending.approvals, now)
      requests.update((all) => ({
        ...all,
        isLoaded: true,
        pendingUnlisted: Math.max(0, pending.total - pendingCount({ ...all, pendingUnlisted: 0 })),
        total: latest.total
      }))
      return new Set([...pending.approvals, ...latest.approvals].map(({ id }) => id))
    })
  )

  /** Asks for everything anew. */
  const load = loadLists.pipe(
    Effect.map((listed) => {
      const isGone = ({ view }: Request) => view.status === "pending" && !listed.has(view.id)
      for (const request of requests.get().byId.values()) if (isGone(request)) stale.add(request.view.id)
    }),
    Effect.zipRight(askMissing)
  )

  /** Asks for older ones, decided ones mostly. */
  const loadOlder = Effect.suspend(() => client.approvals({ limit: 50, offset: requests.get().byId.size })).pipe(
    Effect.zip(Clock.currentTimeMillis),
    Effect.map(([{ approvals, total }, now]) => {
      learn(approvals, now)
      requests.update((all) => ({ ...all, total }))
    })
  )

  const askStale = Effect.suspend(() => {
    const ids = [...stale].slice(0, pageSize)
    for (const id of ids) stale.delete(id)
    return Effect.forEach(
      ids,
      (id) => Effect.catchTag(learnFrom(client.approval(id)), "Refused", () => Effect.void),
      { concurrency: 6, discard: true }
    ).pipe(Effect.onError(() => Effect.sync(() => ids.forEach((id) => stale.add(id)))))
  })

  /** Asks for those that something has happened to, a hundred at most: the others are asked for the next time. */
  const refresh = Effect.suspend(() => {
    const isNew = (id: string) => !requests.get().byId.has(id)
    const added = [...stale].filter(isNew)
    if (added.length <= pageSize) return askStale
    for (const id of added) stale.delete(id)
    return Effect.zipRight(
      Effect.onError(loadLists, () => Effect.sync(() => added.forEach((id) => stale.add(id)))),
      askStale
    )
  })

  /** Marks what must have changed by itself: what runs, and what has expired. */
  const markDue = (now: number) => {
    for (const { view } of requests.get().byId.values()) {
      const isOver = view.status === "pending" && DateTime.toEpochMillis(view.expires_at) + 1000 < now
      if (view.status === "running" || isOver) stale.add(view.id)
    }
  }

  const decide = (id: string, verdict: "approve" | "reject", reason: string) => {
    change(id, (request) => ({ ...request, deciding: verdict, remark: undefined }))
    return learnFrom(verdict === "approve" ? client.approve(id) : client.reject(id, reason)).pipe(
      Effect.catchTag("Refused", (failure) => {
        change(id, (request) => ({ ...request, remark: `${neverDecided}: ${failure.message}` }))
        return learnFrom(client.approval(id))
      }),
      Effect.catchAll((failure) => {
        if (failure._tag === "TokenRefused") return Effect.fail(failure)
        stale.add(id)
        change(
          id,
          (request) => ({ ...request, remark: `${failure.message}, and it is not known whether this was decided.` })
        )
        return Effect.void
      }),
      Effect.ensuring(Effect.sync(() => change(id, (request) => ({ ...request, deciding: undefined }))))
    )
  }

  /** Lets those that were decided go to the others that were; those that still run stay. */
  const putAway = (ids: ReadonlyArray<string>) =>
    ids.forEach((id) => change(id, (request) => ({ ...request, settledAt: undefined })))

  return {
    requests,
    load,
    loadOlder,
    refresh: Effect.zipRight(refresh, askMissing),
    markDue,
    decide,
    putAway,
    askArguments,
    /** Notes that something has happened to a request. */
    mark: (id: string) => void stale.add(id)
  }
}

/** Knows the requests for approval, and decides them. */
export type Approvals = ReturnType<typeof makeApprovals>
