import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Array from "effect/Array"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { randomUUID } from "node:crypto"
import * as rows from "./rows.js"

export type Priority = "low" | "normal" | "high"

/** Sorts before what is less urgent. */
const urgencies = { high: 0, normal: 1, low: 2 } as const

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
  /** How many messages an agent has not acknowledged. */
  readonly count: (agent: string) => Effect.Effect<number, SqlError>
}

/** The messages that wait for agents. */
export class Inbox extends Context.Tag("kruxos/local/store/Inbox")<Inbox, InboxService>() {}

const make = (options: Options) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const allMessages = rows.all(InboxMessage)
    const maximumUnread = options.maximumUnread ?? 10_000
    const columns = sql.literal(
      `message_id AS "messageId", sender AS "from", message, urgency AS "priority", sent_at AS "sentAt", channel`
    )

    const count: InboxService["count"] = (agent) =>
      rows.count(sql`SELECT COUNT(*) AS count FROM inbox_messages WHERE agent = ${agent}`)

    const deliver: InboxService["deliver"] = ({ agent, channel, from, message, priority }) =>
      Effect.gen(function*() {
        const messageId = `msg-${randomUUID()}`
        const text = yield* rows.encodeJson(message)
        const sentAt = DateTime.toEpochMillis(yield* DateTime.now)
        if ((yield* count(agent)) >= maximumUnread) return yield* new InboxFull({ agent, limit: maximumUnread })
        const position = yield* rows.count(
          sql`SELECT COALESCE(MAX(position), 0) AS count FROM inbox_messages WHERE agent = ${agent}`
        )
        yield* sql`
          INSERT INTO inbox_messages (message_id, agent, position, urgency, sender, channel, message, sent_at)
          VALUES (${messageId}, ${agent}, ${position + 1}, ${urgencies[priority ?? "normal"]}, ${from},
            ${channel ?? null}, ${text}, ${sentAt})`
        return messageId
      }).pipe(sql.withTransaction)

    const receive: InboxService["receive"] = ({ acknowledge, agent, channel, limit }) => {
      const matching = channel === undefined
        ? sql`agent = ${agent}`
        : sql`agent = ${agent} AND channel = ${channel}`
      const most = Math.min(Math.max(Math.trunc(limit), 0), maximumUnread)
      return Effect.gen(function*() {
        const messages = yield* allMessages(sql`
          SELECT ${columns} FROM inbox_messages WHERE ${matching} ORDER BY urgency, position LIMIT ${most}`)
        if (acknowledge && Array.isNonEmptyReadonlyArray(messages)) {
          yield* sql`DELETE FROM inbox_messages WHERE ${sql.in("message_id", messages.map((_) => _.messageId))}`
        }
        const remaining = yield* rows.count(sql`SELECT COUNT(*) AS count FROM inbox_messages WHERE ${matching}`)
        return { messages, remaining }
      }).pipe(sql.withTransaction)
    }

    return { deliver, receive, count }
  })

/** `Inbox` in the store. */
export const layer = (options: Options = {}): Layer.Layer<Inbox, never, SqlClient.SqlClient> =>
  Layer.effect(Inbox, make(options))
