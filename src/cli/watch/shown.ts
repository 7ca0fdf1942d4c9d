import * as DateTime from "effect/DateTime"
import type { SupervisionEvent } from "../../local/supervision/SupervisionEvent.js"
import type { Activity } from "./activity.js"

const keyOf = ({ agent, data, session_id, timestamp, type }: SupervisionEvent): string =>
  JSON.stringify([
    type,
    DateTime.toEpochMillis(timestamp),
    agent,
    session_id,
    data["capability"],
    data["approval_id"],
    data["transaction_id"]
  ])

/** What stands for the start and the end of an invocation in the log is two events in the feed. */
const keysOf = (item: Activity): ReadonlyArray<string> => {
  const { arguments: given, duration_ms } = item.data
  if (given === undefined || typeof duration_ms !== "number" || item.type === "capability_invoked") return [keyOf(item)]
  return [
    keyOf({ ...item, type: "capability_invoked" }),
    keyOf({ ...item, timestamp: DateTime.add(item.timestamp, { millis: duration_ms }) })
  ]
}

/** What was shown of the log, so that what the feed says of the same is not shown again. */
export interface Shown {
  readonly add: (item: Activity) => void
  /** Whether an event is of what was shown, and has not come before. */
  readonly take: (event: SupervisionEvent) => boolean
}

/** Nothing was shown yet. */
export const makeShown = (): Shown => {
  const counts = new Map<string, number>()
  return {
    add: (item) => {
      for (const key of keysOf(item)) counts.set(key, (counts.get(key) ?? 0) + 1)
    },
    take: (event) => {
      if (counts.size === 0) return false
      const key = keyOf(event)
      const left = (counts.get(key) ?? 0) - 1
      if (left > 0) counts.set(key, left)
      else counts.delete(key)
      return left >= 0
    }
  }
}
