import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Predicate from "effect/Predicate"
import type * as Redacted from "effect/Redacted"
import * as Request from "effect/Request"
import * as RequestResolver from "effect/RequestResolver"
import { byteLength, CloseCode, maximumFrameBytes } from "./Duplex.js"
import { decodeFrame, encodeRequest, type Frame, type Message, type RpcId } from "./jsonRpc.js"
import { DeadlinePassed, Dropped, type RequestFailure, RpcFailure, tooLarge, unsendable } from "./Peer.js"

/** The gateway answered 401 or 403. */
export class Unauthorized extends Data.TaggedError("Unauthorized")<{ readonly status: number }> {}

/** What a call of `/rpc` can fail with. */
export type RpcCallFailure = RequestFailure | Unauthorized

/** A call of `/rpc`. Calls that Effect batches (`Effect.forEach(…, { batching: true })`) share one HTTP request. */
export interface RpcCall extends Request.Request<unknown, RpcCallFailure> {
  readonly _tag: "RpcCall"
  readonly id: RpcId
  readonly method: string
  readonly params: unknown
  readonly timeoutMillis: number
}
export const RpcCall = Request.tagged<RpcCall>("RpcCall")

export const dropped = (reason: string, sent: boolean) =>
  new Dropped({ info: { code: CloseCode.abnormal, reason }, sent })

const neverConnected = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"])

const codeOf = (cause: unknown): string | undefined => {
  if (!Predicate.isRecord(cause)) return undefined
  return typeof cause["code"] === "string" ? cause["code"] : codeOf(cause["cause"])
}

interface Body {
  readonly status: number
  readonly text: string
}

const answerOf = (message: Message | undefined, status: number): Exit.Exit<unknown, RequestFailure> => {
  switch (message?._tag) {
    case "Success":
      return Exit.succeed(message.result)
    case "Failure":
      return Exit.fail(new RpcFailure({ error: message.error }))
    default:
      return Exit.fail(dropped(`HTTP ${status}, and the answer is not one of JSON-RPC`, true))
  }
}

const idOf = (message: Message): RpcId | null | undefined => "id" in message ? message.id : undefined

const messagesOf = (frame: Frame) => frame._tag === "Batch" ? frame.messages : [frame]

const completeAll = ({ status, text }: Body, calls: ReadonlyArray<RpcCall>) => {
  const messages = messagesOf(decodeFrame(text))
  const byId = new Map(messages.map((message) => [idOf(message), message]))
  // An answer with id null speaks of the whole body, such as one that is too large.
  const whole = messages.find((message) => message._tag === "Failure" && message.id === null)
  return Effect.forEach(calls, (call) => Request.complete(call, answerOf(byId.get(call.id) ?? whole, status)), {
    discard: true
  })
}

const failAll = (calls: ReadonlyArray<RpcCall>, failure: RpcCallFailure) =>
  Effect.forEach(calls, (call) => Request.complete(call, Exit.fail(failure)), { discard: true })

const makePost = Effect.fnUntraced(function*(url: string, apiKey: Redacted.Redacted<string>) {
  const client = (yield* HttpClient.HttpClient).pipe(
    HttpClient.mapRequest(HttpClientRequest.bearerToken(apiKey))
  )
  const execute = Effect.fnUntraced(function*(body: string) {
    const response = yield* client.execute(
      HttpClientRequest.post(url).pipe(HttpClientRequest.bodyText(body, "application/json"))
    )
    const { status } = response
    if (status === 401 || status === 403) return yield* new Unauthorized({ status })
    return { status, text: yield* response.text }
  }, Effect.scoped)
  return (body: string): Effect.Effect<Body, Unauthorized | Dropped> =>
    Effect.catchTags(execute(body), {
      RequestError: (error) => Effect.fail(dropped(error.message, !neverConnected.has(codeOf(error.cause) ?? ""))),
      ResponseError: (error) => Effect.fail(dropped(error.message, true))
    })
})

interface Written {
  readonly call: RpcCall
  readonly text: string
  readonly bytes: number
}

const write = (call: RpcCall): Either.Either<Written, RequestFailure> =>
  Either.try({ try: () => encodeRequest(call.id, call.method, call.params), catch: unsendable }).pipe(
    Either.map((text) => ({ call, text, bytes: byteLength(text) })),
    Either.filterOrLeft(({ bytes }) => bytes + brackets <= maximumFrameBytes, () => tooLarge)
  )

const brackets = 2

/** As many calls to a body as fit. */
const bodies = (written: ReadonlyArray<Written>): ReadonlyArray<ReadonlyArray<Written>> => {
  const groups: Array<Array<Written>> = []
  let size = Infinity
  for (const one of written) {
    if (size + one.bytes > maximumFrameBytes) {
      groups.push([])
      size = brackets
    }
    groups.at(-1)?.push(one)
    size += one.bytes + 1
  }
  return groups
}

const textOf = (written: ReadonlyArray<Written>) => {
  const [first, ...others] = written
  return first !== undefined && others.length === 0 ? first.text : `[${written.map(({ text }) => text).join(",")}]`
}

/**
 * Posts calls to `/rpc`, those of a batch together. A call that cannot be written fails alone, and each has its own
 * deadline.
 */
export const make = Effect.fnUntraced(function*(url: string, apiKey: Redacted.Redacted<string>) {
  const post = yield* makePost(url, apiKey)

  const postGroup = (group: ReadonlyArray<Written>) => {
    const calls = group.map(({ call }) => call)
    const longest = Math.max(...calls.map(({ timeoutMillis }) => timeoutMillis))
    const expire = (call: RpcCall) => failAll([call], new DeadlinePassed({ timeoutMillis: call.timeoutMillis }))
    const posted = post(textOf(group)).pipe(
      Effect.timeoutFail({
        duration: Duration.millis(longest),
        onTimeout: () => new DeadlinePassed({ timeoutMillis: longest })
      }),
      Effect.matchEffect({
        onSuccess: (body) => completeAll(body, calls),
        onFailure: (failure) => failAll(calls, failure)
      })
    )
    // The answer to the longest is waited for in any case; whoever has less time is told when it is over.
    const hurried = calls.filter(({ timeoutMillis }) => timeoutMillis < longest)
    return Effect.zipRight(
      Effect.forEach(hurried, (call) => Effect.fork(Effect.delay(expire(call), Duration.millis(call.timeoutMillis)))),
      posted
    )
  }

  return RequestResolver.makeBatched((calls: ReadonlyArray<RpcCall>) => {
    const written: Array<Written> = []
    const unwritable: Array<Effect.Effect<void>> = []
    for (const call of calls) {
      Either.match(write(call), {
        onLeft: (failure) => unwritable.push(failAll([call], failure)),
        onRight: (one) => written.push(one)
      })
    }
    return Effect.zipRight(
      Effect.all(unwritable, { discard: true }),
      Effect.forEach(bodies(written), postGroup, { concurrency: "unbounded", discard: true })
    )
  })
})
