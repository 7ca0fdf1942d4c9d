import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { FaultProxy, ProxiedConnection } from "../support/faultProxy.js"
import type { GatewayProcess } from "../support/gatewayProcess.js"
import { type Cut, type Kill, latestKill, type ProgramSchedule } from "./programSchedule.js"

/** A program on its way from its begin to its end. */
export interface Journey {
  readonly proxy: FaultProxy
  /** How many bytes it says to make a connection. */
  readonly handshake: number
  /** How many bytes it says besides when nothing disturbs it. */
  readonly way: number
}

/** A kill that is to come, and its end: the gateway is there again. */
interface Coming {
  readonly kill: Kill
  readonly asked: Deferred.Deferred<void>
  readonly over: Deferred.Deferred<void>
}

/** What kills the gateway that programs share. */
export interface Killer {
  readonly coming: ReadonlyArray<Coming>
  /** Whether there is a gateway at the moment. */
  readonly isServing: () => boolean
  /** How often there was none. */
  readonly kills: () => number
}

/** Kills a gateway whenever it is asked to, and starts it again; until the scope closes. */
export const makeKiller = (gateway: GatewayProcess, kills: ReadonlyArray<Kill>) =>
  Effect.gen(function*() {
    let isServing = true
    let count = 0
    const coming = yield* Effect.forEach(kills, (kill) =>
      Effect.all({ kill: Effect.succeed(kill), asked: Deferred.make<void>(), over: Deferred.make<void>() }))
    const carryOut = ({ asked, kill: { away }, over }: Coming) =>
      Effect.gen(function*() {
        yield* Deferred.await(asked)
        isServing = false
        count++
        yield* gateway.end("SIGKILL")
        yield* Effect.sleep(away)
        yield* gateway.startAgain
        isServing = true
      }).pipe(Effect.intoDeferred(over))
    yield* Effect.forkScoped(Effect.forEach(coming, carryOut, { discard: true }))
    const killer: Killer = {
      coming,
      isServing: () =>
        isServing,
      kills: () => count
    }
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

// What is late strikes when a connection is in use, and not before it is made: that is another kind of moment.
const firstCall = 200

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
    const left = Math.max(firstCall, far * journey.way / 1000 - others)
    const at = Math.max(connection.forwarded("toServer"), journey.handshake + left)
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

/** Cuts a program off as its schedule says; `onCut` is told of it. */
const cutOff = (
  journey: Journey,
  cuts: ReadonlyArray<Cut>,
  { isServing }: Killer,
  onCut: (how: Cut["how"]) => void
) =>
  Effect.gen(function*() {
    let after = 0
    for (const { how, when } of cuts) {
      after = yield* act(journey, after, when, (connection) => {
        // There would be nothing to lose.
        if (!isServing()) return false
        onCut(how)
        cut(connection, how)
        return true
      })
    }
  })

/** Has the gateway killed where it is this program that the kill is about, or it would come too late for this one. */
const haveKilled = (journey: Journey, program: number, { coming }: Killer) =>
  Effect.forEach(coming, ({ asked, kill, over }, index) => {
    const ask = act(journey, 0, kill.program === program ? kill.when : latestKill(index), () => {
      Deferred.unsafeDone(asked, Effect.void)
      return true
    })
    return Effect.zipRight(Effect.raceFirst(ask, Deferred.await(over)), Deferred.await(over))
  }, { discard: true })

/** Lets happen to a program of a schedule what the schedule says. */
export const disturb = (
  journey: Journey,
  program: number,
  { cuts }: ProgramSchedule,
  killer: Killer,
  onCut: (how: Cut["how"]) => void
): Effect.Effect<void> =>
  Effect.all([cutOff(journey, cuts, killer, onCut), haveKilled(journey, program, killer)], {
    concurrency: 2,
    discard: true
  })
