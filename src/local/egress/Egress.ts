import { kindOf } from "./address.js"
import { showHost } from "./Host.js"
import { type HostPattern, means, meansAddress, type Target } from "./HostPattern.js"

/** The hosts that one layer of the policy allows, and the rule that says so. */
export interface AllowedHosts {
  readonly rule: string
  readonly patterns: ReadonlyArray<HostPattern>
}

/** Which rule keeps an agent from a host, and why. */
export interface Refusal {
  readonly rule: string
  readonly reason: string
}

/** Where an agent may go. */
export interface Egress {
  /** What keeps the agent from a host, before it is known where that is. Without a port: from every port. */
  readonly refusal: (target: Target) => Refusal | undefined
  /** What keeps the agent from an address that an allowed host is at. */
  readonly refusalOfAddress: (target: Target, address: string) => Refusal | undefined
  /** Whether all lists name every host at every port (`*`): what cannot be held to single hosts may use the network then, and only then. */
  readonly isUnrestricted: boolean
}

const shown = ({ host, port }: Target): string => `${showHost(host)}${port === undefined ? "" : `:${port}`}`

/** Every one of the lists has to allow a host; without any nothing is allowed. */
export const make = (lists: ReadonlyArray<AllowedHosts>): Egress => {
  const first = (fits: (pattern: HostPattern) => boolean): string | undefined =>
    lists.length === 0 ? "gateway:network.allow" : lists.find(({ patterns }) => !patterns.some(fits))?.rule
  return {
    refusal: (target) => {
      const rule = first((pattern) => means(pattern, target))
      return rule === undefined ? undefined : { rule, reason: `${rule} does not name ${shown(target)}` }
    },
    refusalOfAddress: (target, address) => {
      if (kindOf(address) === "public") return undefined
      const rule = first((pattern) => meansAddress(pattern, target, address))
      const reason = `${address} is no public address, and ${rule} does not name it`
      return rule === undefined ? undefined : { rule, reason }
    },
    isUnrestricted: lists.length > 0 &&
      lists.every(({ patterns }) => patterns.some(({ _tag, port }) => _tag === "Any" && port === undefined))
  }
}

/** Nothing can be reached. */
export const nowhere: Egress = make([])
