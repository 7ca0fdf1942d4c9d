import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Arr from "effect/Array"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
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
import * as Turns from "./Turns.js"

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

/** Lets calls in as long as the bodies that are on their way have at most so many bytes, then when they have half of that. */
const makeRoom = (limit: number) => {
  const latch = Effect.unsafeMakeLatch(true)
  const entrance = Turns.make(1)
  let bytes = 0
  return {
    enter: <A>(written: Effect.Effect<A>) => entrance.run(Effect.zipRight(latch.await, written)),
    add: (more: number) => {
      bytes += more
      if (bytes > limit) latch.unsafeClose()
    },
    remove: (less: number) => {
      bytes -= less
      if (bytes <= limit / 2) latch.unsafeOpen()
    }
  }
}

/** Calls of one `/rpc`. */
export interface RpcRequests {
  /** Asks; calls that Effect batches go together. A call that cannot be written fails alone, and each has its own deadline. */
  readonly ask: (call: RpcCall) => Effect.Effect<unknown, RpcCallFailure>
  /** Posts a message whose answer nobody looks at. */
  readonly tell: (text: string) => Effect.Effect<void, Unauthorized | Dropped>
  /** Drops all that is unanswered. */
  readonly abandon: Effect.Effect<void>
}

/** Makes the way to a `/rpc`. Calls wait, unwritten, while bodies of more than `sendQueueBytes` are on their way. */
export const make = Effect.fnUntraced(function*(
  url: string,
  apiKey: Redacted.Redacted<string>,
  sendQueueBytes: number
) {
  const post = yield* makePost(url, apiKey)
  const room = makeRoom(sendQueueBytes)
  const abandoned = yield* Deferred.make<never, Dropped>()

  const postGroup = (group: ReadonlyArray<Written>) => {
    const calls = group.map(({ call }) => call)
    return Effect.matchEffect(Effect.raceFirst(post(textOf(group)), Deferred.await(abandoned)), {
      onSuccess: (body) => completeAll(body, calls),
      onFailure: (failure) => failAll(calls, failure)
    })
  }

  const postGroups = (groups: ReadonlyArray<ReadonlyArray<Written>>) => {
    const [first, ...others] = groups
    // A fiber for each is only needed where there are several.
    return first !== undefined && others.length === 0
      ? postGroup(first)
      : Effect.forEach(groups, postGroup, { concurrency: "unbounded", discard: true })
  }

  const postAll = (calls: ReadonlyArray<RpcCall>) =>
    Effect.suspend(() => {
      let sent = false
      let bytes = 0
      const begin = Effect.sync(() => {
        sent = true
        const [unwritable, written] = Arr.partitionMap(calls, (call) =>
          Either.mapLeft(write(call), (failure) => failAll([call], failure)))
        for (const one of written) {
          bytes += one.bytes
        }
        room.add(bytes)
        return { unwritable, written }
      })
      const posted = Effect.flatMap(room.enter(begin), ({ unwritable, written }) =>
        Effect.zipRight(
          Effect.all(unwritable, { discard: true }),
          postGroups(bodies(written))
        ))
      const expire = (call: RpcCall) =>
        Effect.suspend(() =>
          failAll([call], new DeadlinePassed({ timeoutMillis: call.timeoutMillis, sent }))
        )
      // The answer to the longest is waited for in any case; whoever has less time is told when it is over.
      const longest = Math.max(...calls.map(({ timeoutMillis }) => timeoutMillis))
      const hurried = calls.filter(({ timeoutMillis }) => timeoutMillis < longest)
      return Effect.forEach(
        hurried,
        (call) => Effect.fork(Effect.delay(expire(call), Duration.millis(call.timeoutMillis))),
        { discard: true }
      ).pipe(
        Effect.zipRight(posted),
        Effect.timeoutTo({
          duration: Duration.millis(longest),
          onSuccess: () => Effect.void,
          onTimeout: () => Effect.forEach(calls, expire, { discard: true })
        }),
        Effect.flatten,
        Effect.ensuring(Effect.sync(() => room.remove(bytes)))
      )
    })

  const resolver = RequestResolver.makeBatched(postAll)
  const requests: RpcRequests = {
    ask: (call) => Effect.request(call, resolver),
    tell: (text) => Effect.asVoid(post(text)),
    abandon: Effect.asVoid(Deferred.fail(abandoned, dropped("this side has ended the connection", true)))
  }
  return requests
})
