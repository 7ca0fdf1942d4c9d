import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpIncomingMessage from "@effect/platform/HttpIncomingMessage"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type * as Redacted from "effect/Redacted"
import { byteLength, CloseCode, maximumFrameBytes } from "./Duplex.js"
import { trafficOf } from "./Meter.js"
import { Dropped } from "./Peer.js"

/** The gateway answered 401 or 403. */
export class Unauthorized extends Data.TaggedError("Unauthorized")<{ readonly status: number }> {}

/** What is posted. */
export interface Outgoing {
  readonly text: string
  /** How many answers may come: none is larger than a message may be. */
  readonly answers: number
}

/** What a POST was answered with. */
export interface Body {
  readonly status: number
  readonly text: string
  /** When it may be posted again, where the answer says so. */
  readonly retryAfterSeconds?: number | undefined
}

export const dropped = (reason: string, sent: boolean) =>
  new Dropped({ info: { code: CloseCode.abnormal, reason }, sent })

const neverConnected = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"])

const codeOf = (cause: unknown): string | undefined => {
  if (!Predicate.isRecord(cause)) return undefined
  return typeof cause["code"] === "string" ? cause["code"] : codeOf(cause["cause"])
}

/** Posts to one address. Interruption aborts the request. */
export type Post = (outgoing: Effect.Effect<Outgoing>) => Effect.Effect<Body, Unauthorized | Dropped>

// A date instead is of another clock.
const secondsOf = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined

const traffic = trafficOf("client")

/**
 * Makes what posts; the text is taken at the last moment, when the client is ready to send. An answer that is too large is not read to
 * its end, where the client can stop (Node's can, the standard fetch cannot).
 */
export const make = Effect.fnUntraced(function*(url: string, apiKey: Redacted.Redacted<string>) {
  const client = (yield* HttpClient.HttpClient).pipe(
    HttpClient.mapRequest(HttpClientRequest.bearerToken(apiKey)),
    // A body has calls of several traces; each says its own.
    HttpClient.withTracerDisabledWhen(() => true)
  )
  const request = HttpClientRequest.post(url)
  const execute = Effect.fnUntraced(function*(outgoing: Effect.Effect<Outgoing>) {
    let mostBytes = 0
    // What the client does before it sends comes first.
    const writing = HttpClient.mapRequestEffect(
      client,
      (prepared) =>
        Effect.map(outgoing, ({ answers, text }) => {
          traffic.sent(byteLength(text))
          // Besides them there are brackets, and commas between them.
          mostBytes = answers * (maximumFrameBytes + 1) + 1
          return HttpClientRequest.bodyText(prepared, text, "application/json")
        })
    )
    const response = yield* writing.execute(request)
    const { status } = response
    if (status === 401 || status === 403) return yield* new Unauthorized({ status })
    const answer = yield* HttpIncomingMessage.withMaxBodySize(response.text, Option.some(mostBytes))
    traffic.received(byteLength(answer))
    return { status, text: answer, retryAfterSeconds: secondsOf(response.headers["retry-after"]) }
  }, Effect.scoped)
  const post: Post = (outgoing) =>
    Effect.catchTags(execute(outgoing), {
      RequestError: (error) => Effect.fail(dropped(error.message, !neverConnected.has(codeOf(error.cause) ?? ""))),
      ResponseError: (error) => Effect.fail(dropped(error.message, true))
    })
  return post
})
