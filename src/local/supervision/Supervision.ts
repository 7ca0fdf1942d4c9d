import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { randomBytes } from "node:crypto"
import { service } from "../inOrder.js"
import * as EventId from "./EventId.js"
import * as Ring from "./Ring.js"

/** Which events to read. What is not given lets all through. */
export interface EventFilter {
  readonly agent?: string | undefined
  readonly types?: ReadonlySet<string> | undefined
  readonly session?: string | undefined
}

/** What a reader takes at a time. */
export interface Batch {
  /** How many events, of whatever kind, fell out of the window before the reader came to them. They were before `events`. */
  readonly lost: number
  readonly events: ReadonlyArray<Ring.Written>
}

/** A place in the stream of events: all that a reader has of the gateway's memory. */
export interface Cursor {
  /** Takes what is next, some hundred events at most; nothing is a reason to look whether the cursor is at the end. */
  readonly take: () => Batch
  /** Whether nothing is left to take now. */
  readonly isAtEnd: () => boolean
  /** The id behind which the cursor stands: that of the last event that it has passed. */
  readonly position: () => string
}

/** What happens at the gateway, for supervisors. */
export interface SupervisionService {
  /** Tells of something. Takes a microsecond: what nobody looks at costs nothing more. */
  readonly tell: (happening: Ring.Happening) => void
  /** The id of the newest event; one with the number 0 before the first. */
  readonly newest: () => string
  readonly print: (number: number) => string
  /**
   * A cursor behind the event of that id, or behind the newest. Fails with InvalidEventId where it is no id, with EventExpired where
   * what followed it is not known any more.
   */
  readonly cursor: (
    behind: Option.Option<string>,
    filter: EventFilter
  ) => Effect.Effect<Cursor, EventId.InvalidEventId | EventId.EventExpired>
  /** Waits until something is told or `nudge` is called; not at all where `isReady`. Without a deadline: nudge in time. */
  readonly changed: (isReady: () => boolean) => Effect.Effect<void>
  /** Ends the waits of all readers. */
  readonly nudge: () => void
}

export class Supervision extends Context.Tag("kruxos/local/Supervision")<Supervision, SupervisionService>() {}

/** How much of the past is kept. */
const defaultBounds: Ring.Bounds = { events: 20_000, bytes: 32 * 1024 * 1024 }

const mostAtATime = 256

const mostCharacters = 65_536

const passes = ({ agent, session }: EventFilter, event: Ring.Written) =>
  (agent === undefined || event.agent === agent) && (session === undefined || event.sessionId === session)

const make = (bounds: Ring.Bounds): SupervisionService => {
  const ring = Ring.make(bounds)
  const gateway = randomBytes(6).toString("hex")
  const waiting = new Set<() => void>()

  const print = (number: number) => EventId.print({ gateway, number })

  const newest = () => print(ring.newest())

  const nudge = () => {
    if (waiting.size === 0) return
    const all = [...waiting]
    waiting.clear()
    for (const wake of all) wake()
  }

  const cursorAt = (start: number, filter: EventFilter): Cursor => {
    let position = start
    return {
      isAtEnd: () => position >= ring.newest(),
      position: () => print(position),
      take: () => {
        const lost = Math.max(0, ring.oldest() - 1 - position)
        position += lost
        const events: Array<Ring.Written> = []
        const last = Math.min(position + mostAtATime, ring.newest())
        let characters = 0
        while (position < last && characters < mostCharacters) {
          const event = ring.get(++position)
          if (event === undefined || !passes(filter, event)) continue
          if (filter.types !== undefined && !filter.types.has(event.type)) continue
          events.push(event)
          characters += event.json.length
        }
        return { lost, events }
      }
    }
  }

  return {
    tell: (happening) => {
      ring.add(happening)
      nudge()
    },
    newest,
    print,
    cursor: (behind, filter) =>
      Effect.gen(function*() {
        if (Option.isNone(behind)) return cursorAt(ring.newest(), filter)
        const id = behind.value
        const parsed = Option.getOrUndefined(EventId.parse(id))
        if (parsed === undefined) return yield* new EventId.InvalidEventId({ id: id.slice(0, 100) })
        const isOther = parsed.gateway !== gateway
        if (isOther || parsed.number < ring.oldest() - 1 || parsed.number > ring.newest()) {
          return yield* new EventId.EventExpired({
            id,
            newest: newest(),
            reason: isOther ? "other-gateway" : "out-of-window"
          })
        }
        return cursorAt(parsed.number, filter)
      }),
    changed: (isReady) =>
      // In one step: what is told between the look and the wait would be slept through.
      Effect.async((resume) => {
        if (isReady()) return resume(Effect.void)
        const wake = () => resume(Effect.void)
        waiting.add(wake)
        return Effect.sync(() => void waiting.delete(wake))
      }),
    nudge
  }
}

/** A stream of events that begins with the layer. */
export const layer = (bounds: Ring.Bounds = defaultBounds): Layer.Layer<Supervision> =>
  service(Supervision, Effect.sync(() => make(bounds)))
