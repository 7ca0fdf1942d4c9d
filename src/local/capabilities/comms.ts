import * as Effect from "effect/Effect"
import type { BuiltIn } from "../../catalogue/builtIn.js"
import { CapabilityUnavailable, InvalidInput } from "../../errors/general.js"
import { Inbox } from "../store/Inbox.js"
import type { HandlersOf } from "./Handler.js"

const mostMessages = 100

const limitTooHigh = () =>
  new InvalidInput({
    message: `limit can be ${mostMessages} at most`,
    field: "limit",
    reason: `above ${mostMessages}`
  })

const commsError = (cause: unknown) =>
  new CapabilityUnavailable({
    type: "CommsError",
    reason: "CommsError",
    message: "The messages could not be fetched",
    retryable: true,
    cause
  })

/** The handlers of `comms.*`. */
export const makeCommsHandlers: Effect.Effect<Pick<HandlersOf<BuiltIn, "comms">, "comms.receive">, never, Inbox> =
  Effect.gen(function*() {
    const inbox = yield* Inbox
    return {
      "comms.receive": ({ acknowledge, channel, limit }, { agent }) =>
        limit > mostMessages
          ? limitTooHigh()
          // The store refuses a NUL, and no channel has one.
          : channel?.includes("\0") === true
          ? Effect.succeed({ messages: [], remaining: 0 })
          : inbox.receive({ agent: agent.name, limit, channel, acknowledge }).pipe(
            Effect.map(({ messages, remaining }) => ({
              messages: messages.map(({ messageId, sentAt, ...message }) => ({
                ...message,
                message_id: messageId,
                sent_at: sentAt
              })),
              remaining
            })),
            Effect.mapError(commsError)
          )
    }
  })
