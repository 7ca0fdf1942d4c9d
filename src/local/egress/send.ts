import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { type Destination, resolveDestination } from "./destination.js"
import type { Egress } from "./Egress.js"
import { exchange, type Incoming, type Outgoing } from "./exchange.js"
import { HostRefused, NoAnswer } from "./failures.js"
import { hostOfUrl, showHost } from "./Host.js"
import { nextHop } from "./redirect.js"
import type { ResolverService } from "./Resolver.js"

/** How many redirects are followed. */
export const mostRedirects = 10

/** What a request is sent with. */
export interface SendOptions {
  readonly egress: Egress
  readonly resolver: ResolverService
  readonly followRedirects: boolean
}

/** A URL as errors show it: a query may hold what is nobody else's business. */
export const shownUrl = ({ origin, pathname }: URL): string => `${origin}${pathname}`

/** The port of a URL. */
const portOf = ({ port, protocol }: URL): number => port === "" ? (protocol === "https:" ? 443 : 80) : Number(port)

const noHost = (url: URL) =>
  new NoAnswer({ reason: "bad_redirect", message: `${url.hostname} is the name of no host`, sent: true })

/** Where a URL leads, as the policy judges it; undefined where its host is none. */
export const targetOf = (url: URL) => {
  const host = hostOfUrl(url)
  return host === undefined ? undefined : { host, port: portOf(url), url: shownUrl(url) }
}

/** Fails where the policy keeps the agent from the host of a URL, whatever its addresses. */
export const checkHost = (egress: Egress, url: URL): Effect.Effect<void, HostRefused> => {
  const target = targetOf(url)
  const refusal = target === undefined ? undefined : egress.refusal(target)
  return target === undefined || refusal === undefined
    ? Effect.void
    : Effect.fail(new HostRefused({ host: showHost(target.host), refusal, url: target.url }))
}

const destinationOf = (
  { egress, resolver }: SendOptions,
  url: URL
): Effect.Effect<Destination, HostRefused | NoAnswer> => {
  const target = targetOf(url)
  return target === undefined ? Effect.fail(noHost(url)) : resolveDestination(egress, resolver, target)
}

/**
 * Sends a request, and follows redirects by hand: each host on the way has to be allowed, and is connected to at the addresses
 * that were checked. The connection of the answer ends with the scope, the others before.
 */
export const send = (
  options: SendOptions,
  outgoing: Outgoing,
  left: number = mostRedirects
): Effect.Effect<Incoming, HostRefused | NoAnswer, Scope.Scope> =>
  Effect.gen(function*() {
    const destination = yield* destinationOf(options, outgoing.url)
    const scope = yield* Effect.flatMap(Effect.scope, (parent) => Scope.fork(parent, parent.strategy))
    const incoming = yield* Scope.extend(exchange(destination, outgoing), scope)
    const next = options.followRedirects ? yield* nextHop(outgoing, incoming) : undefined
    if (next === undefined) return incoming
    yield* Scope.close(scope, Exit.void)
    if (left === 0) {
      return yield* new NoAnswer({
        reason: "bad_redirect",
        message: `${showHost(destination.host)} redirects once more, after ${mostRedirects} redirects`,
        sent: true
      })
    }
    return yield* send(options, next, left - 1)
  })
