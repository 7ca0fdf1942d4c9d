import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { AnyCapability } from "../../catalogue/Capability.js"
import { isOutgoing } from "./isOutgoing.js"

/** Where something is that was to leave the gateway. */
export type OutgoingStatus = "held" | "sent" | "cancelled"

/** What has left the gateway, or would have: messages, mail, alerts. */
export interface Outgoing {
  readonly capability: string
  /** As the invocation had them; what it left out is left out. */
  readonly arguments: unknown
  /** `held` while its buffer lasts or its transaction is open; `cancelled` if it never left. */
  readonly status: OutgoingStatus
}

/** What the gateway holds back, and until when. */
export interface Write {
  readonly writeId: string
  readonly until: number
}

/** One of them as it is now. */
export interface Entry extends Outgoing {
  readonly agent: string
  readonly write: Write | undefined
}

/** What an invocation in a transaction sends is held with its token until that is committed. */
export interface Holder {
  token: string | undefined
}

const holding: FiberRef.FiberRef<Holder | undefined> = FiberRef.unsafeMake<Holder | undefined>(undefined)

/** Holds what an effect sends, under the token that is in the holder then. */
export const hold = <A, E, R>(holder: Holder, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.locally(effect, holding, holder)

/** The holder of the fiber, if it has one. */
export const holder: Effect.Effect<Holder | undefined> = FiberRef.get(holding)

/** What a capability has come to. */
export interface Ran {
  readonly agent: string
  readonly capability: AnyCapability
  readonly arguments: unknown
  readonly output: unknown
}

/** All that is sent, or held back. It outlives the gateway's core, as what is behind a gateway does. */
export interface Outbox {
  /** Takes notice of what a capability has come to, if it sends anything. `output` is that of the handler, or as it goes on the wire. */
  readonly ran: (ran: Ran) => Effect.Effect<void>
  /** In the order in which they came to it. */
  readonly entries: Effect.Effect<ReadonlyArray<Entry>>
  /** Cancels what is held, the newest that has the id of the write, and says what it found: none where there is no such write. */
  readonly cancel: (agent: string, writeId: string) => Effect.Effect<Option.Option<OutgoingStatus>>
  /** Whether anything is held under a token. */
  readonly isHeld: (token: string) => Effect.Effect<boolean>
  /** Cancels what is held under a token. */
  readonly cancelHeld: (token: string) => Effect.Effect<void>
  /** Lets go of what is held under a token: it is sent when its time has come. */
  readonly letGo: (token: string) => Effect.Effect<void>
}

interface Kept extends Omit<Entry, "status"> {
  /** Undefined unless a transaction holds it. */
  token: string | undefined
  isCancelled: boolean
}

const decodeWrite = Schema.decodeUnknownOption(Schema.Struct({
  write_id: Schema.String,
  buffer_until: Schema.Union(Schema.String, Schema.DateTimeUtcFromSelf),
  status: Schema.Literal("buffered")
}))

// That Slack's is documented as text says nothing of its form; one that is no time is over at once.
const millisOf = (time: string | DateTime.Utc) =>
  Option.match(DateTime.make(time), { onNone: () => 0, onSome: DateTime.toEpochMillis })

const writeOf = (output: unknown): Write | undefined =>
  Option.getOrUndefined(
    Option.map(decodeWrite(output), ({ buffer_until, write_id }) => ({
      writeId: write_id,
      until: millisOf(buffer_until)
    }))
  )

const statusAt = (now: number) => ({ isCancelled, token, write }: Kept): OutgoingStatus => {
  if (isCancelled) return "cancelled"
  return token !== undefined || (write !== undefined && now < write.until) ? "held" : "sent"
}

/** Makes an outbox with nothing in it. */
export const make = (): Outbox => {
  const all: Array<Kept> = []
  const heldBy = (token: string) => all.filter((kept) => kept.token === token)
  return {
    ran: ({ agent, arguments: given, capability, output }) =>
      isOutgoing(capability)
        ? Effect.map(holder, (held) =>
          void all.push({
            agent,
            capability: capability.name,
            arguments: given,
            write: writeOf(output),
            token: held?.token,
            isCancelled: false
          }))
        : Effect.void,
    entries: Effect.map(Clock.currentTimeMillis, (now) =>
      all.map((kept) => ({
        agent: kept.agent,
        capability: kept.capability,
        arguments: kept.arguments,
        write: kept.write,
        status: statusAt(now)(kept)
      }))),
    cancel: (agent, writeId) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const found = all.filter((kept) => kept.agent === agent && kept.write?.writeId === writeId)
        const held = found.findLast((kept) => statusAt(now)(kept) === "held") ?? found.at(-1)
        if (held === undefined) return Option.none()
        const status = statusAt(now)(held)
        if (status === "held") held.isCancelled = true
        return Option.some(status)
      }),
    isHeld: (token) => Effect.sync(() => heldBy(token).length > 0),
    cancelHeld: (token) =>
      Effect.sync(() => {
        for (const kept of heldBy(token)) {
          kept.isCancelled = true
          kept.token = undefined
        }
      }),
    letGo: (token) =>
      Effect.sync(() => {
        for (const kept of heldBy(token)) kept.token = undefined
      })
  }
}
