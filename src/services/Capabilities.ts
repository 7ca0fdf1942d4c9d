import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { BuiltIn } from "../catalogue/builtIn.js"
import type { AnyCatalogue, Input, InvokeErrorIn, NameIn, Output } from "../catalogue/Catalogue.js"
import { isListed, type ListFilter } from "../catalogue/listFilter.js"
import * as Invocations from "../connection/invocations.js"
import { Invocation, type InvokeRequest, type RawOutcome } from "../connection/InvokeRequest.js"
import { isTraced } from "../connection/isTraced.js"
import { GatewayStatus, type Link } from "../connection/Link.js"
import { meterOf } from "../connection/Meter.js"
import type { OnProgress } from "../connection/progress.js"
import { decodeFailure } from "../errors/decode.js"
import type { GatewayError } from "../errors/gateway.js"
import { type CapabilityNotFound, OutputMismatch } from "../errors/general.js"
import { isGatewayError, type KruxosError } from "../errors/KruxosError.js"
import type { CapabilityDefinition } from "../schema/CapabilityDefinition.js"
import type { InvocationResult } from "../schema/Invocation.js"
import type { InvocationEvent } from "../schema/InvocationEvent.js"
import { Outcome } from "../schema/Outcome.js"
import type { Send } from "./approvalRegion.js"
import { type Arguments, type Codec, codecOf, ownTimeoutSeconds } from "./codec.js"
import { makeIdempotencyKey } from "./idempotencyKey.js"
import { invocationEvents } from "./invocationEvents.js"
import { invokeSpan } from "./spans.js"
import { whereUnfit } from "./whereUnfit.js"

export type { ListFilter } from "../catalogue/listFilter.js"

/** How one invocation is made; `Output` is what it succeeds with. */
export interface InvokeOptions<Output = unknown> {
  /**
   * How long to wait for the answer. Else it is the gateway's `requestTimeout` or, where the capability has a `timeout` of
   * its own, that and 5 seconds, whichever is longer.
   */
  readonly timeout?: Duration.DurationInput | undefined
  /**
   * Names the invocation: a gateway with the feature `idempotency` runs what has this key once, however often this agent asks for
   * it within 24 hours, and answers the rest from its record; other gateways do not look at it. 1 to 200 printable characters of
   * ASCII. Where none is given, the SDK makes one for each invocation that is not replayable, so that one that is cut off can be
   * asked for again.
   */
  readonly idempotencyKey?: string | undefined
  /**
   * How to undo the invocation, given its output, where it is a step of a transaction: with this, what the gateway cannot undo may run
   * there. It is run when the transaction is rolled back, outside of it, on a fiber that is not interrupted; where it fails, or all of them
   * take longer than two minutes, the step is one of those that RollbackIncomplete calls not reversible. It takes the place of what the gateway would do. Outside of a transaction
   * it is not looked at.
   */
  readonly compensate?: ((output: Output) => Effect.Effect<unknown, unknown>) | undefined
}

/** The options of `invokeDynamic`: `output` is the schema that the output is decoded with. */
export interface DynamicOptions<A, I> extends InvokeOptions<A> {
  readonly output: Schema.Schema<A, I>
}

/** The error channel of `invoke`. */
export type InvokeError<Name extends NameIn<BuiltIn>> = InvokeErrorIn<BuiltIn, Name>

/** The arguments of `invoke` after the name; the input may be left out where nothing in it is required. */
type InvokeArguments<I, O> = {} extends I ? [input?: I, options?: InvokeOptions<O>]
  : [input: I, options?: InvokeOptions<O>]

/** What an agent can do at its gateway. Source: the guide's "Capability discovery" and "Invocation". */
export interface CapabilitiesService<C extends AnyCatalogue = BuiltIn> {
  /**
   * The capabilities that the gateway shows to this agent, sorted by name. What a listing leaves out is empty, but for the tags and side
   * effects of capabilities that the catalogue has.
   */
  readonly list: (
    filter?: ListFilter
  ) => Effect.Effect<ReadonlyArray<CapabilityDefinition>, Invocations.DiscoveryError>

