import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as SocketLink from "../connection/socketLink.js"
import type { AuthenticationFailed, ConnectionFailed } from "../errors/gateway.js"
import * as OwnAgent from "../local/data/ownAgent.js"
import * as GatewayCore from "../local/gatewayCore.js"
import { Identifiers } from "../local/Identifiers.js"
import { within } from "../local/inOrder.js"
import type { StartFailure } from "../local/LocalGatewayOptions.js"
import type { PolicyChoice } from "../local/policy/PolicyChoice.js"
import * as Running from "../local/running.js"
import { unwatched } from "../local/runningTest.js"
import * as TemporaryWorkspace from "../local/temporaryWorkspace.js"
import { tracingInvocations } from "../local/tracing/GatewayTracer.js"
import { withSeed } from "../local/withSeed.js"
import * as Decisions from "../services/decisions.js"
import { type GatewayServices, layerOf } from "../services/Gateway.js"
import { type CallSettings, connectionOptions } from "../services/GatewayOptions.js"
import { IdempotencyKeys } from "../services/idempotencyKey.js"
import { LongestTrust } from "../services/state/follower.js"
import * as Humans from "./humans/makeHumans.js"
import type { AnyMockGatewayOptions } from "./MockGatewayOptions.js"
import type { MockGatewayService } from "./MockGatewayService.js"
import * as Script from "./script/Script.js"
import * as Replies from "./wire/replies.js"
import * as Wire from "./wire/Wire.js"
import * as World from "./world/makeWorld.js"

/** What a gateway for tests runs with. */
interface RunningOptions {
  readonly policy?: PolicyChoice | undefined
  readonly files?: TemporaryWorkspace.InitialFiles | undefined
  readonly agent?: string | undefined
}

/** What takes part in every gateway that is started: the first one and those after a restart. */
interface Participants extends Omit<GatewayCore.Substitutes, "database"> {
  readonly packs?: GatewayCore.CoreOptions["packs"] | undefined
  /** Run when a gateway is there, before anybody connects to it, with the gateway's scope. */
  readonly attach?: Effect.Effect<void, never, GatewayCore.CoreParts | Scope.Scope> | undefined
}

/** Runs a gateway in memory on a wire, until the scope ends. Its data outlive its restarts. */
const startOn = (
  wire: Wire.Wire,
  { agent = "agent", files, policy }: RunningOptions,
  { attach = Effect.void, methods = (own) => own, packs = [], ...substitutes }: Participants
): Effect.Effect<void, StartFailure, Scope.Scope> =>
  Effect.gen(function*() {
    const workspace = yield* TemporaryWorkspace.make(files)
    yield* wire.start((database) =>
      Effect.gen(function*() {
        const services = yield* Layer.build(GatewayCore.layer({
          workspace,
          database: ":memory:",
          dataDirectory: undefined,
          policy,
          packs,
          substitutes: { ...substitutes, database, methods: (own) => Replies.withExchanges(methods(own)) }
        }))
        return yield* Effect.gen(function*() {
          const { name } = yield* OwnAgent.withoutKey({ name: agent, data: Option.none() })
          yield* attach
          return { services, dial: yield* Running.dialOf(name, Replies.withFates) }
        }).pipe(within(services))
      }).pipe(unwatched)
    )
  })

// What is decided is pushed, and a test may let days pass before that. Asked for as well, because a push can be lost with its connection.
const rareQuestions: Schedule.Schedule<unknown> = Schedule.exponential("250 millis").pipe(
  Schedule.union(Schedule.spaced("5 minutes")),
  Schedule.jittered
)

/** What a program under test is given, over a gateway that runs on a wire. */
const servicesOver = (
  wire: Wire.Wire,
  settings: CallSettings
): Layer.Layer<GatewayServices, ConnectionFailed | AuthenticationFailed> => {
  const connection = connectionOptions(
    { ...settings, heartbeat: settings.heartbeat ?? Duration.infinity },
    Redacted.make(""),
    0
  )
  return layerOf(SocketLink.make(wire.dial, connection), connection, Option.none()).pipe(
    Layer.provide([
      Layer.succeed(Decisions.DefaultSchedule, rareQuestions),
      // What is pushed arrives, unless the connection is lost, and then everything is looked at.
      Layer.succeed(LongestTrust, Duration.infinity),
      Layer.effect(IdempotencyKeys, Effect.map(Identifiers, ({ uuid }) => uuid))
    ])
  )
}

/** A mock gateway that runs: what a program under test is given, and what its test is given. */
export interface Mock {
  readonly services: Context.Context<GatewayServices>
  readonly mock: MockGatewayService
}

/** Starts a mock gateway, which ends with the scope. */
export const start = ({
  agent = "agent",
  capabilities,
  catalogue,
  files,
  policy,
  seed = 0,
  state,
  ...settings
}: AnyMockGatewayOptions): Effect.Effect<Mock, StartFailure | ConnectionFailed | AuthenticationFailed, Scope.Scope> =>
  Effect.gen(function*() {
    const wire = yield* tracingInvocations(Wire.make)
    const world = World.make({ current: wire.current, agent, state, catalogue })
    const script = yield* Script.make({ capabilities, catalogue, files }, { kept: world.kept, ran: world.ran })
    const humans = yield* Humans.make(script.invocations)
    const parts = script.parts(wire.faults)
    yield* startOn(wire, { agent, files, policy }, {
      ...parts,
      registrations: (own) => parts.registrations(world.registrations(own)),
      undos: (own) => world.undos(parts.undos(own)),
      methods: (own) => parts.methods(world.methods(own)),
      attach: Effect.zipRight(world.attach, humans.attach)
    })
    const services = yield* Layer.build(servicesOver(wire, settings))
    const mock: MockGatewayService = {
      ...script.control(humans.unused),
      ...wire.control,
      ...world.world,
      humans: humans.humans
    }
    return { services, mock }
  }).pipe(withSeed(seed))
