import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type * as Redacted from "effect/Redacted"
import { byteLength, CloseCode } from "./Duplex.js"
import { trafficOf } from "./Meter.js"
import { Dropped } from "./Peer.js"

/** The gateway answered 401 or 403. */
export class Unauthorized extends Data.TaggedError("Unauthorized")<{ readonly status: number }> {}

/** What a POST was answered with. */
export interface Body {
  readonly status: number
  readonly text: string
}

export const dropped = (reason: string, sent: boolean) =>
  new Dropped({ info: { code: CloseCode.abnormal, reason }, sent })

const neverConnected = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"])

const codeOf = (cause: unknown): string | undefined => {
  if (!Predicate.isRecord(cause)) return undefined
  return typeof cause["code"] === "string" ? cause["code"] : codeOf(cause["cause"])
}

/** Posts to one address. Interruption aborts the request. */
export type Post = (text: Effect.Effect<string>) => Effect.Effect<Body, Unauthorized | Dropped>

const traffic = trafficOf("client")

/** Makes what posts; the text is taken at the last moment, when the client is ready to send. */
export const make = Effect.fnUntraced(function*(url: string, apiKey: Redacted.Redacted<string>) {
  const client = (yield* HttpClient.HttpClient).pipe(
    HttpClient.mapRequest(HttpClientRequest.bearerToken(apiKey)),
    // A body has calls of several traces; each says its own.
    HttpClient.withTracerDisabledWhen(() => true)
  )
  const request = HttpClientRequest.post(url)
  const execute = Effect.fnUntraced(function*(text: Effect.Effect<string>) {
    // What the client does before it sends comes first.
    const writing = HttpClient.mapRequestEffect(
      client,
      (prepared) =>
        Effect.map(text, (body) => {
          traffic.sent(byteLength(body))
          return HttpClientRequest.bodyText(prepared, body, "application/json")
        })
    )
    const response = yield* writing.execute(request)
    const { status } = response
    if (status === 401 || status === 403) return yield* new Unauthorized({ status })
    const answer = yield* response.text
    traffic.received(byteLength(answer))
    return { status, text: answer }
  }, Effect.scoped)
  const post: Post = (text) =>
    Effect.catchTags(execute(text), {
      RequestError: (error) => Effect.fail(dropped(error.message, !neverConnected.has(codeOf(error.cause) ?? ""))),
      ResponseError: (error) => Effect.fail(dropped(error.message, true))
    })
  return post
})
