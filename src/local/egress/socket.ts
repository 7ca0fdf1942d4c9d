import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { connect, type Socket } from "node:net"
import { connect as connectSecurely } from "node:tls"
import { codeOf } from "../workspace/systemFailure.js"
import type { Destination } from "./destination.js"
import { NoAnswer } from "./failures.js"
import { showHost } from "./Host.js"

/** How long one address is tried while there is another. */
const patience = "3 seconds"

const isUntrusted = (code: string | undefined): boolean =>
  code !== undefined && /CERT|SELF_SIGNED|UNABLE_TO_|^ERR_TLS|^ERR_SSL|^EPROTO$/.test(code)

const failed = ({ host, port }: Destination) => (cause: unknown): NoAnswer => {
  const place = `${showHost(host)}:${port}`
  const code = codeOf(cause)
  return isUntrusted(code)
    ? new NoAnswer({ reason: "not_trusted", message: `${place} is not trusted (${code})`, sent: false, cause })
    : new NoAnswer({
      reason: "not_connected",
      message: code === "ECONNREFUSED"
        ? `${place} accepts no connections`
        : `${place} cannot be reached (${code ?? "no reason known"})`,
      sent: false,
      cause
    })
}

const begin = ({ host, port }: Destination, address: string, secure: boolean): Socket => {
  const place = { host: address, port, noDelay: true }
  return secure
    ? connectSecurely({
      ...place,
      ALPNProtocols: ["http/1.1"],
      // Whatever NODE_TLS_REJECT_UNAUTHORIZED says.
      rejectUnauthorized: true,
      ...(host._tag === "Name" ? { servername: host.name } : {})
    })
    : connect(place)
}

const open = (
  destination: Destination,
  address: string,
  secure: boolean
): Effect.Effect<Socket, NoAnswer, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const socket = begin(destination, address, secure)
      // What breaks later is seen by whoever reads, and must not end the process where nobody does.
      socket.on("error", () => undefined)
      return socket
    }),
    (socket) => Effect.sync(() => socket.destroy())
  ).pipe(
    Effect.tap((socket) =>
      Effect.async<void, unknown>((resume) => {
        socket.once(secure ? "secureConnect" : "connect", () => resume(Effect.void))
        socket.once("error", (cause) => resume(Effect.fail(cause)))
        socket.once("close", () => resume(Effect.fail(undefined)))
      })
    ),
    Effect.mapError(failed(destination))
  )

/**
 * Connects to a destination, with TLS where it has to be `secure`: to its addresses, one after the other, until one answers. The
 * socket is closed with the scope. How long the last address is tried is the caller's business.
 */
export const openSocket = (
  destination: Destination,
  { secure }: { readonly secure: boolean }
): Effect.Effect<Socket, NoAnswer, Scope.Scope> => {
  const slow = () => failed(destination)(undefined)
  const [first, ...others] = destination.addresses
  const tryNext = (address: string, rest: ReadonlyArray<string>): Effect.Effect<Socket, NoAnswer, Scope.Scope> => {
    const [next, ...further] = rest
    if (next === undefined) return open(destination, address, secure)
    return open(destination, address, secure).pipe(
      Effect.timeoutFail({ duration: patience, onTimeout: slow }),
      // A host that is not the one that was meant is not given another chance.
      Effect.catchAll((failure) => failure.reason === "not_trusted" ? Effect.fail(failure) : tryNext(next, further))
    )
  }
  return first === undefined ? Effect.fail(slow()) : tryNext(first, others)
}
