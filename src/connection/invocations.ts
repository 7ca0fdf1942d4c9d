import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { decodeFailure } from "../errors/decode.js"
import { type GatewayError, OutcomeUnknown, ProtocolError } from "../errors/gateway.js"
import {
  ApprovalRequired,
  CapabilityNotFound,
  InvalidInput,
  type RateLimited,
  type ServiceUnavailable
} from "../errors/general.js"
import { isGatewayError, type KruxosError } from "../errors/KruxosError.js"
import { wireFailureOfAny, wireFailureOfRpc } from "../errors/wire.js"
import { CapabilityDefinition } from "../schema/CapabilityDefinition.js"
import { keyOver } from "./call.js"
import { type InvokeRequest, Malformed, type RawOutcome } from "./InvokeRequest.js"
import type { CallFailure, CallOptions, Channel, ChannelFailure, Link, Question } from "./Link.js"
import { metered } from "./Meter.js"
import { withProgress } from "./progress.js"
import { callTool, listTools } from "./tools.js"

const decodeDefinition = Schema.decodeUnknownOption(CapabilityDefinition)

const List = Schema.Struct({ capabilities: Schema.Array(Schema.Unknown) })

const decodeList = Schema.decodeUnknownEither(List)

export const malformed = (method: string) => new Malformed({ message: `The answer to ${method} is malformed` })

/** What `capabilities.invoke` answers, and the record of it says. */
export const readResult = (result: unknown): RawOutcome | undefined => {
  if (!Predicate.isRecord(result)) return undefined
  if (result["success"] === true) return { _tag: "Output", data: result["data"] }
  return result["success"] === false ? { _tag: "Failure", failure: wireFailureOfAny(result["error"]) } : undefined
}

const nativeMethod = "capabilities.invoke"

const nativeParams = (request: InvokeRequest, channel: Channel) =>
  request.transactionId === undefined
    ? {
      capability: request.name,
      arguments: request.arguments,
      idempotency_key: keyOver(channel, request),
      _meta: request.trace?.over(request, channel)
    }
    : {
      capability: request.name,
      arguments: request.arguments,
      idempotency_key: keyOver(channel, request),
      _meta: request.trace?.over(request, channel),
      transaction_id: request.transactionId,
      compensated: request.compensate === undefined ? undefined : true
    }

// Such a gateway would carry the step out, and know of nothing to undo.
const lacksTransactions = ({ features }: Channel, { transactionId }: InvokeRequest) =>
  transactionId !== undefined && !features.has("transactions")

const closed = ({ name, transactionId }: InvokeRequest): RawOutcome => ({
  _tag: "Failure",
  failure: {
    type: "TransactionClosed",
    message: `${name} was not invoked: the gateway that is there now does not know the transaction ${transactionId}`,
    recovery: [],
    retryable: undefined,
    retryAfter: undefined,
    context: { transaction_id: transactionId }
  }
})

const nativeInvoke = (channel: Channel, request: InvokeRequest, timeoutMillis: number) =>
  Effect.flatMap(
    channel.request(nativeMethod, nativeParams(request, channel), timeoutMillis, request.trace),
    (result): Effect.Effect<RawOutcome, Malformed> => {
      const outcome = readResult(result)
      return outcome === undefined ? Effect.fail(malformed(nativeMethod)) : Effect.succeed(outcome)
    }
  )

export const errorOf = (failure: CallFailure | Malformed, operation: string, capability?: string): KruxosError => {
  switch (failure._tag) {
    case "RpcFailure": {
      const wire = wireFailureOfRpc(failure.error)
      if (wire !== undefined) return decodeFailure(wire, capability)
      const { code, message } = failure.error
      return new ProtocolError({
        message: message === "" ? `${operation} was answered with error ${code}` : message,
        code
      })
    }
    case "Unsendable":
      return new InvalidInput({ message: failure.message, capability })
    case "Malformed":
      return new ProtocolError({ message: failure.message, capability })
    default:
      return failure
  }
}

type RunOnce<A> = (
  channel: Channel,
  timeoutMillis: number,
  isRepeat: boolean
) => Effect.Effect<A, ChannelFailure | Malformed>

// `Link.call` speaks of the connection only; a malformed answer travels through it as a value.
export const call = <A>(
  link: Pick<Link, "call">,
  options: CallOptions,
  run: RunOnce<A>
): Effect.Effect<A, CallFailure | Malformed> =>
  Effect.flatten(link.call(options, (channel, timeoutMillis, isRepeat) =>
    run(channel, timeoutMillis, isRepeat).pipe(
      Effect.map(Either.right),
      Effect.catchTag("Malformed", (failure) => Effect.succeed(Either.left(failure)))
    )))

/** What is known of an invocation that has been sent. */
interface Sent {
  /** Its connection ended before the answer, and it was sent again. */
  isRepeat: boolean
  key: string | undefined
}

