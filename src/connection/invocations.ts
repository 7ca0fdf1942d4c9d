import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { decodeFailure } from "../errors/decode.js"
import { type GatewayError, ProtocolError } from "../errors/gateway.js"
import { CapabilityNotFound, InvalidInput, type RateLimited } from "../errors/general.js"
import { isGatewayError, type KruxosError } from "../errors/KruxosError.js"
import { wireFailureOf, wireFailureOfRpc } from "../errors/wire.js"
import { CapabilityDefinition } from "../schema/CapabilityDefinition.js"
import { type InvokeRequest, Malformed, type RawOutcome } from "./InvokeRequest.js"
import type { CallFailure, CallOptions, Channel, Link } from "./Link.js"
import type { RequestFailure } from "./Peer.js"
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
        const failure = wireFailureOf(result["error"])
        if (result["success"] === false && failure !== undefined) return Effect.succeed({ _tag: "Failure", failure })
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
  run: (channel: Channel, timeoutMillis: number) => Effect.Effect<A, RequestFailure | Malformed>
): Effect.Effect<A, CallFailure | Malformed> =>
  Effect.flatten(link.call(options, (channel, timeoutMillis) =>
    run(channel, timeoutMillis).pipe(
      Effect.map(Either.right),
      Effect.catchTag("Malformed", (failure) => Effect.succeed(Either.left(failure)))
    )))

/** Invokes a capability; the data of the answer is as it came. */
export const invoke = (link: Link, request: InvokeRequest): Effect.Effect<unknown, KruxosError> =>
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

const unknownCapability = (name: string, message: string) => new CapabilityNotFound({ message, name, capability: name })

const isRefusal = (failure: CallFailure | Malformed) => {
  if (failure._tag !== "RpcFailure") return false
  const type = wireFailureOfRpc(failure.error)?.type
  return type !== undefined &&
    !["RateLimited", "auth.rate_limited", "NotAuthenticated", "SessionExpired"].includes(type)
}

/** The whole definition of a capability. */
export const describe = (
  link: Link,
  name: string,
  timeoutMillis: number
): Effect.Effect<CapabilityDefinition, CapabilityNotFound | DiscoveryError> => {
  const options: CallOptions = { operation: "capabilities.describe", timeoutMillis, replayable: true }
  return call(link, options, (channel, remaining) =>
    channel.dialect === "native"
      ? Effect.flatMap(channel.request("capabilities.describe", { name }, remaining), (result) =>
        Option.match(decodeDefinition(result), {
          onNone: () =>
            Effect.fail(malformed("capabilities.describe")),
          onSome: Effect.succeed
        }))
      : Effect.map(listTools(channel, remaining), (tools) =>
        tools.find((tool) => tool.name === name))).pipe(
      Effect.mapError((failure) =>
        isRefusal(failure)
          ? unknownCapability(name, errorOf(failure, "capabilities.describe", name).message)
          : discoveryError("capabilities.describe")(failure)
      ),
      Effect.filterOrFail(
        (definition) => definition !== undefined,
        () => unknownCapability(name, `The gateway has no capability ${name}, or does not show it to this agent`)
      )
    )
}
