import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import type * as network from "../../../catalogue/network.js"
import { CapabilityError, InvalidInput, type ResourceExhausted } from "../../../errors/general.js"
import { HostNotAllowed } from "../../../errors/network.js"
import { kindOf } from "../../egress/address.js"
import { bodyText } from "../../egress/bodyText.js"
import type { Egress } from "../../egress/Egress.js"
import type { Incoming, Method, Outgoing } from "../../egress/exchange.js"
import { type HostRefused, NoAnswer } from "../../egress/failures.js"
import { isOwnNetwork, showHost } from "../../egress/Host.js"
import type { Target } from "../../egress/HostPattern.js"
import { isUnpacked, readBody } from "../../egress/readBody.js"
import { nextHop } from "../../egress/redirect.js"
import type { ResolverService } from "../../egress/Resolver.js"
import { mostRedirects, send, targetOf } from "../../egress/send.js"
import { parseUrl } from "../../egress/url.js"
import type { PolicyService } from "../../policy/Policy.js"
import { storeUnavailable } from "../../store/agentFailure.js"
import type { Scrubber } from "../../vault/scrub.js"
import type { VaultService } from "../../vault/Vault.js"
import type { Handler } from "../Handler.js"
import { requestHeaders } from "./failures.js"

interface Placement {
  readonly type: "header" | "query"
  readonly name: string
  readonly format: string
}

interface Headers {
  readonly [name: string]: string
}

const invalid = (field: string, message: string) => new InvalidInput({ message, field, reason: message })

// Part of an answer, or one that only the agent can unpack, may hold a secret that the gateway does not find in it.
const hiding = new Set(["accept-encoding", "if-range", "range"])

const checkHeaders = (headers: Headers, { name, type }: Placement): Either.Either<void, InvalidInput> => {
  const names = Object.keys(headers).map((given) => given.toLowerCase())
  const hides = names.find((given) => hiding.has(given))
  if (hides !== undefined) {
    return Either.left(invalid("headers", `A request with a secret cannot have the header ${hides}`))
  }
  return type === "header" && names.includes(name.toLowerCase())
    ? Either.left(invalid("headers", "The header that the secret goes into is among the headers, too"))
    : Either.void
}

const checkPlacement = (url: URL, { name, type }: Placement): Either.Either<void, InvalidInput> => {
  if (name === "" || name.length > 256) {
    return Either.left(invalid("credential_placement", "The name of the place has 1 to 256 characters"))
  }
  if (type === "header" && hiding.has(name.toLowerCase())) {
    return Either.left(invalid("credential_placement", "The secret cannot go into this header"))
  }
  return type === "query" && url.searchParams.has(name)
    ? Either.left(invalid("url", "The parameter that the secret goes into is in the URL, too"))
    : Either.void
}

const withParameter = (url: URL, name: string, value: string): URL => {
  const placed = new URL(url)
  const parameter = new URLSearchParams([[name, value]]).toString()
  placed.search = placed.search === "" ? parameter : `${placed.search}&${parameter}`
  return placed
}

/** The request with the secret, or with anything else, in its place. */
const outgoingWith = (
  { body, headers, method, url }: Pick<Outgoing, "body" | "method" | "url"> & { readonly headers: Headers },
  { format, name, type }: Placement,
  secret: Redacted.Redacted<string>
): Either.Either<Outgoing, InvalidInput> => {
  const value = format.split("{secret}").join(Redacted.value(secret))
  return Either.map(requestHeaders(type === "header" ? { ...headers, [name]: value } : headers), (all) => ({
    method,
    url: type === "query" ? withParameter(url, name, value) : url,
    headers: all,
    body
  }))
}

const unencrypted = "it would be sent unencrypted: use https"

const refusalOf = (egress: Egress, url: URL, target: Target): string | undefined =>
  url.protocol === "http:" && !isOwnNetwork(target.host) ? unencrypted : egress.refusal(target)?.reason

// A name that only one's own network has may still be answered with an address of the public internet.
const egressFor = (egress: Egress, url: URL): Egress =>
  url.protocol === "https:" ? egress : {
    ...egress,
    refusalOfAddress: (target, address) =>
      kindOf(address) === "public"
        ? { rule: "gateway:network.credentialed_request", reason: unencrypted }
        : egress.refusalOfAddress(target, address)
  }

const refused = (name: string) => ({ host, refusal }: HostRefused) =>
  new HostNotAllowed({
    message: `The secret ${name} may not be sent to ${host}: ${refusal.reason}`,
    host,
    secretName: name,
    context: { rule: refusal.rule }
  })

const isIdempotent = (method: Method): boolean => method !== "POST" && method !== "PATCH"

// Without the cause, which may have what the host sent.
const notAnswered = (method: Method) => ({ message, reason, sent }: NoAnswer) =>
  new CapabilityError({
    type: "RequestFailed",
    message,
    retryable: reason !== "not_trusted" && reason !== "bad_redirect" && (!sent || isIdempotent(method)),
    context: { reason }
  })

