import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { FaultProxy, ProxiedConnection } from "../support/faultProxy.js"
import type { GatewayProcess } from "../support/gatewayProcess.js"
import type { Cut, OnTheWay, ProgramSchedule } from "./programSchedule.js"

/** A program on its way from its begin to its end. */
export interface Journey {
  readonly proxy: FaultProxy
  /** How many bytes it says to make a connection. */
  readonly handshake: number
  /** How many bytes it says besides when nothing disturbs it. */
  readonly way: number
}

/** What kills a gateway, which programs share. */
export interface Killer {
  readonly isServing: () => boolean
  /** Asks for a kill by its number, and waits until the gateway is there again. */
  readonly asked: ReadonlyArray<Deferred.Deferred<void>>
  readonly over: ReadonlyArray<Deferred.Deferred<void>>
  /** How many there have been. */
  readonly kills: () => number
}

/** Kills a gateway as often as it is asked to, and starts it again each time after so many milliseconds; until the scope closes. */
export const makeKiller = (gateway: GatewayProcess, away: ReadonlyArray<number>) =>
  Effect.gen(function*() {
    let isServing = true
    let kills = 0
    const asked = yield* Effect.forEach(away, () => Deferred.make<void>())
    const over = yield* Effect.forEach(away, () => Deferred.make<void>())
    const each = (milliseconds: number, index: number) =>
      Effect.gen(function*() {
        yield* asked[index] ?? Effect.void
        isServing = false
        kills++
        yield* gateway.end("SIGKILL")
        yield* Effect.sleep(milliseconds)
        yield* gateway.startAgain
        isServing = true
        yield* Deferred.succeed(over[index] ?? (yield* Deferred.make<void>()), undefined)
      })
    // A gateway that does not start again leaves nothing to wait for.
    yield* Effect.forkScoped(
      Effect.forEach(away, each, { discard: true }).pipe(
        Effect.onError((cause) => Effect.forEach(over, (deferred) => Deferred.failCause(deferred, cause)))
      )
    )
    const killer: Killer = { isServing: () => isServing, asked, over, kills: () => kills }
    return killer
  })

const useful = ({ handshake }: Journey, connection: ProxiedConnection) =>
  Math.max(0, connection.forwarded("toServer") - handshake)

/** How far it has come, in bytes. */
export const gone = (journey: Journey): number =>
  journey.proxy.connections.reduce((sum, connection) => sum + useful(journey, connection), 0)

/** Waits until something can be found that depends on the connections of a proxy. */
const found = <A>({ proxy }: Journey, find: () => A | undefined): Effect.Effect<A> =>
  Effect.async((resume) => {
    const look = () => {
      const value = find()
      if (value === undefined) return
      stop()
      resume(Effect.succeed(value))
    }
    const stop = proxy.onChange(look)
    look()
    return Effect.sync(stop)
  })

/** The connection that a program has, once there is one that is not among the first so many. */
const connectionAfter = (journey: Journey, count: number) =>
  found(journey, () => {
    const { connections } = journey.proxy
    const connection = connections.at(-1)
    return connections.length > count && connection?.isOver() === false
      ? { connection, number: connections.length }
      : undefined
  })

/** Acts on a connection when the moment comes. Never ends where it does not come. */
const onConnection = (
  journey: Journey,
  connection: ProxiedConnection,
  when: Cut["when"],
  act: () => void
): Effect.Effect<void> =>
  Effect.async((resume) => {
    if (when._tag === "Connecting") {
      return connection.when(when.direction, when.bytes, () => {
        act()
        resume(Effect.void)
      })
    }
    const { bytes, direction, far, milliseconds } = when
    const others = gone(journey) - useful(journey, connection)
    const at = Math.max(connection.forwarded("toServer"), journey.handshake + far * journey.way / 1000 - others)
    const come = () => {
      // At once where it is about bytes: the next ones are forwarded else.
      if (milliseconds === 0) act()
      resume(milliseconds === 0 ? Effect.void : Effect.delay(Effect.sync(act), milliseconds))
    }
    connection.when("toServer", Math.round(at) + (direction === "toServer" ? bytes : 0), () =>
      direction === "toServer" ? come() : connection.when("toClient", connection.forwarded("toClient") + bytes, come))
  })

const isOver = (journey: Journey, connection: ProxiedConnection) =>
  found(journey, () => connection.isOver() || journey.proxy.connections.at(-1) !== connection ? true : undefined)

/**
 * Acts when the moment comes, on a connection of the program that is not among the first so many; gives how many there have been then. What
 * happens to connections by others meanwhile moves it to the next one.
 */
const act = (
  journey: Journey,
  after: number,
  when: Cut["when"],
  act: (connection: ProxiedConnection) => boolean
) =>
  Effect.gen(function*() {
    let count = after
    while (true) {
      const { connection, number } = yield* connectionAfter(journey, count)
      // What it does may end the connection, which is then seen first.
      let hasActed = false
      const tryToAct = () => {
        hasActed = !connection.isOver() && act(connection)
      }
      yield* Effect.raceFirst(onConnection(journey, connection, when, tryToAct), isOver(journey, connection))
      if (hasActed) return number
      if (connection.isOver()) count = number
    }
  })

const cut = (connection: ProxiedConnection, how: Cut["how"]) => {
  switch (how) {
    case "reset":
    case "end":
      return connection.cut(how)
    case "client is not told":
      return connection.halfOpen("client")
    case "gateway is not told":
      return connection.halfOpen("server")
    case "nobody is told":
      connection.lose("toClient")
      return connection.lose("toServer")
  }
}

/** Lets happen to a program what its schedule says; `onCut` is told of each cut. */
export const disturb = (
  journey: Journey,
  { cuts, kills }: ProgramSchedule,
  killer: Killer,
  onCut: (how: Cut["how"]) => void
): Effect.Effect<void> =>
  Effect.gen(function*() {
    const cutting = Effect.gen(function*() {
      let after = 0
      for (const { how, when } of cuts) {
        after = yield* act(journey, after, when, (connection) => {
          if (!killer.isServing()) return false
          onCut(how)
          cut(connection, how)
          return true
        })
      }
    })
    const killing = Effect.forEach(kills, (when: OnTheWay, index) =>
      Effect.gen(function*() {
        const asked = killer.asked[index]
        const over = killer.over[index]
        if (asked === undefined || over === undefined) return
        const ask = act(journey, 0, when, () => {
          Deferred.unsafeDone(asked, Effect.void)
          return true
        })
        yield* Effect.raceFirst(ask, Deferred.await(over))
        yield* Deferred.await(over)
      }), { discard: true })
    yield* Effect.all([cutting, killing], { concurrency: 2, discard: true })
  })
