import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { Identifiers } from "../Identifiers.js"
import { service } from "../inOrder.js"
import * as Holding from "./holding.js"
import { Inbox, type Priority, urgencies } from "./Inbox.js"
import * as LibsqlClient from "./LibsqlClient.js"
import type { RowsOf } from "./TransactionLevel.js"

/** A message to one or more agents. */
export interface Outgoing {
  readonly from: string
  /** Each once, and none who does not exist. */
  readonly to: ReadonlyArray<string>
  readonly message: string
  readonly channel?: string | undefined
  readonly priority: Priority
}

/** Who has been sent a message. */
export interface Sent {
  /** With more than one recipient each has it under this id with a dot and a number behind it. */
  readonly messageId: string
  readonly to: ReadonlyArray<string>
  /** Those whose inbox has no room for it, or none for more of this sender's. */
  readonly full: ReadonlyArray<string>
  /** Whether it waits for the commit of a transaction. */
  readonly isHeld: boolean
}

export interface Options {
  /** How many unread messages of one sender an agent can have; 1,000 unless given. */
  readonly maximumUnreadOfSender?: number | undefined
}

export interface MessagesService {
  /** Puts a message into the inboxes of agents, in one step; within a transaction it is held until that is committed. */
  readonly send: (outgoing: Outgoing) => Effect.Effect<Sent, SqlError>
  /** How many unread messages of one sender an agent can have. */
  readonly maximumUnreadOfSender: number
  /** Whether anything is held under a token. */
  readonly hasHeld: (token: string) => Effect.Effect<boolean, SqlError>
  /** Drops what is held under a token. */
  readonly cancelHeld: (token: string) => Effect.Effect<void, SqlError>
  /** Delivers what is held under a token. */
  readonly letGo: (token: string) => Effect.Effect<void, SqlError>
}

/** What agents send to each other. */
export class Messages extends Context.Tag("kruxos/local/store/Messages")<Messages, MessagesService>() {}

const Held = Schema.Struct({
  messageId: Schema.String,
  agent: Schema.String,
  urgency: Schema.Number,
  from: Schema.String,
  channel: Schema.NullOr(Schema.String),
  message: Schema.parseJson(Schema.String),
  sentAt: Schema.Number
})

const decodeHeld = Schema.decodeUnknownSync(Schema.Array(Held))

const decodeNumber = Schema.decodeUnknownSync(Schema.Tuple(Schema.Struct({ number: Schema.Number })))

const numberOf = (rows: ReadonlyArray<unknown>) => decodeNumber(rows)[0].number

const unreadOfSender = `
  SELECT (SELECT COUNT(*) FROM inbox_messages WHERE agent = ? AND sender = ?)
    + (SELECT COUNT(*) FROM held_messages WHERE agent = ? AND sender = ?) AS "number"`

const unread = `
  SELECT (SELECT COUNT(*) FROM inbox_messages WHERE agent = ?)
    + (SELECT COUNT(*) FROM held_messages WHERE agent = ?) AS "number"`

const heldUnder = `
  SELECT message_id AS "messageId", agent, urgency, sender AS "from", channel, message, sent_at AS "sentAt"
  FROM held_messages WHERE token = ? ORDER BY position`

const holdOne = `
  INSERT INTO held_messages (message_id, position, token, agent, urgency, sender, channel, message, sent_at)
  SELECT ?, COALESCE(MAX(position), 0) + 1, ?, ?, ?, ?, ?, ?, ? FROM held_messages WHERE TRUE`

const make = (options: Options) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const inbox = yield* Inbox
    const identifiers = yield* Identifiers
    const { atomically } = LibsqlClient.quick(sql)
    const maximumUnreadOfSender = options.maximumUnreadOfSender ?? 1000

    // What is held is sure of its room.
    const hasRoom = (rowsOf: RowsOf, agent: string, from: string) =>
      numberOf(rowsOf(unreadOfSender, [agent, from, agent, from])) < maximumUnreadOfSender &&
      numberOf(rowsOf(unread, [agent, agent])) < inbox.maximumUnread

    const send: MessagesService["send"] = ({ channel = null, from, message, priority, to }) =>
      Effect.gen(function*() {
        const token = yield* Holding.token
        const sentAt = yield* Clock.currentTimeMillis
        const urgency = urgencies[priority]
        const messageId = `msg-${identifiers.uuid()}`
        const idOf = (index: number) => to.length === 1 ? messageId : `${messageId}.${index + 1}`
        const text = JSON.stringify(message)
        const full = yield* atomically((rowsOf) =>
          to.flatMap((agent, index) => {
            if (!hasRoom(rowsOf, agent, from)) return [agent]
            const id = idOf(index)
            if (token === undefined) {
              inbox.put(rowsOf, { messageId: id, agent, urgency, from, channel, message, sentAt })
            } else rowsOf(holdOne, [id, token, agent, urgency, from, channel, text, sentAt])
            return []
          }), (full) => {
          if (token !== undefined) return
          for (const [index, agent] of to.entries()) {
            if (!full.includes(agent)) inbox.tell(agent, { messageId: idOf(index), channel })
          }
        })
        return { messageId, to: to.filter((agent) => !full.includes(agent)), full, isHeld: token !== undefined }
      })

    const hasHeld: MessagesService["hasHeld"] = (token) =>
      Effect.map(
        atomically((rowsOf) =>
          numberOf(rowsOf(`SELECT COUNT(*) AS "number" FROM held_messages WHERE token = ?`, [token]))
        ),
        (count) => count > 0
      )

    const cancelHeld: MessagesService["cancelHeld"] = (token) =>
      Effect.asVoid(sql`DELETE FROM held_messages WHERE token = ${token}`)

    const letGo: MessagesService["letGo"] = (token) =>
      Effect.asVoid(atomically((rowsOf) => {
        const held = decodeHeld(rowsOf(heldUnder, [token]))
        for (const message of held) inbox.put(rowsOf, message)
        if (held.length > 0) rowsOf(`DELETE FROM held_messages WHERE token = ?`, [token])
        return held
      }, (held) => {
        for (const { agent, channel, messageId } of held) inbox.tell(agent, { messageId, channel })
      }))

    return { send, maximumUnreadOfSender, hasHeld, cancelHeld, letGo }
  })

/** `Messages` in the store. */
export const layer = (options: Options = {}): Layer.Layer<Messages, never, SqlClient.SqlClient | Inbox> =>
  service(Messages, make(options))
