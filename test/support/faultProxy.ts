import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { connect, createServer, type Server, type Socket } from "node:net"
import { type Flow, makeFlow } from "./faultProxyFlow.js"
import { textFrame } from "./faultProxyFrames.js"
import { type Direction, type Ending, type Fault, serve, type Step } from "./faultProxyScript.js"

/** A connection that goes through a proxy, in the hands of a test. */
export interface ProxiedConnection {
  /** Keeps what comes in this direction from now on, until `release`. */
  readonly hold: (direction: Direction) => void
  readonly release: (direction: Direction) => void
  /** How many bytes are being held in this direction. */
  readonly held: (direction: Direction) => number
  /** Forwards nothing more in this direction, and leaves the sockets open. */
  readonly lose: (direction: Direction) => void
  readonly cut: (how: Ending) => void
  /** Resets the other side; the one that stays open hears nothing more. */
  readonly halfOpen: (open: "client" | "server") => void
  /** Does something when so many bytes have been forwarded in this direction in all, before the next one is. */
  readonly when: (direction: Direction, bytes: number, act: () => void) => void
  /** Says a text to the client, after all that the gateway has said so far. */
  readonly inject: (text: string) => void
  /** How many bytes have been forwarded in this direction. */
  readonly forwarded: (direction: Direction) => number
  /** Whether the client's side is open. */
  readonly isOpen: () => boolean
  /** Whether it is over for its client, or is about to be. */
  readonly isOver: () => boolean
}

/** Stands between clients and a gateway on this machine, and does to their connections what its steps say. */
export interface FaultProxy {
  readonly port: number
  /** The WebSocket of the gateway, through the proxy. */
  readonly url: string
  /** All that there have been, oldest first; those that were denied are not among them. */
  readonly connections: ReadonlyArray<ProxiedConnection>
  /** Calls a listener whenever there is a connection more, or one is over; gives what ends that. */
  readonly onChange: (listener: () => void) => () => void
  /** How many were answered with 401. */
  readonly refusals: () => number
  /** How many clients are connected now. */
  readonly clients: () => number
  /** Says what becomes of the next connections; those after them have no faults. */
  readonly plan: (...steps: ReadonlyArray<Step>) => void
  /** No fault happens any more, and everybody can connect. What is lost already stays so. */
  readonly heal: () => void
}

const reasons = { 401: "Unauthorized", 503: "Service Unavailable" }

const isOver = (socket: Socket) => socket.destroyed || socket.readableEnded

// Node 20 leaves the handle of a socket open that is to be reset after it has begun to end.
const reset = (socket: Socket) => void (socket.writableEnded ? socket.destroy() : socket.resetAndDestroy())

interface Hooks {
  readonly hides: string | undefined
  readonly isHealed: () => boolean
  readonly later: (milliseconds: number, act: () => void) => void
  /** The connection is about to be over for its client, or is over. */
  readonly onOver: () => void
}

/** Forwards between two sockets until both have ended. */
const makeConnection = (client: Socket, server: Socket, faults: ReadonlyArray<Fault>, hooks: Hooks) => {
  let isTold = false
  const over = () => {
    if (isTold) return
    isTold = true
    hooks.onOver()
  }
  const loseAll = () => {
    toClient.lose()
    toServer.lose()
  }

  const cut = (how: Ending) => {
    over()
    loseAll()
    for (const socket of [client, server]) {
      if (how === "reset") reset(socket)
      else socket.end()
    }
  }

  const halfOpen = (open: "client" | "server") => {
    loseAll()
    if (open === "server") over()
    reset(open === "client" ? server : client)
  }

  const strike = (fault: Fault) => {
    switch (fault._tag) {
      case "Cut":
        return cut(fault.how)
      case "Truncate":
        return cut("end")
      case "Blackhole":
        return fault.both ? loseAll() : (fault.direction === "toClient" ? toClient : toServer).lose()
      case "Stall":
        flow(fault.direction).hold()
        return hooks.later(fault.milliseconds, () => flow(fault.direction).release())
      case "HalfOpen":
        return halfOpen(fault.open)
    }
  }

  const ended = (direction: Direction, wasReset: boolean) => {
    const [flow, from, to] = direction === "toClient"
      ? [toClient, server, client] as const
      : [toServer, client, server] as const
    if (direction === "toServer") over()
    if (flow.isLost()) from.destroy()
    else if (wasReset) reset(to)
    else to.end()
  }

  const valves = { hides: hooks.hides, isHealed: hooks.isHealed, strike, ended }
  const toClient: Flow = makeFlow("toClient", server, client, faults, valves)
  const toServer: Flow = makeFlow("toServer", client, server, faults, valves)
  const flow = (direction: Direction) => direction === "toClient" ? toClient : toServer

  const connection: ProxiedConnection = {
    hold: (direction) => flow(direction).hold(),
    release: (direction) => flow(direction).release(),
    held: (direction) => flow(direction).held(),
    lose: (direction) => flow(direction).lose(),
    cut,
    halfOpen,
    when: (direction, bytes, act) => flow(direction).when(bytes, act),
    inject: (text) => toClient.inject(textFrame(text)),
    forwarded: (direction) => flow(direction).forwarded(),
    isOpen: () => !isOver(client),
    isOver: () => isTold
  }
  const run = Effect.all([toClient.run, toServer.run], { concurrency: 2, discard: true }).pipe(
    Effect.ensuring(Effect.sync(() => {
      over()
      client.destroy()
      server.destroy()
    }))
  )
  return { connection, run }
}