const unreadable = () =>
  new NoAnswer({
    reason: "broken_off",
    message: "The host packed its answer in a way that the gateway cannot look into, although it was asked not to",
    sent: true
  })

const tooSlow = (seconds: number) => () =>
  new NoAnswer({ reason: "timeout", message: `There was no whole answer within ${seconds} seconds`, sent: true })

interface Answer {
  readonly incoming: Incoming
  readonly bytes: Uint8Array
}

// There are encodings of the way, too, which Node takes away only where that is `chunked`.
const isReadable = ({ headers }: Incoming): boolean =>
  isUnpacked(headers["content-encoding"]) && /^(?:chunked)?$/i.test(headers["transfer-encoding"]?.trim() ?? "")

const whole = (incoming: Incoming): Effect.Effect<Answer, NoAnswer | ResourceExhausted> =>
  isReadable(incoming)
    ? Effect.map(readBody(incoming), (bytes) => ({ incoming, bytes }))
    : unreadable()

// Where a redirect leads elsewhere it is the answer.
const nextAtOrigin = (outgoing: Outgoing, incoming: Incoming): Effect.Effect<Outgoing | undefined> =>
  Effect.map(
    Effect.orElseSucceed(nextHop(outgoing, incoming), () => undefined),
    (next) => next?.url.origin === outgoing.url.origin ? next : undefined
  )

const exchangeAtOrigin = (
  egress: Egress,
  resolver: ResolverService,
  outgoing: Outgoing,
  left: number = mostRedirects
): Effect.Effect<Answer, HostRefused | NoAnswer | ResourceExhausted> =>
  send({ egress, resolver, followRedirects: false }, outgoing).pipe(
    Effect.flatMap((incoming) =>
      Effect.flatMap(nextAtOrigin(outgoing, incoming), (next): Effect.Effect<
        Answer | Outgoing,
        NoAnswer | ResourceExhausted
      > => next === undefined || left === 0 ? whole(incoming) : Effect.succeed(next))
    ),
    Effect.scoped,
    Effect.flatMap((found) =>
      "incoming" in found ? Effect.succeed(found) : exchangeAtOrigin(egress, resolver, found, left - 1)
    )
  )

const shownHeaders = ({ short }: Scrubber, headers: Headers): Headers =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [short(name), short(value)]))

const urlOf = (text: string) =>
  Either.mapLeft(parseUrl(text), (reason) => invalid("url", `The URL cannot be used: ${reason}`))

/**
 * Sends a request with a secret in it, which the agent does not see: to a host that both the policy and the secret name, over TLS unless
 * that is in one's own network. Redirects are followed within the origin alone; one that leads elsewhere is the answer. Of the answer, of
 * 10 MiB at most, all is taken out that is the secret.
 */
export const makeCredentialedRequest = (
  policy: PolicyService,
  resolver: ResolverService,
  vault: VaultService
): Handler<typeof network.credentialedRequest> =>
({ body, credential_placement: placement, headers = {}, method, secret_name, timeout, url: text }, invocation) =>
  Effect.gen(function*() {
    const { agent, sessionId } = invocation
    const url = yield* urlOf(text)
    const target = targetOf(url)
    if (target === undefined) return yield* invalid("url", "The URL has no host")
    yield* checkPlacement(url, placement)
    yield* checkHeaders(headers, placement)
    const asked = { method, url, headers, body: method === "GET" || method === "HEAD" ? undefined : body }
    // What is wrong with the request is said before the secret is taken out.
    yield* outgoingWith(asked, placement, Redacted.make("secret"))
    const egress = policy.egress(agent)
    const { scrubber, value } = yield* vault.use({
      agent: agent.name,
      sessionId,
      name: secret_name,
      capability: "network.credentialed_request",
      destination: { target, host: showHost(target.host), refusal: refusalOf(egress, url, target) }
    })
    const outgoing = yield* Either.mapLeft(
      outgoingWith(asked, placement, value),
      () => invalid("credential_placement", "The secret has characters that no header can have, or is too long for one")
    )
    const started = yield* Clock.currentTimeMillis
    const { bytes, incoming } = yield* exchangeAtOrigin(egressFor(egress, url), resolver, outgoing).pipe(
      Effect.timeoutFail({ duration: Duration.seconds(timeout), onTimeout: tooSlow(timeout) }),
      Effect.catchTags({ HostRefused: refused(secret_name), NoAnswer: notAnswered(method) })
    )
    const type = incoming.headers["content-type"]
    return {
      status_code: incoming.status,
      headers: shownHeaders(scrubber, incoming.headers),
      body: yield* scrubber.text(bodyText(yield* scrubber.bytes(bytes), type)),
      duration_ms: (yield* Clock.currentTimeMillis) - started
    }
  }).pipe(Effect.catchTag("SqlError", storeUnavailable))
