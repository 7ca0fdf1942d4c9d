import ipaddr from "ipaddr.js"
import { isIP } from "node:net"
import { urlOf } from "../urlOf.js"

/**
 * What an address belongs to: the public internet, a network of one's own (loopback, private ranges, carrier-grade NAT, unique
 * local), or anything else (link-local, multicast, unspecified, reserved, other addresses wrapped in IPv6, metadata services).
 */
export type AddressKind = "public" | "private" | "special"

// Where clouds answer their machines; some are in ranges that are otherwise public, or private.
const metadataServices = new Set(["168.63.129.16", "100.100.100.200", "fd00:ec2::254", "fd20:ce::254"])

const privateRanges = new Set(["loopback", "private", "carrierGradeNat", "uniqueLocal"])

const allocated = ipaddr.IPv6.parse("2000::")

// The library takes ::127.0.0.1 for ::ffff:127.0.0.1, which the system does not.
const hexadecimal = (text: string): string | undefined => urlOf(`http://[${text}]/`)?.hostname.slice(1, -1)

/**
 * The one spelling of an IP address, a mapped IPv4 address taken out of IPv6; undefined for what is no address as the system writes
 * them, and for one of a single network interface.
 */
export const canonicalAddress = (text: string): string | undefined => {
  const version = isIP(text)
  if (version === 0) return undefined
  const plain = version === 4 ? text : hexadecimal(text)
  return plain === undefined ? undefined : ipaddr.process(plain).toString()
}

/** What a canonical address belongs to. */
export const kindOf = (address: string): AddressKind => {
  if (isIP(address) === 0 || metadataServices.has(address)) return "special"
  const parsed = ipaddr.process(address)
  const range = parsed.range()
  if (privateRanges.has(range)) return "private"
  const isAllocated = parsed.kind() === "ipv4" || parsed.match(allocated, 3)
  return range === "unicast" && isAllocated ? "public" : "special"
}