const invokeOnce = (
  link: Pick<Link, "call">,
  request: InvokeRequest,
  sent: Sent
): Effect.Effect<RawOutcome, KruxosError> =>
  Effect.mapError(
    call(link, request, (channel, timeoutMillis, isRepeat): Effect.Effect<RawOutcome, ChannelFailure | Malformed> => {
      sent.isRepeat = isRepeat
      if (lacksTransactions(channel, request)) return Effect.succeed(closed(request))
      sent.key = keyOver(channel, request)
      const wait = request.timeoutOver === undefined ? timeoutMillis : request.timeoutOver(channel, timeoutMillis)
      return withProgress(channel, request.onProgress, (over) =>
        channel.dialect === "native" ? nativeInvoke(over, request, wait) : callTool(over, request, wait))
    }),
    (failure) =>
      errorOf(failure, request.operation, request.name)
  )

const unknownAfter = (cause: KruxosError, { key }: Sent) =>
  new OutcomeUnknown({
    message: `The connection ended before the answer, and asking again failed (${cause.message}): it may or may not `
      + "have taken effect",
    capability: cause.capability,
    idempotencyKey: key,
    cause
  })

// What the gateway answers to a repeat is what its record says of the invocation; a refusal of the repeat says nothing of it.
const isInDoubt = ({ replayable }: InvokeRequest, { isRepeat }: Sent, { _tag }: KruxosError, isAnswer: boolean) =>
  isRepeat && !replayable && _tag !== "OutcomeUnknown" && (!isAnswer || _tag === "ServiceUnavailable")

// Whoever waits for the decision, perhaps elsewhere, can ask with the key what has become of the invocation.
const withKey = (error: ApprovalRequired, idempotencyKey: string | undefined) =>
  error.idempotencyKey === undefined && idempotencyKey !== undefined
    ? new ApprovalRequired({ ...error, message: error.message, idempotencyKey })
    : error

const shortestWaitMillis = 100

const invokeOver = (
  link: Pick<Link, "call">,
  request: InvokeRequest,
  deadline: number,
  timeoutMillis: number
): Effect.Effect<unknown, KruxosError> => {
  const sent: Sent = { isRepeat: false, key: undefined }
  const fail = (error: KruxosError, isAnswer: boolean): Effect.Effect<unknown, KruxosError> => {
    if (error._tag === "ApprovalRequired") return Effect.fail(withKey(error, sent.key))
    if (isInDoubt(request, sent, error, isAnswer)) return Effect.fail(unknownAfter(error, sent))
    if (!isTransient(error) || !(request.replayable || sent.key !== undefined)) return Effect.fail(error)
    return Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const wait = Math.max(shortestWaitMillis, Duration.toMillis(error.retryAfter ?? Duration.infinity))
      const left = deadline - now - wait
      return left <= 0
        ? Effect.fail(error)
        : Effect.delay(invokeOver(link, request, deadline, left), Duration.millis(wait))
    })
  }
  return Effect.matchEffect(invokeOnce(link, { ...request, timeoutMillis }, sent), {
    onFailure: (error) => fail(error, false),
    onSuccess: (outcome) =>
      outcome._tag === "Output"
        ? Effect.succeed(outcome.data)
        : fail(decodeFailure(outcome.failure, request.name), true)
  })
}

const invocation: Question<InvokeRequest, unknown, KruxosError> = {
  method: nativeMethod,
  params: nativeParams,
  read: (result) =>
    Predicate.isRecord(result) && result["success"] === true ? Effect.succeed(result["data"]) : undefined,
  otherwise: (request, call, deadline) => invokeOver({ call }, request, deadline, request.timeoutMillis)
}

/**
 * Invokes a capability; the data of the answer is as it came. One that the gateway puts off (RateLimited, ServiceUnavailable) is
 * asked again when the gateway says, if it is replayable or keyed and that is within its deadline.
 */
export const invoke = (link: Link, request: InvokeRequest): Effect.Effect<unknown, KruxosError> =>
  request.timeoutOver === undefined && request.transactionId === undefined && request.onProgress === undefined
    ? link.direct(request, invocation)
    : metered(
      request.meter,
      Effect.flatMap(
        Clock.currentTimeMillis,
        (now) => invokeOver(link, request, now + request.timeoutMillis, request.timeoutMillis)
      )
    )

const isTransient = (error: KruxosError): error is RateLimited | ServiceUnavailable =>
  error._tag === "RateLimited" || error._tag === "ServiceUnavailable"

/** What asking about capabilities can fail with. */
export type DiscoveryError = RateLimited | GatewayError

export const discoveryError = (operation: string) => (failure: CallFailure | Malformed): DiscoveryError => {
  const error = errorOf(failure, operation)
  return error._tag === "RateLimited" || isGatewayError(error)
    ? error
    : new ProtocolError({ message: `${operation} was refused: ${error.message}`, cause: error })
}

const nativeList = (channel: Channel, timeoutMillis: number) =>
  Effect.gen(function*() {
    const result = yield* channel.request("capabilities.list", {}, timeoutMillis)
    const { capabilities } = yield* Either.mapLeft(decodeList(result), () => malformed("capabilities.list"))
    const definitions = capabilities.flatMap((item) => Option.toArray(decodeDefinition(item)))
    if (definitions.length < capabilities.length) {
      yield* Effect.logWarning(
        `${
          capabilities.length - definitions.length
        } capabilities are left out of the list: their definitions cannot be read`
      )
    }
    return definitions
  })