  /** The whole definition of a capability. */
  readonly describe: (
    name: NameIn<C> | (string & {})
  ) => Effect.Effect<CapabilityDefinition, CapabilityNotFound | Invocations.DiscoveryError>

  /**
   * Invokes a capability of the catalogue, and succeeds with its output. Fails with the errors that the capability lists,
   * with the general ones, and with those of the connection.
   */
  readonly invoke: <Name extends NameIn<C>>(
    name: Name,
    ...args: InvokeArguments<Input<C, Name>, Output<C, Name>>
  ) => Effect.Effect<Output<C, Name>, InvokeErrorIn<C, Name>>

  /**
   * Invokes a capability by a name that is not known before run time, or that the catalogue lacks. The output is what the
   * schema in `options.output` makes of it, else unknown.
   */
  readonly invokeDynamic: {
    <A, I>(name: string, input: Arguments, options: DynamicOptions<A, I>): Effect.Effect<A, KruxosError>
    (name: string, input?: Arguments, options?: InvokeOptions): Effect.Effect<unknown, KruxosError>
  }

  /**
   * As `invoke`, and tells meanwhile how far it is. The last element is `Completed`, with the output. Whoever stops reading stops the
   * invocation; who reads slowly misses progress, and holds nothing up. There is progress where the gateway has the feature `progress`
   * and not over HTTP, from capabilities that report any, and not of what a gateway carries out after its approval. Where the
   * connection was lost and the invocation is made again, it may begin anew.
   */
  readonly invokeStream: <Name extends NameIn<C>>(
    name: Name,
    ...args: InvokeArguments<Input<C, Name>, Output<C, Name>>
  ) => Stream.Stream<InvocationEvent<Output<C, Name>>, InvokeErrorIn<C, Name>>

  /** `invokeStream` by a name that is not known before run time, as `invokeDynamic` is `invoke`. */
  readonly invokeDynamicStream: (
    name: string,
    input?: Arguments,
    options?: InvokeOptions
  ) => Stream.Stream<InvocationEvent<unknown>, KruxosError>

  /**
   * As `invoke`, but a failure of the capability is a value: the guide's `InvocationResult`. Only failures of the
   * connection fail.
   */
  readonly invokeResult: <Name extends NameIn<C>>(
    name: Name,
    ...args: InvokeArguments<Input<C, Name>, Output<C, Name>>
  ) => Effect.Effect<InvocationResult<Output<C, Name>>, GatewayError>

  /**
   * What has become of the invocation of an idempotency key, such as that of an `OutcomeUnknown`. Its result is typed where the
   * name of the capability is given. Fails with ProtocolError on a gateway without the feature `idempotency`.
   */
  readonly outcome: {
    <Name extends NameIn<C>>(
      idempotencyKey: string,
      name: Name
    ): Effect.Effect<Outcome<Output<C, Name>, InvokeErrorIn<C, Name>>, Invocations.OutcomeError>
    (idempotencyKey: string): Effect.Effect<Outcome<unknown, KruxosError>, Invocations.OutcomeError>
  }

  /**
   * Emits whenever the list of capabilities may have changed: the gateway says so, or there is a new session, perhaps with
   * another gateway.
   */
  readonly changes: Stream.Stream<void>

  /** The same capabilities, with those of another catalogue typed too: a pack's, or what `kruxos codegen` wrote. */
  readonly withCatalogue: <Mine extends AnyCatalogue>(mine: Mine) => CapabilitiesService<C & Mine>
}

// A gateway that lists mere tools says nothing of tags; the catalogue knows those of its own capabilities.
const withTags = (catalogue: AnyCatalogue) => (definition: CapabilityDefinition): CapabilityDefinition => {
  const known = Object.hasOwn(catalogue, definition.name) ? catalogue[definition.name] : undefined
  if (known === undefined || definition.tags.length > 0) return definition
  return {
    ...definition,
    tags: known.tags,
    sideEffects: definition.sideEffects.length > 0
      ? definition.sideEffects
      : known.sideEffects.map((effect) => ({ description: "", reversible: effect === "reversible" }))
  }
}

