import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { Identifiers } from "../Identifiers.js"
import { service } from "../inOrder.js"
import { GatewayInstance } from "./GatewayInstance.js"
import * as LibsqlClient from "./LibsqlClient.js"

/** The session has as many subscriptions as it may. */
export class TooManySubscriptions extends Data.TaggedError("TooManySubscriptions")<{ readonly limit: number }> {}

export interface Options {
  /** How many channels a session can subscribe to; 100 unless given. */
  readonly maximumSubscriptions?: number | undefined
}

export interface ChannelsService {
  /** Subscribes an agent to a channel until the scope ends, and says under which id; one that its session has already is told again. */
  readonly subscribe: (subscription: {
    readonly channel: string
    readonly agent: string
    readonly sessionId: string
  }) => Effect.Effect<string, TooManySubscriptions | SqlError, Scope.Scope>
  /** The agents that are subscribed to a channel, each once, by name; those of gateways that no longer run are not. */
  readonly subscribers: (channel: string) => Effect.Effect<ReadonlyArray<string>, SqlError>
}

/** The channels that agents are subscribed to, at all gateways of a data directory. */
export class Channels extends Context.Tag("kruxos/local/store/Channels")<Channels, ChannelsService>() {}

const decodeSubscribers = Schema.decodeUnknownSync(
  Schema.Array(Schema.Struct({ agent: Schema.String, owner: Schema.String }))
)

const decodeSubscriptions = Schema.decodeUnknownSync(
  Schema.Array(Schema.Struct({ subscriptionId: Schema.String, channel: Schema.String }))
)

const make = ({ maximumSubscriptions = 100 }: Options) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const gateway = yield* GatewayInstance
    const identifiers = yield* Identifiers
    const { atomically } = LibsqlClient.quick(sql)

    const add = (channel: string, agent: string, sessionId: string) =>
      atomically((rowsOf) => {
        const own = decodeSubscriptions(rowsOf(
          `SELECT subscription_id AS "subscriptionId", channel FROM channel_subscriptions WHERE session_id = ?`,
          [sessionId]
        ))
        const known = own.find((subscription) => subscription.channel === channel)
        if (known !== undefined) return { subscriptionId: known.subscriptionId, isNew: false }
        if (own.length >= maximumSubscriptions) return undefined
        const subscriptionId = `sub-${identifiers.uuid()}`
        rowsOf(
          `INSERT INTO channel_subscriptions (subscription_id, channel, agent, session_id, owner) VALUES (?, ?, ?, ?, ?)`,
          [subscriptionId, channel, agent, sessionId, gateway.id]
        )
        return { subscriptionId, isNew: true }
      })

    const remove = (subscriptionId: string) =>
      Effect.catchAll(
        sql`DELETE FROM channel_subscriptions WHERE subscription_id = ${subscriptionId}`,
        (cause) => Effect.logWarning(`The subscription ${subscriptionId} could not be ended`, cause)
      )

    const subscribe: ChannelsService["subscribe"] = ({ agent, channel, sessionId }) =>
      Effect.acquireRelease(
        Effect.flatMap(
          add(channel, agent, sessionId),
          (added) =>
            added === undefined ? new TooManySubscriptions({ limit: maximumSubscriptions }) : Effect.succeed(added)
        ),
        ({ isNew, subscriptionId }) => isNew ? remove(subscriptionId) : Effect.void
      ).pipe(Effect.map(({ subscriptionId }) => subscriptionId))

    const subscribers: ChannelsService["subscribers"] = (channel) =>
      atomically((rowsOf) => {
        const found = decodeSubscribers(rowsOf(
          `SELECT DISTINCT agent, owner FROM channel_subscriptions WHERE channel = ? ORDER BY agent`,
          [channel]
        ))
        for (const gone of new Set(found.flatMap(({ owner }) => gateway.isAlive(owner) ? [] : [owner]))) {
          rowsOf(`DELETE FROM channel_subscriptions WHERE owner = ?`, [gone])
        }
        return [...new Set(found.flatMap(({ agent, owner }) => gateway.isAlive(owner) ? [agent] : []))]
      })

    return { subscribe, subscribers }
  })

/** `Channels` in the store. */
export const layer = (
  options: Options = {}
): Layer.Layer<Channels, never, SqlClient.SqlClient | GatewayInstance> => service(Channels, make(options))
