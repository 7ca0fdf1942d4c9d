import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import type { Channel, ChannelFailure, ServerNotification } from "../../connection/Link.js"
import { progressMethod } from "../../connection/progress.js"
import type { Tap } from "../../connection/tap.js"
import type { RpcError } from "../../errors/wire.js"
import { isSecret } from "../script/show.js"
import { type Answer, type Cassette, type Entry, version } from "./Cassette.js"
import { type Question, questionOf } from "./comparison.js"
import { make as makeRedact, type Redact, type Redaction } from "./redact.js"

/** What is being recorded. */
export interface Recording {
  readonly tap: Tap
  /** From now on the end of the session is the recorder's doing. */
  readonly end: () => void
  /** What there is so far; undefined where there has been no session. */
  readonly cassette: () => Cassette | undefined
}

type Outcome = Omit<Answer, "step" | "at">

/** A request, from the moment in which it was asked. */
interface Asked {
  readonly question: Question
  readonly at: number
  /** Undefined until it has ended. */
  answer: { readonly at: number; readonly outcome: Outcome } | undefined
}

type Happened =
  | { readonly _tag: "Asked"; readonly asked: Asked }
  | { readonly _tag: "Answered"; readonly asked: Asked }
  | { readonly _tag: "Notified"; readonly at: number; readonly notification: ServerNotification }
  | { readonly _tag: "Opened"; readonly at: number; readonly channel: Channel }
  | { readonly _tag: "Closed"; readonly at: number }
  | { readonly _tag: "Ended"; readonly at: number; readonly cause: Parameters<Tap["ended"]>[0] }

/** A value as JSON has it, which nobody changes afterwards; none where JSON has no form for it. */
export const snapshot = (value: unknown): Option.Option<unknown> => {
  if (value === undefined) return Option.some(undefined)
  try {
    return Option.some(JSON.parse(JSON.stringify(value)))
  } catch {
    return Option.none()
  }
}

const snapshotOf = (value: unknown): unknown => Option.getOrUndefined(snapshot(value))

const failed = (failure: ChannelFailure): Outcome | undefined => {
  switch (failure._tag) {
    case "RpcFailure":
      return { error: failure.error }
    case "SessionLost":
      return { sessionLost: failure.error }
    case "Dropped":
      return failure.sent ? { dropped: failure.info } : undefined
    case "DeadlinePassed":
      return failure.sent ? { abandoned: "deadline" } : undefined
    case "Unsendable":
      return undefined
  }
}

// What was never sent is as if it had not been asked.
const outcomeOf = (exit: Exit.Exit<unknown, ChannelFailure>): Outcome | undefined => {
  if (Exit.isSuccess(exit)) return { result: snapshotOf(exit.value) ?? null }
  const failure = Cause.failureOption(exit.cause)
  return Option.isSome(failure) ? failed(failure.value) : { abandoned: "interrupted" }
}

// The keys of a request's arguments are not in its result.
const secretNamesOf = ({ params }: Question): ReadonlySet<string> => {
  const input = Predicate.isReadonlyRecord(params) && Predicate.isReadonlyRecord(params["arguments"])
    ? params["arguments"]
    : {}
  const key = input["key"]
  return new Set(typeof key === "string" && isSecret(key) ? ["value", "previous_value"] : [])
}

// A key that is so short is no secret, and stands everywhere.
const shortestKey = 8

