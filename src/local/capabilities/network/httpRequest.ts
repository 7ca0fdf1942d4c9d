import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as network from "../../../catalogue/network.js"
import { bodyText } from "../../egress/bodyText.js"
import { NoAnswer } from "../../egress/failures.js"
import { readBody } from "../../egress/readBody.js"
import type { ResolverService } from "../../egress/Resolver.js"
import { checkHost, send } from "../../egress/send.js"
import type { PolicyService } from "../../policy/Policy.js"
import type { Handler } from "../Handler.js"
import { domainNotAllowed, requestFailed, requestHeaders, requestUrl } from "./failures.js"

const tooSlow = (seconds: number) => () =>
  new NoAnswer({ reason: "timeout", message: `There was no whole answer within ${seconds} seconds`, sent: true })

/**
 * Sends a request to a host that the policy allows, over a connection of its own, and follows up to 10 redirects. The body of the
 * answer can have 10 MiB; above that it is ResourceExhausted.
 */
export const makeHttpRequest =
  (policy: PolicyService, resolver: ResolverService): Handler<typeof network.httpRequest> =>
  ({ body, follow_redirects, headers, method, timeout, url: text }, { agent }) =>
    Effect.gen(function*() {
      const url = yield* requestUrl(text)
      const outgoing = {
        method,
        url,
        headers: yield* requestHeaders(headers),
        body: method === "GET" || method === "HEAD" ? undefined : body
      }
      const egress = policy.egress(agent)
      yield* Effect.mapError(checkHost(egress, url), domainNotAllowed)
      const started = yield* Clock.currentTimeMillis
      const { answer, bytes } = yield* send({ egress, resolver, followRedirects: follow_redirects }, outgoing).pipe(
        Effect.bindTo("answer"),
        Effect.bind("bytes", ({ answer }) => readBody(answer)),
        Effect.scoped,
        Effect.timeoutFail({ duration: Duration.seconds(timeout), onTimeout: tooSlow(timeout) }),
        Effect.catchTags({ HostRefused: domainNotAllowed, NoAnswer: requestFailed(method, url) })
      )
      return {
        status_code: answer.status,
        headers: answer.headers,
        body: bodyText(bytes, answer.headers["content-type"]),
        duration_ms: (yield* Clock.currentTimeMillis) - started,
        url: answer.url.href
      }
    })
