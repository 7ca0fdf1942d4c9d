import * as DateTime from "effect/DateTime"
import type { Fact } from "../audit/chain.js"
import { eventOf } from "./eventOf.js"
import type { SupervisionEvent } from "./SupervisionEvent.js"

/** What can be told: what the audit log has of it, or an event as it is. */
export type Happening = Fact | SupervisionEvent

/** An event in the form in which it is sent. */
export interface Written {
  readonly number: number
  readonly type: string
  readonly agent: string | null
  readonly sessionId: string | null
  /** The event as JSON, on one line. */
  readonly json: string
}

/** How many events are kept at most, and how many bytes. */
export interface Bounds {
  readonly events: number
  readonly bytes: number
}

/** The last events, by their numbers: 1, 2, 3 … */
export interface Ring {
  /** Adds an event; the oldest go to make room. */
  readonly add: (happening: Happening) => void
  /** The number of the oldest event that is kept; one more than the newest where there is none. */
  readonly oldest: () => number
  /** The number of the newest event; 0 before the first. */
  readonly newest: () => number
  /** The event of that number, where it is kept. It is put into its form the first time. */
  readonly get: (number: number) => Written | undefined
  /** How many bytes are kept. */
  readonly bytes: () => number
}

interface Slot {
  content: Happening | Written
  bytes: number
}

/** As the schema of events encodes it, in a tenth of the time. */
export const encode = ({ agent, data, session_id, timestamp, type }: SupervisionEvent): string =>
  JSON.stringify({ type, timestamp: DateTime.formatIso(timestamp), agent, session_id, data })

// That of the objects around the text.
const overhead = 512

const bytesOf = (text: string) => overhead + 2 * text.length

const isWritten = (content: Happening | Written): content is Written => "json" in content

const written = (number: number, happening: Happening): Written => {
  const event = "kind" in happening ? eventOf(happening) : happening
  return {
    number,
    type: event.type,
    agent: event.agent,
    sessionId: event.session_id ?? null,
    json: encode(event)
  }
}

/** Makes a ring without events. What is told is put into the form of an event only when somebody looks. */
export const make = (bounds: Bounds): Ring => {
  const slots: Array<Slot | undefined> = []
  let oldest = 1
  let next = 1
  let bytes = 0

  const place = (number: number) => number % bounds.events

  const drop = () => {
    const index = place(oldest++)
    bytes -= slots[index]?.bytes ?? 0
    slots[index] = undefined
  }

  const count = () => next - oldest

  // The newest stays, however large it is.
  const makeRoom = () => {
    while (bytes > bounds.bytes && count() > 1) drop()
  }

  return {
    add: (happening) => {
      if (count() === bounds.events) drop()
      const size = "kind" in happening ? bytesOf(happening.details) : overhead
      slots[place(next)] = { content: happening, bytes: size }
      next++
      bytes += size
      makeRoom()
    },
    oldest: () => oldest,
    newest: () => next - 1,
    get: (number) => {
      const slot = number < oldest || number >= next ? undefined : slots[place(number)]
      if (slot === undefined) return undefined
      if (isWritten(slot.content)) return slot.content
      const made = written(number, slot.content)
      const size = bytesOf(made.json)
      slot.content = made
      bytes += size - slot.bytes
      slot.bytes = size
      return made
    },
    bytes: () => bytes
  }
}
