import { urlOf } from "../urlOf.js"
import { canonicalAddress, kindOf } from "./address.js"

/** Where a request goes: a name in lower case and ASCII, without a dot at its end, or a canonical IP address. */
export type Host =
  | { readonly _tag: "Name"; readonly name: string }
  | { readonly _tag: "Address"; readonly address: string }

const label = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/

/** The host of a URL; undefined where it is no name that a name server could know. */
export const hostOfUrl = ({ hostname }: URL): Host | undefined => {
  const address = canonicalAddress(hostname.replace(/^\[|\]$/g, ""))
  if (address !== undefined) return { _tag: "Address", address }
  const name = hostname.toLowerCase().replace(/\.$/, "")
  return name.length <= 253 && name.split(".").every((part) => label.test(part)) ? { _tag: "Name", name } : undefined
}

/**
 * Reads a host that stands alone: a name or an address, in any spelling that a URL may have; undefined where there is more to it,
 * such as a port. An IPv6 address may have brackets.
 */
export const parseHost = (text: string): Host | undefined => {
  const address = canonicalAddress(text)
  if (address !== undefined) return { _tag: "Address", address }
  // All that means something else in a URL, or is dropped from it.
  const isBracketed = text.startsWith("[") && text.endsWith("]")
  if (/[\s/?#@\\%]/.test(text) || (text.includes(":") && !isBracketed) || text.length > 1024) return undefined
  const url = urlOf(`http://${text}/`)
  return url === undefined ? undefined : hostOfUrl(url)
}

/** A host as it is written in a URL or shown to somebody. */
export const showHost = (host: Host): string => {
  if (host._tag === "Name") return host.name
  return host.address.includes(":") ? `[${host.address}]` : host.address
}

// Nobody can register these, so that an answer for one of them comes from who runs the machine.
const localEndings = /(?:^|\.)(?:localhost|local|internal|home\.arpa)$/

/** Whether a name is one of one's own network, and never of the public one. */
export const isLocalName = (name: string): boolean => !name.includes(".") || localEndings.test(name)

/** Whether a host is one of one's own network, by its name or its address. */
export const isOwnNetwork = (host: Host): boolean =>
  host._tag === "Name" ? isLocalName(host.name) : kindOf(host.address) === "private"
