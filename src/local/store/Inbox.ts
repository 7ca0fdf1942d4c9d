import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Array from "effect/Array"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { untilClose } from "../../connection/untilClose.js"
import { Identifiers } from "../Identifiers.js"
import { service } from "../inOrder.js"
import * as LibsqlClient from "./LibsqlClient.js"
import { endOfPrefix } from "./prefixes.js"
import * as rows from "./rows.js"
import type { RowsOf } from "./TransactionLevel.js"

export type Priority = "low" | "normal" | "high"

/** Sorts before what is less urgent. */
export const urgencies = { high: 0, normal: 1, low: 2 } as const

const PriorityFromUrgency = Schema.transformLiterals(
  [urgencies.high, "high"],
  [urgencies.normal, "normal"],
  [urgencies.low, "low"]
)

/** A message in an agent's inbox; `channel` is null for what was sent to the agent alone. */
export const InboxMessage = Schema.Struct({
  messageId: Schema.String,
  from: Schema.String,
  message: Schema.parseJson(Schema.String),
  priority: PriorityFromUrgency,
  sentAt: rows.Timestamp,
  channel: Schema.NullOr(Schema.String)
})
export interface InboxMessage extends Schema.Schema.Type<typeof InboxMessage> {}

/** The agent has as many unread messages as an inbox holds; the message was not delivered. */
export class InboxFull extends Data.TaggedError("InboxFull")<{ readonly agent: string; readonly limit: number }> {
  override get message() {
    return `The inbox of ${this.agent} is full: ${this.limit} unread messages`
  }
}

export interface Options {
  /** How many unread messages an agent can have; 10,000 unless given. */
  readonly maximumUnread?: number | undefined
}

/** That an agent has got a message. */
export interface Arrival {
  readonly messageId: string
  readonly channel: string | null
}

/** Channels whose names begin alike, and that share the room that there is for them. */
export interface Family {
  readonly prefix: string
  /** Where room is short, all messages of channels go for which this is true, the oldest channels first. */
  readonly isOver: (channel: string) => boolean
}

type Listener = (arrival: Arrival) => void

/** A message as it is put into an inbox, with all that is decided about it. */
export interface Placed {
  readonly messageId: string
  readonly agent: string
  readonly urgency: number
  readonly from: string
  readonly channel: string | null
  readonly message: string
  readonly sentAt: number
}

/** What keeps the messages that are acknowledged; `token` is a name without a slash. */
export interface Keeper {
  token: string | undefined
}

const keeping: FiberRef.FiberRef<Keeper | undefined> = FiberRef.unsafeMake<Keeper | undefined>(undefined)