const listen = (server: Server, port: number): Effect.Effect<void, Error> =>
  Effect.async((resume) => {
    const failed = (cause: Error) => resume(Effect.fail(cause))
    server.once("error", failed)
    server.listen(port, "127.0.0.1", () => {
      server.off("error", failed)
      resume(Effect.void)
    })
  })

// Below the ports that a system gives to those who connect, so that nobody takes it while the proxy refuses.
const anyPort = Random.nextIntBetween(20_000, 30_000)

const listenSomewhere = (server: Server): Effect.Effect<number> =>
  Effect.flatMap(anyPort, (port) => Effect.as(listen(server, port), port)).pipe(
    Effect.retry({ times: 50 }),
    Effect.orDie
  )

export interface ProxyOptions {
  /** What becomes of the connections, in the order in which they come; those after them have no faults. */
  readonly steps?: ReadonlyArray<Step>
  /** A feature of the gateway that its clients do not get to know of. */
  readonly hides?: string | undefined
}

/**
 * Starts a proxy before a port of this machine. It ends with the scope, and so do its connections.
 */
export const make = (
  target: number,
  { hides, steps = [] }: ProxyOptions = {}
): Effect.Effect<FaultProxy, never, Scope.Scope> =>
  Effect.gen(function*() {
    const planned = [...steps]
    const connections: Array<ProxiedConnection> = []
    const sockets = new Set<Socket>()
    const listeners = new Set<() => void>()
    const changed = () => listeners.forEach((listener) => listener())
    let refusals = 0
    let isHealed = false
    const healed = Effect.unsafeMakeLatch(false)
    const server = createServer({ allowHalfOpen: true, noDelay: true })
    const port = yield* Effect.acquireRelease(listenSomewhere(server), () =>
      Effect.sync(() => {
        server.close()
        sockets.forEach((socket) => socket.destroy())
      }))
    const run = yield* FiberSet.makeRuntime<never, void, never>()

    const keep = (socket: Socket) =>
      sockets.add(socket.on("error", () => {}).once("close", () => sockets.delete(socket)))

    const refuse = (milliseconds: number) => {
      if (milliseconds === 0 || isHealed || !server.listening) return
      server.close()
      run(
        Effect.raceFirst(Effect.sleep(milliseconds), healed.await).pipe(
          Effect.zipRight(Effect.retry(listen(server, port), Schedule.spaced("5 millis"))),
          Effect.orDie
        )
      )
    }

    const deny = (client: Socket, status: 401 | 503) => {
      if (status === 401) refusals++
      client.once(
        "data",
        () => client.end(`HTTP/1.1 ${status} ${reasons[status]}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`)
      )
    }

    const forward = (client: Socket, faults: ReadonlyArray<Fault>, refuseAfter: number) => {
      const upstream = connect({ port: target, host: "127.0.0.1", allowHalfOpen: true, noDelay: true })
      keep(upstream)
      const { connection, run: forwarding } = makeConnection(client, upstream, faults, {
        hides,
        isHealed: () => isHealed,
        later: (milliseconds, act) => void run(Effect.delay(Effect.sync(act), milliseconds)),
        onOver: () => {
          refuse(refuseAfter)
          changed()
        }
      })
      connections.push(connection)
      changed()
      run(forwarding)
    }

    server.on("connection", (client) => {
      keep(client)
      const step = planned.shift() ?? serve()
      if (step._tag === "Deny") deny(client, step.status)
      else forward(client, step.faults, step.refuseAfter)
    })

    const proxy: FaultProxy = {
      port,
      url: `ws://127.0.0.1:${port}/mcp`,
      connections,
      onChange: (listener) => {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
      refusals: () => refusals,
      clients: () => connections.filter((connection) => connection.isOpen()).length,
      plan: (...next) => void planned.push(...next),
      heal: () => {
        isHealed = true
        planned.length = 0
        healed.unsafeOpen()
      }
    }
    return proxy
  })
