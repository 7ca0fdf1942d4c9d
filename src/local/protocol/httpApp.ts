import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import { maximumFrameBytes } from "../../connection/Duplex.js"
import { failureOf } from "../../connection/jsonRpc.js"
import type { AuthenticationFailed } from "../../errors/gateway.js"
import { ResourceExhausted, type ServiceUnavailable } from "../../errors/general.js"
import type { KruxosError } from "../../errors/KruxosError.js"
import * as Supervisor from "../supervisor/api.js"
import * as Page from "../supervisor/page.js"
import { internalError } from "./answer.js"
import { authenticate } from "./authenticate.js"
import { Drain } from "./drain.js"
import { refuseError } from "./Refusal.js"
import { requestBody } from "./requestBody.js"
import { requestUrl } from "./requestUrl.js"
import * as Rpc from "./rpc.js"

/** The status of the answer to a request whose key opens nothing, or cannot be looked up. */
export const refusalStatus = (error: AuthenticationFailed | ServiceUnavailable): number =>
  error._tag === "AuthenticationFailed" ? 401 : 503

/** The body of the answer to a request that is refused before it is read. */
export const refusalBody = (error: KruxosError): string => JSON.stringify(failureOf(null, refuseError(error).error))

const json = (text: string, status: number, headers: { readonly [name: string]: string } = {}) =>
  HttpServerResponse.text(text, { status, contentType: "application/json", headers })

const refused = (error: AuthenticationFailed | ServiceUnavailable) =>
  Effect.succeed(
    json(
      refusalBody(error),
      refusalStatus(error),
      error._tag === "AuthenticationFailed" ? { "www-authenticate": "Bearer" } : {}
    )
  )

const tooLarge = json(
  refusalBody(
    new ResourceExhausted({
      message: `A request has at most ${maximumFrameBytes} bytes`,
      resource: "message_bytes",
      limit: maximumFrameBytes
    })
  ),
  413
)

const cut = HttpServerResponse.empty({ status: 400 })

const notFound = json(
  JSON.stringify({ error: "There is nothing here: the gateway answers /mcp, /rpc and /api, and has its page at /" }),
  404
)

const onlyPost = json(JSON.stringify({ error: "/rpc answers POST" }), 405, { allow: "POST" })

const failed = json(JSON.stringify(failureOf(null, internalError.error)), 500)

/** What else an HTTP gateway is made of. */
export interface HttpOptions extends Supervisor.ApiOptions {
  /** The directory of the supervisors' page; the one that is built with the package unless given. */
  readonly pageDirectory?: string | undefined
}

/**
 * Answers HTTP requests: JSON-RPC that is posted to `/rpc`, what supervisors ask below `/api`, and their page at `/`. A request is
 * interrupted when its client goes away, and when the scope ends. While the gateway drains, what is asked for, besides the page, is refused, with
 * status 503.
 */
export const make = Effect.fnUntraced(function*({ pageDirectory = Page.builtPage, ...api }: HttpOptions) {
  const drain = yield* Drain
  const answer = yield* Rpc.make
  const answerSupervisor = yield* Supervisor.make(api)
  const answerPage = Page.make(api.host, pageDirectory)
  const running = yield* FiberSet.make()

  const post = Effect.gen(function*() {
    const request = NodeHttpServerRequest.toIncomingMessage(yield* HttpServerRequest.HttpServerRequest)
    const agent = yield* authenticate(request.headers)
    const body = yield* requestBody(request)
    const isRefused = drain.isDraining()
    const text = yield* answer(agent, body)
    if (text === undefined) return HttpServerResponse.empty({ status: 204 })
    return isRefused ? json(text, 503, { "retry-after": "1", connection: "close" }) : json(text, 200)
  }).pipe(
    Effect.catchTags({
      AuthenticationFailed: refused,
      ServiceUnavailable: refused,
      BodyTooLarge: () => Effect.succeed(tooLarge),
      BodyCut: () => Effect.succeed(cut)
    })
  )

  const route = Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
    const { method, url } = request
    const pathname = requestUrl(url)?.pathname ?? ""
    if (Supervisor.isFor(pathname)) return answerSupervisor(request)
    if (Page.isFor(pathname)) return answerPage(NodeHttpServerRequest.toIncomingMessage(request), pathname)
    if (pathname !== "/rpc") return Effect.succeed(notFound)
    return method === "POST" ? post : Effect.succeed(onlyPost)
  })

  const app: HttpApp.Default<never, Effect.Effect.Context<typeof post>> = Effect.withFiberRuntime((fiber) => {
    FiberSet.unsafeAdd(running, fiber)
    return route.pipe(
      Effect.catchAllCause((cause) => Effect.as(Effect.logError("An HTTP request failed", cause), failed)),
      // The platform runs it uninterruptible.
      Effect.interruptible
    )
  })
  return app
})
