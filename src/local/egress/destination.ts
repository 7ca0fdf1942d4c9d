import * as Effect from "effect/Effect"
import { canonicalAddress } from "./address.js"
import type { Egress } from "./Egress.js"
import { HostRefused, NoAnswer } from "./failures.js"
import { type Host, showHost } from "./Host.js"
import type { ResolverService } from "./Resolver.js"

/** A place that an agent may connect to: only its addresses are connected to, whatever else its name comes to mean. */
export interface Destination {
  readonly host: Host
  readonly port: number
  readonly addresses: ReadonlyArray<string>
}

/** More of them are not tried. */
const mostAddresses = 8

/** Finds where a host is, and keeps of its addresses what the policy lets the agent reach. */
export const resolveDestination = (
  egress: Egress,
  resolver: ResolverService,
  { host, port, url }: { readonly host: Host; readonly port: number; readonly url?: string | undefined }
): Effect.Effect<Destination, HostRefused | NoAnswer> =>
  Effect.gen(function*() {
    const target = { host, port }
    const refused = egress.refusal(target)
    if (refused !== undefined) return yield* new HostRefused({ host: showHost(host), refusal: refused, url })
    const found = host._tag === "Address" ? [host.address] : yield* resolver.addressesOf(host.name)
    const answers = found.map((given) => {
      const address = canonicalAddress(given)
      return { address, refusal: address === undefined ? undefined : egress.refusalOfAddress(target, address) }
    })
    const addresses = answers.flatMap(({ address, refusal }) =>
      address === undefined || refusal !== undefined ? [] : [address]
    )
    if (addresses.length > 0) return { ...target, addresses: addresses.slice(0, mostAddresses) }
    const refusal = answers.find((answer) => answer.refusal !== undefined)?.refusal
    return yield* refusal === undefined
      ? new NoAnswer({ reason: "not_resolved", message: `${showHost(host)} has no address`, sent: false })
      : new HostRefused({ host: showHost(host), refusal, url })
  })