const byName = (one: CapabilityDefinition, other: CapabilityDefinition) =>
  one.name < other.name ? -1 : one.name > other.name ? 1 : 0

const graceMillis = 5000

type CallOptions = Omit<InvokeOptions, "compensate">

/** What is known of a capability that is invoked. */
type Known = Omit<Codec<never, unknown, KruxosError>, "encode" | "settle">

/** With how its caller undoes it, given the output as the caller reads it. */
const compensatedBy = <A>(
  request: InvokeRequest,
  options: InvokeOptions<A> | undefined,
  read: (raw: unknown) => Effect.Effect<A, unknown>
): InvokeRequest => {
  const compensate = options?.compensate
  return compensate === undefined
    ? request
    : { ...request, compensate: (raw) => Effect.flatMap(read(raw), compensate) }
}

const nothingKnown = { replayable: false, fits: undefined, answersWithText: false, meter: meterOf("client") }

/**
 * Makes the service over a link. `requestTimeoutMillis` is how long a call waits that says nothing else; `send` makes an
 * invocation, as the regions say that it is in; `makeKey` makes the keys of those that have none.
 */
export const make = <C extends AnyCatalogue>(
  link: Link,
  catalogue: C,
  requestTimeoutMillis: number,
  send: Send = (request) => Invocations.invoke(link, request),
  makeKey: () => string = makeIdempotencyKey
): CapabilitiesService<C> => {
  const timeoutOf = (options: CallOptions | undefined, ownSeconds: number | undefined): number =>
    options?.timeout !== undefined
      ? Duration.toMillis(options.timeout)
      : Math.max(requestTimeoutMillis, ownSeconds === undefined ? 0 : ownSeconds * 1000 + graceMillis)

  const requestOf = (
    name: string,
    input: Arguments,
    options: CallOptions | undefined,
    known: Known | undefined
  ): InvokeRequest =>
    new Invocation(
      name,
      input,
      timeoutOf(options, known && ownTimeoutSeconds(known.capability, input)),
      options?.idempotencyKey ?? (known?.replayable === true ? undefined : makeKey()),
      known ?? nothingKnown
    )

  const invoke: CapabilitiesService<C>["invoke"] = (name, ...[input, options]) =>
    Effect.withFiberRuntime((fiber) => {
      const codec = codecOf(catalogue, name)
      if (codec === undefined) return Effect.dieMessage(`${name} is not in the catalogue`)
      const encoded = codec.encode(input)
      if (Either.isLeft(encoded)) return Effect.fail(codec.narrow(encoded.left))
      const request = compensatedBy(requestOf(name, encoded.right, options, codec), options, codec.decode)
      return isTraced(fiber)
        ? invokeSpan(request, codec.capability.tier, (traced) => codec.settle(send(traced, fiber)))
        : codec.settle(send(request, fiber))
    })

  const invokeDynamic = <A, I>(
    name: string,
    input: Arguments = {},
    options?: DynamicOptions<A, I> | InvokeOptions
  ): Effect.Effect<unknown, KruxosError> =>
    Effect.withFiberRuntime((fiber) => {
      const codec: Known | undefined = codecOf(catalogue, name)
      const request = requestOf(name, input, options, codec)
      const sent = <B>(
        made: InvokeRequest,
        settle: (raw: Effect.Effect<unknown, KruxosError>) => Effect.Effect<B, KruxosError>
      ) =>
        isTraced(fiber)
          ? invokeSpan(made, codec?.capability.tier, (traced) => settle(send(traced, fiber)))
          : settle(send(made, fiber))
      if (options === undefined || !("output" in options)) {
        return sent(compensatedBy(request, options, Effect.succeed), (raw) => raw)
      }
      const decode = Schema.decodeUnknown(options.output, { onExcessProperty: "preserve" })
      const read = (raw: unknown) =>
        Effect.mapError(decode(raw), (cause) =>
          new OutputMismatch({
            message: `The output of ${name} does not fit the schema given for it: ${whereUnfit(cause)}`,
            capability: name,
            raw,
            cause
          }))
      return sent(compensatedBy(request, options, read), Effect.flatMap(read))
    })

  const resultOf = (raw: RawOutcome, name: string | undefined): Either.Either<unknown, KruxosError> =>
    raw._tag === "Output" ? Either.right(raw.data) : Either.left(decodeFailure(raw.failure, name))

  const resultAs = <Name extends NameIn<C>>(raw: RawOutcome, name: Name): Either.Either<unknown, KruxosError> => {
    const codec: Known | undefined = codecOf(catalogue, name)
    const result = resultOf(raw, name)
    return codec === undefined ? result : result.pipe(Either.flatMap(codec.decode), Either.mapLeft(codec.narrow))
  }

  function outcome<Name extends NameIn<C>>(
    idempotencyKey: string,
    name: Name
  ): Effect.Effect<Outcome<Output<C, Name>, InvokeErrorIn<C, Name>>, Invocations.OutcomeError>
  function outcome(idempotencyKey: string): Effect.Effect<Outcome<unknown, KruxosError>, Invocations.OutcomeError>
  function outcome(
    idempotencyKey: string,
    name?: NameIn<C>
  ): Effect.Effect<Outcome<unknown, KruxosError>, Invocations.OutcomeError> {
    return Effect.map(
      Invocations.outcome(link, idempotencyKey, requestTimeoutMillis),
      (record) =>
        record._tag === "Done"
          ? Outcome.Done({
            result: name === undefined ? resultOf(record.outcome, name) : resultAs(record.outcome, name)
          })
          : record
    )
  }

  const reporting = (onProgress: OnProgress) =>
    make(link, catalogue, requestTimeoutMillis, (request, fiber) => send({ ...request, onProgress }, fiber), makeKey)

  return {
    outcome,
    list: (filter = {}) =>
      Effect.map(
        Invocations.list(link, requestTimeoutMillis),
        (all) => all.map(withTags(catalogue)).filter(isListed(filter)).toSorted(byName)
      ),
    describe: (name) => Effect.map(Invocations.describe(link, name, requestTimeoutMillis), withTags(catalogue)),
    invoke,
    invokeDynamic,
    invokeStream: (name, ...args) => invocationEvents((onProgress) => reporting(onProgress).invoke(name, ...args)),
    invokeDynamicStream: (name, input, options) =>
      invocationEvents((onProgress) => reporting(onProgress).invokeDynamic(name, input, options)),
    invokeResult: (name, ...args) =>
      Effect.matchEffect(invoke(name, ...args), {
        onSuccess: (data) => Effect.succeed({ success: true, data }),
        onFailure: (error) =>
          isGatewayError(error)
            ? Effect.fail(error)
            : Effect.succeed({
              success: false,
              error: { type: error.type, message: error.message, recovery: error.recovery }
            })
      }),
    changes: Stream.merge(
      Stream.filter(link.notifications, ({ method }) => method === "notifications/tools/list_changed"),
      // The first is how things are now.
      Stream.filter(Stream.drop(link.status, 1), GatewayStatus.$is("Connected"))
    ).pipe(Stream.map(() => undefined)),
    withCatalogue: (mine) => make(link, { ...catalogue, ...mine }, requestTimeoutMillis, send, makeKey)
  }
}

/** The capabilities of the gateway that a Layer connects to. */
export class Capabilities extends Context.Tag("kruxos/Capabilities")<Capabilities, CapabilitiesService>() {
  /** The capabilities, with those of another catalogue typed too: see `withCatalogue` of the service. */
  static readonly withCatalogue = <Mine extends AnyCatalogue>(
    mine: Mine
  ): Effect.Effect<CapabilitiesService<BuiltIn & Mine>, never, Capabilities> =>
    Effect.map(Capabilities, (capabilities) => capabilities.withCatalogue(mine))
}
