import type * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import * as Scope from "effect/Scope"
import type { Dial, Duplex } from "../../connection/Duplex.js"
import { holding } from "../../connection/untilClose.js"
import { ConnectionFailed } from "../../errors/gateway.js"
import type { CoreParts } from "../../local/gatewayCore.js"
import type { StartFailure } from "../../local/LocalGatewayOptions.js"
import * as LibsqlDatabase from "../../local/store/LibsqlDatabase.js"
import type { FaultControl } from "../script/FaultControl.js"
import { currentExchange, type Exchange } from "./currentExchange.js"
import * as Mortality from "./mortality.js"
import type { WireControl } from "./WireControl.js"

/** A gateway that runs: what is in it, and how to connect to it. */
export interface Started {
  readonly services: Context.Context<CoreParts>
  readonly dial: Dial
}

/** Starts a gateway over a database, until the scope ends. */
export type Start = (database: LibsqlDatabase.LibsqlDatabase) => Effect.Effect<Started, StartFailure, Scope.Scope>

/** The connections to a gateway that can be killed and started again, and what can go wrong with them. */
export interface Wire {
  readonly control: WireControl
  readonly faults: FaultControl
  /** Opens a connection to the gateway that runs; while none does, to the next one. */
  readonly dial: Dial
  /** What is in the gateway that runs; while none does, in the next one. */
  readonly current: Effect.Effect<Context.Context<CoreParts>>
  /** Starts the first gateway. Those after it start the same way. */
  readonly start: (start: Start) => Effect.Effect<void, StartFailure>
}

interface Life extends Started {
  readonly kill: Effect.Effect<unknown>
}

const unreachable = new ConnectionFailed({ message: "The gateway cannot be reached: the test says so" })

const cannotStart = (cause: StartFailure) =>
  new ConnectionFailed({ message: `The gateway did not start again: ${cause.message}`, cause })

const decideFate = (fate: Exchange["fate"]) =>
  Effect.map(FiberRef.get(currentExchange), (exchange) => {
    if (exchange !== undefined) exchange.fate = fate
  })

/** Makes it without a gateway. The database, which is in memory, and the gateways end with the scope. */
export const make = Effect.gen(function*() {
  const scope = yield* Effect.scope
  // Every gateway begins as the first one, whoever asks for it.
  const run = Runtime.runFork(yield* Effect.runtime<never>())
  const database = yield* LibsqlDatabase.open({ filename: ":memory:" })
  const connections = new Set<Duplex>()
  let closedTo = 0
  let life = yield* Deferred.make<Life, StartFailure>()
  let restarting: Fiber.Fiber<void, StartFailure> | undefined
  let startOne: Start = () => Effect.never

  const cut = () => {
    for (const connection of connections) connection.abort()
    connections.clear()
  }

  const begin = Effect.gen(function*() {
    const own = yield* Scope.make()
    const mortality = Mortality.make(database)
    // What goes wrong in one that is dead is seen by nobody.
    const kill = Effect.zipRight(Effect.sync(mortality.kill), Effect.exit(Scope.close(own, Exit.void)))
    yield* Scope.addFinalizer(scope, kill)
    const started = yield* mortality.during(startOne(mortality.database)).pipe(
      Scope.extend(own),
      Effect.onError(() => kill)
    )
    const made: Life = { ...started, kill }
    return made
  })

  const beginAnew = Effect.gen(function*() {
    const old = yield* Effect.option(Deferred.await(life))
    life = yield* Deferred.make<Life, StartFailure>()
    const next = life
    cut()
    if (Option.isSome(old)) yield* old.value.kill
    yield* Effect.intoDeferred(begin, next)
    yield* Effect.asVoid(Deferred.await(next))
  })

  // It may be asked for by a fiber of the gateway itself, which ends with that.
  const beginRestart = Effect.sync(() => {
    restarting ??= run(
      Effect.ensuring(
        beginAnew,
        Effect.sync(() => {
          restarting = undefined
        })
      ),
      { scope }
    )
    return restarting
  })

  const open: Dial = Effect.gen(function*() {
    if (closedTo > 0) return yield* unreachable
    const asked = life
    const { dial } = yield* Effect.mapError(Deferred.await(asked), cannotStart)
    const connection = yield* Effect.catchIf(dial, () => asked !== life, () => open)
    yield* holding(connections, connection)
    return connection
  })

  const wire: Wire = {
    control: {
      dropConnection: Effect.sync(cut),
      unreachable: Effect.acquireRelease(
        Effect.sync(() => {
          closedTo++
        }),
        () =>
          Effect.sync(() => {
            closedTo--
          })
      ),
      restart: Effect.flatMap(beginRestart, Fiber.join)
    },
    faults: {
      dropConnection: Effect.sync(cut),
      restart: Effect.asVoid(beginRestart),
      dropReply: decideFate("dropReply"),
      duplicateReply: decideFate("duplicateReply")
    },
    dial: open,
    current: Effect.map(Effect.orDie(Effect.suspend(() => Deferred.await(life))), ({ services }) => services),
    start: (start) =>
      Effect.suspend(() => {
        startOne = start
        const first = life
        const begun = Effect.flatMap(Effect.sync(() => run(begin, { scope })), Fiber.join)
        return Effect.zipRight(Effect.intoDeferred(begun, first), Effect.asVoid(Deferred.await(first)))
      })
  }
  return wire
})
