import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { decodeFailure } from "../errors/decode.js"
import { type GatewayError, ProtocolError } from "../errors/gateway.js"
import { CapabilityNotFound, InvalidInput, type RateLimited, type ServiceUnavailable } from "../errors/general.js"
import { isGatewayError, type KruxosError } from "../errors/KruxosError.js"
import { wireFailureOfAny, wireFailureOfRpc } from "../errors/wire.js"
import { CapabilityDefinition } from "../schema/CapabilityDefinition.js"
import { type InvokeRequest, Malformed, type RawOutcome } from "./InvokeRequest.js"
import type { CallFailure, CallOptions, Channel, ChannelFailure, Link } from "./Link.js"
import { callTool, listTools } from "./tools.js"

const decodeDefinition = Schema.decodeUnknownOption(CapabilityDefinition)

const List = Schema.Struct({ capabilities: Schema.Array(Schema.Unknown) })

const decodeList = Schema.decodeUnknownEither(List)

const malformed = (method: string) => new Malformed({ message: `The answer to ${method} is malformed` })

const nativeInvoke = (channel: Channel, request: InvokeRequest, timeoutMillis: number) =>
  Effect.flatMap(
    channel.request(
      "capabilities.invoke",
      { capability: request.name, arguments: request.arguments },
      timeoutMillis
    ),
    (result): Effect.Effect<RawOutcome, Malformed> => {
      if (Predicate.isRecord(result)) {
        if (result["success"] === true) return Effect.succeed({ _tag: "Output", data: result["data"] })
        if (result["success"] === false) {
          return Effect.succeed({ _tag: "Failure", failure: wireFailureOfAny(result["error"]) })
        }
      }
      return Effect.fail(malformed("capabilities.invoke"))
    }
  )

const errorOf = (failure: CallFailure | Malformed, operation: string, capability?: string): KruxosError => {
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

// `Link.call` speaks of the connection only; a malformed answer travels through it as a value.
const call = <A>(
  link: Link,
  options: CallOptions,
  run: (channel: Channel, timeoutMillis: number) => Effect.Effect<A, ChannelFailure | Malformed>
): Effect.Effect<A, CallFailure | Malformed> =>
  Effect.flatten(link.call(options, (channel, timeoutMillis) =>
    run(channel, timeoutMillis).pipe(
      Effect.map(Either.right),
      Effect.catchTag("Malformed", (failure) => Effect.succeed(Either.left(failure)))
    )))

const invokeOnce = (link: Link, request: InvokeRequest): Effect.Effect<unknown, KruxosError> =>
  call(link, request, (channel, timeoutMillis) =>
    channel.dialect === "native"
      ? nativeInvoke(channel, request, timeoutMillis)
      : callTool(channel, request, timeoutMillis)).pipe(
      Effect.mapError((failure) => errorOf(failure, request.operation, request.name)),
      Effect.flatMap((outcome) =>
        outcome._tag === "Output"
          ? Effect.succeed(outcome.data)
          : Effect.fail(decodeFailure(outcome.failure, request.name))
      )
    )

const shortestWaitMillis = 100

/**
 * Invokes a capability; the data of the answer is as it came. A replayable one that the gateway puts off (RateLimited,
 * ServiceUnavailable) is asked again when the gateway says, if that is within its deadline.
 */
export const invoke = (link: Link, request: InvokeRequest): Effect.Effect<unknown, KruxosError> => {
  if (!request.replayable) return invokeOnce(link, request)
  const attempt = (deadline: number, timeoutMillis: number): Effect.Effect<unknown, KruxosError> =>
    Effect.catchIf(
      invokeOnce(link, { ...request, timeoutMillis }),
      isTransient,
      (error) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => {
          const wait = Math.max(shortestWaitMillis, Duration.toMillis(error.retryAfter ?? Duration.infinity))
          const left = deadline - now - wait
          return left <= 0 ? Effect.fail(error) : Effect.delay(attempt(deadline, left), Duration.millis(wait))
        })
    )
  return Effect.flatMap(
    Clock.currentTimeMillis,
    (now) => attempt(now + request.timeoutMillis, request.timeoutMillis)
  )
}

const isTransient = (error: KruxosError): error is RateLimited | ServiceUnavailable =>
  error._tag === "RateLimited" || error._tag === "ServiceUnavailable"

/** What asking about capabilities can fail with. */
export type DiscoveryError = RateLimited | GatewayError

const discoveryError = (operation: string) => (failure: CallFailure | Malformed): DiscoveryError => {
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
