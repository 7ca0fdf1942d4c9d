import * as Effect from "effect/Effect"
import { urlOf } from "../urlOf.js"
import { isCredentialHeader } from "./credentialHeader.js"
import type { Incoming, Method, Outgoing } from "./exchange.js"
import { NoAnswer } from "./failures.js"
import { isWebUrl } from "./url.js"

const redirects = new Set([301, 302, 303, 307, 308])

const isAboutBody = (name: string): boolean => /^content-/i.test(name)

const methodAfter = (method: Method, status: number): Method => {
  if (status === 303) return method === "HEAD" ? "HEAD" : "GET"
  return (status === 301 || status === 302) && method === "POST" ? "GET" : method
}

const badRedirect = (message: string) => Effect.fail(new NoAnswer({ reason: "bad_redirect", message, sent: true }))

/**
 * What a redirect asks for; undefined where the answer is none. What may be a credential does not go along to another origin,
 * and the body not with a method that has none.
 */
export const nextHop = (
  outgoing: Outgoing,
  { headers: { location }, status }: Pick<Incoming, "headers" | "status">
): Effect.Effect<Outgoing | undefined, NoAnswer> => {
  if (!redirects.has(status) || location === undefined) return Effect.succeed(undefined)
  const from = outgoing.url
  const url = urlOf(location, from.href)
  if (url === undefined) return badRedirect(`${from.host} redirects to what is no URL`)
  if (!isWebUrl(url)) {
    return badRedirect(`${from.host} redirects to what is neither http nor https, or has a user name in it`)
  }
  const method = methodAfter(outgoing.method, status)
  const keepsBody = method === outgoing.method
  return Effect.succeed({
    method,
    url,
    headers: outgoing.headers.filter(([name]) =>
      (keepsBody || !isAboutBody(name)) && (url.origin === from.origin || !isCredentialHeader(name))
    ),
    body: keepsBody ? outgoing.body : undefined
  })
}
