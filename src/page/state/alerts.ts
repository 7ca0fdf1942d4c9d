import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type { Client } from "../client/Client.js"
import type { AlertView } from "../schemas/Alert.js"
import { makeCell } from "./Cell.js"

const pageSize = 100

/** More are not kept in the page. */
const mostKept = 1000

/** The alerts that the page knows, the newest first. */
export interface KnownAlerts {
  readonly alerts: ReadonlyArray<AlertView>
  /** How many there are that nobody has acknowledged, and how many in all. */
  readonly pending: number
  readonly total: number
  readonly isLoaded: boolean
  /** Those that are being acknowledged. */
  readonly busy: ReadonlySet<string>
}

const noAlerts: KnownAlerts = { alerts: [], pending: 0, total: 0, isLoaded: false, busy: new Set() }

/** How many alerts nobody has acknowledged. */
export const pendingAlerts = ({ pending }: KnownAlerts): number => pending

const isPending = ({ status }: AlertView) => status === "pending"

const newestFirst = (one: AlertView, other: AlertView) =>
  DateTime.toEpochMillis(other.created_at) - DateTime.toEpochMillis(one.created_at)

const joined = (before: ReadonlyArray<AlertView>, views: ReadonlyArray<AlertView>): ReadonlyArray<AlertView> => {
  const byId = new Map(before.map((view) => [view.id, view]))
  for (const view of views) byId.set(view.id, view)
  return [...byId.values()].sort(newestFirst).slice(0, mostKept)
}

/** Makes what knows the alerts, and acknowledges them; `arrived` is told of those that come while the page is open. */
export const makeAlerts = (client: Client, arrived: (views: ReadonlyArray<AlertView>) => void) => {
  const known = makeCell(noAlerts)
  let isStale = false

  const lists = Effect.all([
    client.alerts({ status: "pending", limit: pageSize }),
    client.alerts({ limit: pageSize })
  ], { concurrency: "unbounded" })

  const learned = Effect.map(lists, ([pending, latest]) => {
    const before = known.get()
    const seen = new Set(before.alerts.map(({ id }) => id))
    known.set({
      ...before,
      alerts: joined(before.alerts, [...latest.alerts, ...pending.alerts]),
      pending: pending.total,
      total: latest.total,
      isLoaded: true
    })
    const added = pending.alerts.filter(({ id }) => !seen.has(id))
    if (before.isLoaded && added.length > 0) arrived(added)
  })

  /** Asks for everything anew. */
  const load = Effect.suspend(() => {
    isStale = false
    known.update((before) => ({ ...before, alerts: [] }))
    return learned
  })

  const refresh = Effect.suspend(() => {
    if (!isStale) return Effect.void
    isStale = false
    return Effect.onError(learned, () => Effect.sync(() => isStale = true))
  })

  /** Asks for older ones. */
  const loadOlder = Effect.suspend(() => client.alerts({ limit: pageSize, offset: known.get().alerts.length })).pipe(
    Effect.map(({ alerts, total }) =>
      known.update((before) => ({ ...before, alerts: joined(before.alerts, alerts), total }))
    )
  )

  const acknowledge = (id: string) =>
    Effect.suspend(() => {
      known.update((before) => ({ ...before, busy: new Set(before.busy).add(id) }))
      return Effect.map(client.acknowledge(id), (view) =>
        known.update((before) => {
          const wasPending = before.alerts.some((alert) => alert.id === id && isPending(alert))
          return {
            ...before,
            alerts: joined(before.alerts, [view]),
            pending: wasPending ? Math.max(0, before.pending - 1) : before.pending
          }
        }))
    }).pipe(
      Effect.ensuring(Effect.sync(() =>
        known.update((before) => ({ ...before, busy: new Set([...before.busy].filter((other) => other !== id)) }))
      ))
    )

  return {
    known,
    load,
    loadOlder,
    refresh,
    acknowledge,
    /** Notes that something has happened to alerts. */
    mark: () => {
      isStale = true
    }
  }
}