/** Makes one, which begins now. `redactions` are what must not be in it besides what is a secret by its name. */
export const make = (clock: Clock.Clock, redactions: ReadonlyArray<Redaction>): Recording => {
  const start = clock.unsafeCurrentTimeMillis()
  const now = () => clock.unsafeCurrentTimeMillis() - start
  const keys = new Set<string>()
  let happened: Array<Happened> = []
  let pushes = true
  let isEnding = false

  const begin = (method: string, params: unknown): Asked | undefined => {
    const sent = snapshot(params)
    if (Option.isNone(sent)) return undefined
    const asked: Asked = { question: questionOf(method, sent.value), at: now(), answer: undefined }
    happened.push({ _tag: "Asked", asked })
    return asked
  }

  const answered = (asked: Asked, outcome: Outcome | undefined) => {
    if (outcome === undefined) {
      happened = happened.filter((event) => !(event._tag === "Asked" && event.asked === asked))
      return
    }
    asked.answer = { at: now(), outcome }
    happened.push({ _tag: "Answered", asked })
  }

  const request = (channel: Channel): Channel["request"] => (method, params, timeoutMillis, traffic) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.suspend(() => {
        const asked = begin(method, params)
        const answer = restore(channel.request(method, params, timeoutMillis, traffic))
        return asked === undefined
          ? answer
          : Effect.onExit(answer, (exit) => Effect.sync(() => answered(asked, outcomeOf(exit))))
      })
    )

  const tap: Tap = {
    opened: (channel, link) => {
      const key = Redacted.value(link.options.apiKey)
      if (key.length >= shortestKey) keys.add(key)
      pushes = link.pushes
      happened.push({ _tag: "Opened", at: now(), channel })
      const { peer: _, ...rest } = channel
      // Without its peer, so that there is one way only to ask.
      return { ...rest, request: request(channel) }
    },
    closed: () => {
      if (!isEnding) happened.push({ _tag: "Closed", at: now() })
    },
    notified: (notification) => happened.push({ _tag: "Notified", at: now(), notification }),
    ended: (cause) => happened.push({ _tag: "Ended", at: now(), cause })
  }

  return {
    tap,
    end: () => {
      isEnding = true
    },
    cassette: () =>
      happened.some(({ _tag }) => _tag === "Opened")
        ? { version, pushes, entries: entriesOf(happened, makeRedact([...redactions, ...keys])) }
        : undefined
  }
}

const redactError = ({ code, data, message }: RpcError, redact: Redact): RpcError => ({
  code,
  message: textOf(redact(message)),
  ...(data === undefined ? {} : { data: redact(snapshotOf(data)) })
})

const textOf = (value: unknown) => typeof value === "string" ? value : ""

const redactOutcome = (question: Question, outcome: Outcome, redact: Redact): Outcome => {
  if (outcome.error !== undefined) return { error: redactError(outcome.error, redact) }
  if (outcome.sessionLost !== undefined) return { sessionLost: redactError(outcome.sessionLost, redact) }
  if (outcome.dropped !== undefined) {
    return { dropped: { code: outcome.dropped.code, reason: textOf(redact(outcome.dropped.reason)) } }
  }
  return "result" in outcome ? { result: redact(outcome.result, secretNamesOf(question)) } : outcome
}

const entriesOf = (happened: ReadonlyArray<Happened>, redact: Redact): ReadonlyArray<Entry> => {
  const steps = new Map<Asked, number>()
  happened.forEach((event, index) => {
    if (event._tag === "Answered") steps.set(event.asked, index + 1)
  })

  const answerOf = (asked: Asked): Answer | undefined => {
    const step = steps.get(asked)
    return asked.answer === undefined || step === undefined
      ? undefined
      : { step, at: asked.answer.at, ...redactOutcome(asked.question, asked.answer.outcome, redact) }
  }

  const entryOf = (event: Happened, step: number): ReadonlyArray<Entry> => {
    switch (event._tag) {
      case "Asked": {
        const { at, question } = event.asked
        const answer = answerOf(event.asked)
        return [{
          step,
          at,
          request: question.method,
          ...(question.params === undefined ? {} : { params: redact(question.params) }),
          ...(question.progressToken === undefined ? {} : { progressToken: question.progressToken }),
          ...(answer === undefined ? {} : { answer })
        }]
      }
      case "Answered":
        return []
      case "Notified": {
        const { method, params } = event.notification
        const token = method === progressMethod && Predicate.isReadonlyRecord(params)
          ? { progressToken: params["progressToken"] }
          : {}
        const told = redact(snapshotOf(params))
        return [{
          step,
          at: event.at,
          notification: method,
          // Its token is none of the secrets that are called so.
          ...(params === undefined ? {} : { params: Predicate.isReadonlyRecord(told) ? { ...told, ...token } : told })
        }]
      }
      case "Opened": {
        const { dialect, features, isResumed, outcomeRecord, session } = event.channel
        return [{
          step,
          at: event.at,
          connected: { session, dialect, features: [...features], outcomeRecord, isResumed }
        }]
      }
      case "Closed":
        return [{ step, at: event.at, disconnected: true }]
      case "Ended": {
        const { _tag, message } = event.cause
        return [{ step, at: event.at, ended: { type: _tag, message: textOf(redact(message)) } }]
      }
    }
  }

  return happened.flatMap((event, index) => entryOf(event, index + 1))
}