/** Keeps what an effect acknowledges, under the token that is in the keeper then, so that it can be put back. */
export const keep = <A, E, R>(keeper: Keeper, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.locally(effect, keeping, keeper)

/** The keeper of the fiber, if it has one. */
export const keeper: Effect.Effect<Keeper | undefined> = FiberRef.get(keeping)

export interface InboxService {
  /** Puts a message into an agent's inbox and says its id. Does not ask whether there is such an agent. */
  readonly deliver: (message: {
    readonly agent: string
    readonly from: string
    readonly message: string
    readonly channel?: string | undefined
    /** `"normal"` unless given. */
    readonly priority?: Priority | undefined
  }) => Effect.Effect<string, InboxFull | SqlError>
  /**
   * Puts messages into an agent's inbox in one step, as many as there is room for, and says how many: no more than
   * `maximumUnread` of the channel may be unread, and of all channels of its family no more than half of what an inbox holds.
   */
  readonly deliverAll: (delivery: {
    readonly agent: string
    readonly from: string
    readonly channel: string
    readonly messages: ReadonlyArray<string>
    readonly maximumUnread: number
    readonly family?: Family | undefined
  }) => Effect.Effect<number, SqlError>
  /**
   * Tells every message that this gateway puts into an agent's inbox, from now on until the scope ends. What is told must take no
   * time.
   */
  readonly listen: (agent: string, listener: Listener) => Effect.Effect<void, never, Scope.Scope>
  /**
   * The most urgent messages, the oldest of them first, of one channel where it is given. `acknowledge` takes them out
   * in the same step, so that nobody else gets them. `remaining` counts what is left of the same channel: with
   * `acknowledge`, what was not fetched; without, everything.
   */
  readonly receive: (request: {
    readonly agent: string
    readonly limit: number
    readonly channel?: string | undefined
    readonly acknowledge: boolean
  }) => Effect.Effect<{ readonly messages: ReadonlyArray<InboxMessage>; readonly remaining: number }, SqlError>
  /** Whether anything is kept under a token. */
  readonly hasKept: (agent: string, token: string) => Effect.Effect<boolean, SqlError>
  /** Puts what is kept under a token back to where it was among the unread messages, and tells it as if it had just come. */
  readonly putBack: (agent: string, token: string) => Effect.Effect<void, SqlError>
  /** Removes what is kept under a token. */
  readonly forget: (agent: string, token: string) => Effect.Effect<void, SqlError>
  /** Puts a message into an inbox, whether there is room or not, as a part of a transaction; {@link tell} is to follow its commit. */
  readonly put: (rowsOf: RowsOf, message: Placed) => void
  /** Tells whoever listens for an agent of a message that it has got. */
  readonly tell: (agent: string, arrival: Arrival) => void
  /** Whether anybody listens for an agent: whether it is connected to this gateway. */
  readonly isListening: (agent: string) => boolean
  /** How many unread messages an agent can have. */
  readonly maximumUnread: number
  /** How many messages an agent has not acknowledged. */
  readonly count: (agent: string) => Effect.Effect<number, SqlError>
}

/** The messages that wait for agents. */
export class Inbox extends Context.Tag("kruxos/local/store/Inbox")<Inbox, InboxService>() {}

interface Delivery {
  readonly agent: string
  readonly from: string
  readonly channel: string | null
  readonly messages: ReadonlyArray<string>
  readonly sentAt: number
  readonly urgency: number
}

const unread = `SELECT COUNT(*) AS "number" FROM inbox_messages WHERE agent = ?`

const unreadOfChannel = `SELECT COUNT(*) AS "number" FROM inbox_messages WHERE agent = ? AND channel = ?`

// The oldest first.
const unreadOfFamily = `
  SELECT channel, COUNT(*) AS "number" FROM inbox_messages
  WHERE agent = ? AND channel >= ? AND channel < ? GROUP BY channel ORDER BY MIN(rowid)`

const deleteChannel = `DELETE FROM inbox_messages WHERE agent = ? AND channel = ?`

// Kept messages can be put back: nothing may have their positions meanwhile.
const newestPosition = `
  SELECT COALESCE(MAX(newest), 0) AS "number" FROM (
    SELECT MAX(position) AS newest FROM inbox_messages WHERE agent = ?
    UNION ALL SELECT MAX(position) FROM inbox_messages WHERE agent > ? AND agent < ?) AS newest_of_all`

// No agent has such a name.
const keptBy = (agent: string, token = "") => `${agent}/${token}`

const arrivals = `SELECT message_id AS "messageId", channel FROM inbox_messages WHERE agent = ? ORDER BY position`

const moveAll = `UPDATE inbox_messages SET agent = ? WHERE agent = ?`

const decodeArrivals = Schema.decodeUnknownSync(
  Schema.Array(Schema.Struct({ messageId: Schema.String, channel: Schema.NullOr(Schema.String) }))
)

const insert = `
  INSERT INTO inbox_messages (message_id, agent, position, urgency, sender, channel, message, sent_at)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?)`

const decodeNumbers = Schema.decodeUnknownSync(Schema.Tuple(Schema.Struct({ number: Schema.Number })))

const decodeNumber = (rows: ReadonlyArray<unknown>) => decodeNumbers(rows)[0].number

const decodeChannels = Schema.decodeUnknownSync(
  Schema.Array(Schema.Struct({ channel: Schema.String, number: Schema.Number }))
)

const make = (options: Options) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const identifiers = yield* Identifiers
    const { atomically } = LibsqlClient.quick(sql)
    const allMessages = rows.all(InboxMessage)
    const maximumUnread = options.maximumUnread ?? 10_000
    const columns = sql.literal(
      `message_id AS "messageId", sender AS "from", message, urgency AS "priority", sent_at AS "sentAt", channel`
    )

    const count: InboxService["count"] = (agent) =>
      rows.count(sql`SELECT COUNT(*) AS count FROM inbox_messages WHERE agent = ${agent}`)

    const listenersOf = new Map<string, Set<Listener>>()

    const tell = (agent: string, arrivals: ReadonlyArray<Arrival>) => {
      const listeners = listenersOf.get(agent)
      if (listeners === undefined) return
      for (const arrival of arrivals) for (const listener of listeners) listener(arrival)
    }

    const putOne = (rowsOf: RowsOf, { agent, channel, from, message, messageId, sentAt, urgency }: Placed) => {
      const position = decodeNumber(rowsOf(newestPosition, [agent, keptBy(agent), endOfPrefix(keptBy(agent))]))
      rowsOf(insert, [messageId, agent, position + 1, urgency, from, channel, JSON.stringify(message), sentAt])
    }

    const put = (rowsOf: RowsOf, { agent, channel, from, messages, sentAt, urgency }: Delivery) => {
      const position = decodeNumber(rowsOf(newestPosition, [agent, keptBy(agent), endOfPrefix(keptBy(agent))]))
      return messages.map((message, index): Arrival => {
        const messageId = `msg-${identifiers.uuid()}`
        rowsOf(insert, [
          messageId,
          agent,
          position + 1 + index,
          urgency,
          from,
          channel,
          JSON.stringify(message),
          sentAt
        ])
        return { messageId, channel }
      })
    }

    const deliver: InboxService["deliver"] = ({ agent, channel = null, from, message, priority = "normal" }) =>
      Effect.flatMap(Clock.currentTimeMillis, (sentAt) =>
        atomically(
          (rowsOf) =>
            decodeNumber(rowsOf(unread, [agent])) < maximumUnread
              ? put(rowsOf, { agent, channel, from, messages: [message], sentAt, urgency: urgencies[priority] })
              : [],
          (arrivals) => tell(agent, arrivals)
        )).pipe(
          Effect.flatMap(([arrival]) =>
            arrival === undefined
              ? new InboxFull({ agent, limit: maximumUnread })
              : Effect.succeed(arrival.messageId)
          )
        )

    const half = Math.floor(maximumUnread / 2)

    // How many of the messages that are wanted the family has room for.
    const makeRoom = (rowsOf: RowsOf, { isOver, prefix }: Family, agent: string, channel: string, wanted: number) => {
      if (decodeNumber(rowsOf(unread, [agent])) + wanted <= half) return wanted
      const channels = decodeChannels(rowsOf(unreadOfFamily, [agent, prefix, endOfPrefix(prefix)]))
      let room = half - channels.reduce((sum, { number }) => sum + number, 0)
      for (const other of channels) {
        if (room >= wanted) break
        if (other.channel === channel || !isOver(other.channel)) continue
        rowsOf(deleteChannel, [agent, other.channel])
        room += other.number
      }
      return room
    }

    const deliverAll: InboxService["deliverAll"] = ({ agent, channel, family, from, maximumUnread: most, messages }) =>
      Effect.flatMap(Clock.currentTimeMillis, (sentAt) =>
        atomically((rowsOf) => {
          const wanted = Math.min(messages.length, most - decodeNumber(rowsOf(unreadOfChannel, [agent, channel])))
          const ofFamily = family === undefined ? wanted : makeRoom(rowsOf, family, agent, channel, wanted)
          const room = Math.min(wanted, ofFamily, maximumUnread - decodeNumber(rowsOf(unread, [agent])))
          const fitting = messages.slice(0, Math.max(room, 0))
          return put(rowsOf, { agent, channel, from, messages: fitting, sentAt, urgency: urgencies.normal })
        }, (arrivals) => tell(agent, arrivals))).pipe(Effect.map((arrivals) => arrivals.length))

    const listen: InboxService["listen"] = (agent, listener) =>
      untilClose(
        () => {
          const listeners = listenersOf.get(agent) ?? new Set()
          listenersOf.set(agent, listeners.add(listener))
        },
        () => {
          const listeners = listenersOf.get(agent)
          listeners?.delete(listener)
          if (listeners?.size === 0) listenersOf.delete(agent)
        }
      )

    const receive: InboxService["receive"] = ({ acknowledge, agent, channel, limit }) => {
      const matching = channel === undefined
        ? sql`agent = ${agent}`
        : sql`agent = ${agent} AND channel = ${channel}`
      const most = Math.min(Math.max(Math.trunc(limit), 0), maximumUnread)
      return Effect.gen(function*() {
        const messages = yield* allMessages(sql`
          SELECT ${columns} FROM inbox_messages WHERE ${matching} ORDER BY urgency, position LIMIT ${most}`)
        if (acknowledge && Array.isNonEmptyReadonlyArray(messages)) {
          const taken = sql.in("message_id", messages.map((_) => _.messageId))
          const token = (yield* keeper)?.token
          yield* token === undefined
            ? sql`DELETE FROM inbox_messages WHERE ${taken}`
            : sql`UPDATE inbox_messages SET agent = ${keptBy(agent, token)} WHERE ${taken}`
        }
        const remaining = yield* rows.count(sql`SELECT COUNT(*) AS count FROM inbox_messages WHERE ${matching}`)
        return { messages, remaining }
      }).pipe(sql.withTransaction)
    }

    const hasKept: InboxService["hasKept"] = (agent, token) =>
      Effect.map(count(keptBy(agent, token)), (kept) => kept > 0)

    const putBack: InboxService["putBack"] = (agent, token) =>
      Effect.asVoid(atomically((rowsOf) => {
        const back = decodeArrivals(rowsOf(arrivals, [keptBy(agent, token)]))
        rowsOf(moveAll, [agent, keptBy(agent, token)])
        return back
      }, (back) => tell(agent, back)))

    const forget: InboxService["forget"] = (agent, token) =>
      Effect.asVoid(sql`DELETE FROM inbox_messages WHERE agent = ${keptBy(agent, token)}`)

    const service: InboxService = {
      deliver,
      deliverAll,
      listen,
      receive,
      hasKept,
      putBack,
      forget,
      put: putOne,
      tell: (agent, arrival) => tell(agent, [arrival]),
      isListening: (agent) => listenersOf.has(agent),
      maximumUnread,
      count
    }
    return service
  })

/** `Inbox` in the store. */
export const layer = (options: Options = {}): Layer.Layer<Inbox, never, SqlClient.SqlClient> =>
  service(Inbox, make(options))
