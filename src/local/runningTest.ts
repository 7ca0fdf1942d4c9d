import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Link } from "../connection/Link.js"
import type { ConnectionOptions } from "../connection/Options.js"
import type { AuthenticationFailed, ConnectionFailed } from "../errors/gateway.js"
import { SamplingInterval } from "./capabilities/system/Sampler.js"
import { FirstSweep } from "./gatewayCore.js"
import type { LocalGatewayTestOptions, StartFailure } from "./LocalGatewayOptions.js"
import { Heartbeat } from "./protocol/conversation.js"
import * as Running from "./running.js"
import { LongestSleep } from "./scheduler/Scheduler.js"
import { LookInterval } from "./state/StateWatches.js"
import { HealthInterval } from "./supervision/healthMonitor.js"
import { SweepInterval } from "./SweepInterval.js"
import * as TemporaryWorkspace from "./temporaryWorkspace.js"

/**
 * Nobody else is there whose signs of life and whose load would have to be watched, nor has anybody been who left something to clear away;
 * and a test may move the Clock by days.
 */
export const unwatched = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  effect.pipe(
    Effect.provideService(Heartbeat, Duration.infinity),
    Effect.provideService(HealthInterval, Duration.infinity),
    Effect.provideService(LookInterval, Duration.hours(1)),
    Effect.provideService(SamplingInterval, Duration.infinity),
    Effect.provideService(FirstSweep, Duration.days(1)),
    Effect.provideService(SweepInterval, Duration.days(1)),
    Effect.provideService(LongestSleep, Duration.days(1))
  )

/** A link to a gateway with a workspace and a database of its own, which go with the scope. */
export const link = (
  { files, ...options }: Omit<LocalGatewayTestOptions, "seed">,
  connection: ConnectionOptions
): Effect.Effect<Link, StartFailure | ConnectionFailed | AuthenticationFailed, Scope.Scope> =>
  Effect.flatMap(
    TemporaryWorkspace.make(files),
    (workspace) => Running.link({ ...options, workspace, dataDirectory: ":memory:" }, connection)
  ).pipe(unwatched)
