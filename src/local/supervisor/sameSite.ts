import type { IncomingHttpHeaders } from "node:http"
import { isLoopback } from "../../connection/endpoint.js"
import { urlOf } from "../urlOf.js"

/** A request, as far as it says where it is from and what it is for. */
interface Asked {
  readonly headers: Pick<IncomingHttpHeaders, "host" | "origin">
  readonly socket: { readonly localAddress?: string | undefined }
}

const isHost = (text: string | undefined): text is string =>
  /^(\[[\da-f:.]+\]|[^\s/?#@:[\]\\]+)(:\d+)?$/i.test(text ?? "")

const bracketed = (address: string) => address.includes(":") ? `[${address}]` : address

// As Node says it of a socket that takes both versions.
const plain = (address: string | undefined) => bracketed((address ?? "").replace(/^::ffff:/i, ""))

/**
 * Whether a request asks for the gateway by a name that is its own: the one that it was told to listen on, the address that was
 * connected to, or a name of this machine. A website that has its name resolved to this machine asks by its own name.
 */
export const asksForThis = ({ headers, socket }: Asked, listensOn: string): boolean => {
  const asked = isHost(headers.host) ? urlOf(`http://${headers.host}`)?.hostname : undefined
  if (asked === undefined) return false
  return isLoopback(asked) || asked === urlOf(`http://${bracketed(listensOn)}`)?.hostname
    || asked === plain(socket.localAddress)
}

/** Whether a request comes from no website, or from one of the gateway's own. */
export const comesFromHere = ({ headers }: Asked): boolean =>
  headers.origin === undefined || urlOf(headers.origin)?.host === urlOf(`http://${headers.host}`)?.host
