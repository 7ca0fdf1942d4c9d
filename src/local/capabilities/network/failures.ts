import * as Either from "effect/Either"
import { InvalidInput, PolicyDenied } from "../../../errors/general.js"
import { DomainNotAllowed, RequestFailed } from "../../../errors/network.js"
import type { Method } from "../../egress/exchange.js"
import type { HostRefused, NoAnswer } from "../../egress/failures.js"
import { type Host, parseHost } from "../../egress/Host.js"
import { requestHeaders as readHeaders } from "../../egress/requestHeaders.js"
import { shownUrl } from "../../egress/send.js"
import { parseUrl } from "../../egress/url.js"

/** The URL of a request; one that no request can be sent to is InvalidInput, on the wire InvalidUrl. */
export const requestUrl = (text: string): Either.Either<URL, InvalidInput> =>
  Either.mapLeft(
    parseUrl(text),
    (reason) =>
      new InvalidInput({
        type: "InvalidUrl",
        message: `The URL cannot be used: ${reason}`,
        field: "url",
        reason: "InvalidUrl"
      })
  )

/** The headers of a request. */
export const requestHeaders = (given: { readonly [name: string]: string } | undefined) =>
  Either.mapLeft(
    readHeaders(given ?? {}),
    (reason) => new InvalidInput({ message: `The headers cannot be sent: ${reason}`, field: "headers", reason })
  )

/** A host that is given alone, as a name or an address. */
export const hostIn = (field: string, text: string): Either.Either<Host, InvalidInput> =>
  Either.fromNullable(parseHost(text), () =>
    new InvalidInput({
      message: `${field} takes the name or the address of a host alone: no scheme, port or path`,
      field,
      reason: "not a host"
    }))

/** The host is not one that the policy names, for what can be asked of a URL. */
export const domainNotAllowed = (error: HostRefused) =>
  new DomainNotAllowed({
    message: error.message,
    domain: error.host,
    url: error.url,
    context: { rule: error.refusal.rule, reason: error.refusal.reason },
    cause: error
  })

/** The same for what knows of no domains. */
export const policyDenied = (error: HostRefused) =>
  new PolicyDenied({
    message: error.message,
    rule: error.refusal.rule,
    reason: error.refusal.reason,
    context: { host: error.host },
    cause: error
  })

const isIdempotent = (method: Method): boolean => method !== "POST" && method !== "PATCH"

/** No answer came. What was perhaps received is only `retryable` where a second time changes nothing. */
export const requestFailed = (method: Method, url: URL) => (error: NoAnswer) =>
  new RequestFailed({
    message: error.message,
    url: shownUrl(url),
    retryable: error.reason !== "not_trusted" && error.reason !== "bad_redirect" &&
      (!error.sent || isIdempotent(method)),
    context: { reason: error.reason },
    cause: error
  })
