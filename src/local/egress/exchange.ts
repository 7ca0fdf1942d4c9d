import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Buffer } from "node:buffer"
import * as http from "node:http"
import type { Socket } from "node:net"
import type { Readable } from "node:stream"
import type { Destination } from "./destination.js"
import { NoAnswer } from "./failures.js"
import { showHost } from "./Host.js"
import { openSocket } from "./socket.js"

/** The methods that agents can use. */
export type Method = "GET" | "POST" | "PUT" | "DELETE" | "PATCH" | "HEAD" | "OPTIONS"

/** A request as it is sent. */
export interface Outgoing {
  readonly method: Method
  readonly url: URL
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>
  readonly body: string | undefined
}

/** An answer whose body is still to come. */
export interface Incoming {
  readonly status: number
  readonly url: URL
  /** By their names in lower case; what came several times is joined by commas. */
  readonly headers: { readonly [name: string]: string }
  /** The next piece of the body; undefined at its end. */
  readonly next: Effect.Effect<Uint8Array | undefined, NoAnswer>
}

const brokenOff = ({ host }: Destination) => (cause: unknown) =>
  new NoAnswer({
    reason: "broken_off",
    message: `${showHost(host)} broke off, or what it sent is no HTTP`,
    sent: true,
    cause
  })

const mostHeaderBytes = 32 * 1024

const start = (socket: Socket, { body, headers, method, url }: Outgoing): http.ClientRequest => {
  const request = http.request({
    // Connected already, to an address that was checked; there is no agent, and no second connection therefore.
    createConnection: () => socket,
    method,
    path: `${url.pathname}${url.search}`,
    headers: {
      ...Object.fromEntries(headers),
      host: url.host,
      ...(body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) })
    },
    setHost: false,
    maxHeaderSize: mostHeaderBytes,
    insecureHTTPParser: false
  })
  // What breaks after the answer has begun is seen by whoever reads it.
  request.on("error", () => undefined)
  return request
}

const answerTo = (
  socket: Socket,
  outgoing: Outgoing
): Effect.Effect<http.IncomingMessage, unknown, Scope.Scope> =>
  Effect.flatMap(
    Effect.acquireRelease(
      Effect.sync(() => start(socket, outgoing)),
      (request) => Effect.sync(() => request.destroy())
    ),
    (request) =>
      Effect.async<http.IncomingMessage, unknown>((resume) => {
        request.once("response", (answer) => {
          answer.on("error", () => undefined)
          resume(Effect.succeed(answer))
        })
        request.once("error", (cause) => resume(Effect.fail(cause)))
        request.once("close", () => resume(Effect.fail(undefined)))
        if (socket.destroyed) resume(Effect.fail(undefined))
        else request.end(outgoing.body)
      })
  )

const nextPiece = (body: Readable): Effect.Effect<Uint8Array | undefined, unknown> =>
  Effect.async((resume) => {
    const look = () => {
      const piece: unknown = body.read()
      if (piece instanceof Uint8Array) return finish(Effect.succeed(piece))
      if (body.readableEnded) return finish(Effect.succeed(undefined))
      if (body.errored !== null || body.destroyed) return finish(Effect.fail(body.errored))
    }
    const ended = () => finish(Effect.succeed(undefined))
    const erred = (cause: unknown) => finish(Effect.fail(cause))
    const forget = () => {
      body.off("readable", look)
      body.off("end", ended)
      body.off("error", erred)
      body.off("close", look)
    }
    const finish = (result: Effect.Effect<Uint8Array | undefined, unknown>) => {
      forget()
      resume(result)
    }
    body.on("readable", look)
    body.on("end", ended)
    body.on("error", erred)
    body.on("close", look)
    look()
    return Effect.sync(forget)
  })

const joined = (headers: http.IncomingHttpHeaders): Incoming["headers"] =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, typeof value === "string" ? value : value.join(", ")]]
    )
  )

/**
 * Sends one request to a destination over a connection of its own, which is closed with the scope. Has no deadline: that is the
 * caller's business.
 */
export const exchange = (
  destination: Destination,
  outgoing: Outgoing
): Effect.Effect<Incoming, NoAnswer, Scope.Scope> =>
  Effect.gen(function*() {
    const failed = brokenOff(destination)
    const { url } = outgoing
    const socket = yield* openSocket(destination, { secure: url.protocol === "https:" })
    const answer = yield* Effect.mapError(answerTo(socket, outgoing), failed)
    return {
      status: answer.statusCode ?? 0,
      url,
      headers: joined(answer.headers),
      next: Effect.mapError(nextPiece(answer), failed)
    }
  })