/** All capabilities that the gateway shows to this agent. */
export const list = (
  link: Link,
  timeoutMillis: number
): Effect.Effect<ReadonlyArray<CapabilityDefinition>, DiscoveryError> =>
  call(
    link,
    { operation: "capabilities.list", timeoutMillis, replayable: true },
    (channel, remaining) =>
      channel.dialect === "native" ? nativeList(channel, remaining) : listTools(channel, remaining)
  ).pipe(
    Effect.mapError(discoveryError("capabilities.list"))
  )

const unknownCapability = (name: string, message: string, cause?: KruxosError) =>
  new CapabilityNotFound({ message, requested: name, capability: name, cause })

// What a gateway refuses for a reason that has nothing to do with the name.
const unrelated = new Set<KruxosError["_tag"]>([
  "RateLimited",
  "ResourceExhausted",
  "ServiceUnavailable",
  "SessionPaused",
  "CapabilityUnavailable"
])

const describeError = (name: string) => (failure: CallFailure | Malformed): CapabilityNotFound | DiscoveryError => {
  const error = errorOf(failure, "capabilities.describe", name)
  return isGatewayError(error) || unrelated.has(error._tag)
    ? discoveryError("capabilities.describe")(failure)
    : unknownCapability(name, error.message, error)
}

const nativeDescribe = (channel: Channel, name: string, timeoutMillis: number) =>
  Effect.flatMap(
    channel.request("capabilities.describe", { name }, timeoutMillis),
    (result) =>
      Option.match(decodeDefinition(result), {
        onNone: () => Effect.fail(malformed("capabilities.describe")),
        onSome: Effect.succeed
      })
  )

const describeTool = (channel: Channel, name: string, timeoutMillis: number) =>
  Effect.map(listTools(channel, timeoutMillis), (tools) => tools.find((tool) => tool.name === name))

/** The whole definition of a capability. */
export const describe = (
  link: Link,
  name: string,
  timeoutMillis: number
): Effect.Effect<CapabilityDefinition, CapabilityNotFound | DiscoveryError> =>
  call(
    link,
    { operation: "capabilities.describe", timeoutMillis, replayable: true },
    (channel, remaining): Effect.Effect<CapabilityDefinition | undefined, ChannelFailure | Malformed> =>
      channel.dialect === "native" ? nativeDescribe(channel, name, remaining) : describeTool(channel, name, remaining)
  ).pipe(
    Effect.mapError(describeError(name)),
    Effect.filterOrFail(
      (definition) => definition !== undefined,
      () => unknownCapability(name, `The gateway has no capability ${name}, or does not show it to this agent`)
    )
  )

/** What asking for an outcome can fail with. */
export type OutcomeError = ServiceUnavailable | DiscoveryError

const outcomeError = (failure: CallFailure | Malformed): OutcomeError => {
  const error = errorOf(failure, "capabilities.outcome")
  return error._tag === "ServiceUnavailable" ? error : discoveryError("capabilities.outcome")(failure)
}

/** What the gateway says of the invocation of a key; a result is as it came. */
export type RawRecord =
  | { readonly _tag: "Running" | "Unknown" | "NotFound" }
  | { readonly _tag: "Done"; readonly outcome: RawOutcome }

const decodeRecord = Schema.decodeUnknownOption(
  Schema.Struct({
    status: Schema.Literal("running", "done", "unknown", "not_found"),
    result: Schema.optional(Schema.Unknown)
  })
)

const readRecord = (answer: unknown): RawRecord | undefined => {
  const { result, status } = Option.getOrElse(decodeRecord(answer), () => ({ status: undefined, result: undefined }))
  switch (status) {
    case "running":
      return { _tag: "Running" }
    case "unknown":
      return { _tag: "Unknown" }
    case "not_found":
      return { _tag: "NotFound" }
    case "done": {
      const outcome = readResult(result)
      return outcome && { _tag: "Done", outcome }
    }
    default:
      return undefined
  }
}

const noRecord = new Malformed({
  message: "The gateway keeps no record of invocations: it does not have the feature idempotency"
})

/** Asks the gateway's record what has become of the invocation of a key. */
export const outcome = (
  link: Link,
  idempotencyKey: string,
  timeoutMillis: number
): Effect.Effect<RawRecord, OutcomeError> =>
  call(
    link,
    { operation: "capabilities.outcome", timeoutMillis, replayable: true },
    (channel, remaining): Effect.Effect<RawRecord, ChannelFailure | Malformed> =>
      channel.outcomeRecord === undefined
        ? Effect.fail(noRecord)
        : Effect.flatMap(
          channel.request("capabilities.outcome", { idempotency_key: idempotencyKey }, remaining),
          (answer) => {
            const record = readRecord(answer)
            return record === undefined ? Effect.fail(malformed("capabilities.outcome")) : Effect.succeed(record)
          }
        )
  ).pipe(Effect.mapError(outcomeError))
