import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import type { BuiltIn } from "../../catalogue/builtIn.js"
import { RecipientNotFound } from "../../errors/comms.js"
import { CapabilityUnavailable, InvalidInput, ResourceExhausted } from "../../errors/general.js"
import { type Agent, Agents } from "../store/Agents.js"
import { Channels, type TooManySubscriptions } from "../store/Channels.js"
import { Inbox } from "../store/Inbox.js"
import { Messages, type Outgoing } from "../store/Messages.js"
import { compileExpression } from "./filesystem/Glob.js"
import { globExpression } from "./filesystem/globExpression.js"
import type { HandlersOf } from "./Handler.js"

const longest = { message: 65_536, channel: 128, to: 256, "filter.name_pattern": 256 }

/** What stands before the name of a channel in place of an agent's name. */
const channelMark = "#"

const checkLength = (field: keyof typeof longest, text: string) =>
  text.length <= longest[field] ? Effect.void : new InvalidInput({
    message: `${field} can have ${longest[field]} characters at most`,
    field,
    reason: `longer than ${longest[field]} characters`
  })

const checkChannel = (field: "channel" | "to", channel: string) =>
  /^[A-Za-z0-9][A-Za-z0-9._:/-]*$/.test(channel) && channel.length <= longest.channel ? Effect.void : new InvalidInput({
    message:
      `The name of a channel has 1 to ${longest.channel} letters, digits and . _ : / -, the first a letter or a digit`,
    field,
    reason: "not the name of a channel"
  })

const commsError = (cause: SqlError) =>
  new CapabilityUnavailable({
    type: "CommsError",
    reason: "CommsError",
    message: "The gateway's store of messages does not answer",
    retryable: true,
    cause
  })

const tooMany = ({ limit }: TooManySubscriptions) =>
  new ResourceExhausted({
    message: `The session is subscribed to ${limit} channels, as many as it may`,
    resource: "subscriptions",
    limit,
    current: limit
  })

const notFound = (to: string) => {
  const recipient = to.slice(0, 128)
  const message = to.startsWith(channelMark)
    ? `Nobody is subscribed to the channel ${recipient.slice(1)}`
    : `There is no agent ${recipient}`
  return new RecipientNotFound({ message, recipient })
}

// A name has no slashes, so that a glob covers it as a whole.
const patternOf = (glob: string) =>
  Effect.mapError(
    Effect.flatMap(checkLength("filter.name_pattern", glob), () =>
      Either.flatMap(
        glob === "" ? Either.left("it is empty") : globExpression(glob, { anchored: true }),
        compileExpression
      )),
    (reason) =>
      typeof reason === "string"
        ? new InvalidInput({
          message: `filter.name_pattern is not a glob: ${reason}`,
          field: "filter.name_pattern",
          reason
        })
        : reason
  )

/** The handlers of those of `comms.*` that send and subscribe. A name that begins with `#` is that of a channel. */
export const makeSendingHandlers = Effect.gen(function*() {
  const agents = yield* Agents
  const channels = yield* Channels
  const inbox = yield* Inbox
  const messages = yield* Messages

  const isThere = ({ status }: Agent) => status !== "revoked"

  const sent = (outgoing: Outgoing) =>
    Effect.gen(function*() {
      const result = yield* messages.send(outgoing)
      const [full] = result.full
      if (result.to.length === 0 && full !== undefined) {
        return yield* new ResourceExhausted({
          message: `The inbox of ${full} has no room for a further message of ${outgoing.from}`,
          resource: "inbox",
          limit: messages.maximumUnreadOfSender,
          retryable: true
        })
      }
      const delivered = result.isHeld ? 0 : result.to.filter((agent) => inbox.isListening(agent)).length
      return { message_id: result.messageId, count: result.to.length, delivered }
    })

  const recipientsOf = (to: string) =>
    Effect.gen(function*() {
      if (!to.startsWith(channelMark)) {
        // The store refuses a NUL, and no agent has one.
        if (to.includes("\0")) return { to: [], channel: undefined }
        const found = yield* agents.get(to)
        return { to: Option.exists(found, isThere) ? [to] : [], channel: undefined }
      }
      const channel = to.slice(channelMark.length)
      yield* checkChannel("to", channel)
      return { to: yield* channels.subscribers(channel), channel }
    })

  const handlers: Omit<HandlersOf<BuiltIn, "comms">, "comms.receive"> = {
    "comms.send": ({ message, priority, to }, { agent }) =>
      Effect.gen(function*() {
        yield* checkLength("message", message)
        yield* checkLength("to", to)
        const recipients = yield* recipientsOf(to)
        if (recipients.to.length === 0) return yield* notFound(to)
        const { count, delivered, message_id } = yield* sent({ ...recipients, from: agent.name, message, priority })
        return { message_id, status: delivered === count ? "delivered" as const : "queued" as const, to }
      }).pipe(Effect.catchTag("SqlError", commsError)),

    "comms.broadcast": ({ filter = {}, message, priority }, { agent }) =>
      Effect.gen(function*() {
        yield* checkLength("message", message)
        const { name_pattern, policy_group } = filter
        const pattern = name_pattern === undefined ? undefined : yield* patternOf(name_pattern)
        const all = yield* agents.list
        const to = all.flatMap((other) =>
          isThere(other) && other.name !== agent.name &&
            (policy_group === undefined || other.policyGroup === policy_group) &&
            (pattern === undefined || pattern.matches(other.name))
            ? [other.name]
            : []
        )
        const { count, delivered, message_id } = yield* sent({ to, from: agent.name, message, priority })
        return { message_id, delivery_count: count, delivered, queued: count - delivered }
      }).pipe(Effect.catchTag("SqlError", commsError)),

    "comms.subscribe": ({ channel }, { agent, sessionId, sessionScope }) =>
      Effect.gen(function*() {
        yield* checkChannel("channel", channel)
        const subscription_id = yield* channels.subscribe({ channel, agent: agent.name, sessionId }).pipe(
          Scope.extend(sessionScope)
        )
        return { subscription_id, channel }
      }).pipe(Effect.catchTags({ SqlError: commsError, TooManySubscriptions: tooMany }))
  }
  return handlers
})
