import type { IncomingMessage } from "node:http"
import { isLoopback } from "../../connection/endpoint.js"

const urlOf = (text: string): URL | undefined => URL.canParse(text) ? new URL(text) : undefined

const bracketed = (address: string) => address.includes(":") ? `[${address}]` : address

// As Node says it of a socket that takes both versions.
const plain = (address: string | undefined) => bracketed((address ?? "").replace(/^::ffff:/i, ""))

/**
 * Whether a request asks for the gateway by a name that is its own: the one that it was told to listen on, the address that was
 * connected to, or a name of this machine. A website that has its name resolved to this machine asks by its own name.
 */
export const asksForThis = ({ headers, socket }: IncomingMessage, listensOn: string): boolean => {
  const asked = headers.host === undefined ? undefined : urlOf(`http://${headers.host}`)?.hostname
  if (asked === undefined) return false
  return isLoopback(asked) || asked === urlOf(`http://${bracketed(listensOn)}`)?.hostname
    || asked === plain(socket.localAddress)
}

/** Whether a request comes from no website, or from one of the gateway's own. */
export const comesFromHere = ({ headers }: IncomingMessage): boolean =>
  headers.origin === undefined || urlOf(headers.origin)?.host === urlOf(`http://${headers.host}`)?.host
