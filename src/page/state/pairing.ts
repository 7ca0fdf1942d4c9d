import * as DateTime from "effect/DateTime"
import type { SupervisionEvent } from "../../local/supervision/SupervisionEvent.js"

interface Open {
  count: number
  readonly startedAt: number
  /** The arguments, where only one invocation can be meant; undefined as soon as there could be another. */
  given: unknown
}

const maximumOpen = 2000

/** How far, in milliseconds, the end may be from where the start and the duration put it. */
const tolerance = 25

const fits = ({ startedAt }: Open, { data, timestamp }: SupervisionEvent): boolean => {
  const duration = data["duration_ms"]
  return typeof duration === "number" &&
    Math.abs(DateTime.toEpochMillis(timestamp) - duration - startedAt) <= tolerance
}

const keyOf = ({ agent, data, session_id }: SupervisionEvent): string =>
  JSON.stringify([agent, session_id, data["capability"], data["approval_id"], data["transaction_id"]])

/**
 * Makes what adds to the end of an invocation the arguments that came with its start. The stream does not say which start an end
 * belongs to: where it could be more than one, nothing is added.
 */
export const makePairing = (): (event: SupervisionEvent) => SupervisionEvent => {
  const running = new Map<string, Open>()
  return (event) => {
    const { data, timestamp, type } = event
    if (type === "capability_invoked") {
      const key = keyOf(event)
      const open = running.get(key)
      if (open !== undefined) {
        open.count++
        open.given = undefined
      } else if (running.size < maximumOpen) {
        running.set(key, {
          count: 1,
          startedAt: DateTime.toEpochMillis(timestamp),
          given: data["arguments"]
        })
      }
      return event
    }
    if (type !== "capability_result" && type !== "capability_error") return event
    if ("arguments" in data || data["answered"] === true) return event
    const key = keyOf(event)
    const open = running.get(key)
    if (open === undefined) return event
    if (--open.count === 0) running.delete(key)
    return open.given === undefined || !fits(open, event)
      ? event
      : { ...event, data: { ...data, arguments: open.given } }
  }
}
