import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import type * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { IncomingMessage } from "node:http"
import { ApprovalState } from "../../schema/Approval.js"
import { ApprovalQueue } from "../approvals/ApprovalQueue.js"
import { Drain } from "../protocol/drain.js"
import { requestUrl } from "../protocol/requestUrl.js"
import type { Supervisor } from "../store/Supervisors.js"
import { conflict, json, refusal, shuttingDown } from "./answers.js"
import { ApprovalList, ApprovalView, ofRecord, ofSummary } from "./ApprovalView.js"
import * as Authenticate from "./authenticateSupervisor.js"
import * as DecisionBody from "./decisionBody.js"
import { asksForThis, comesFromHere } from "./sameSite.js"

const encodeView = Schema.encodeSync(ApprovalView)

const encodeList = Schema.encodeSync(ApprovalList)

const wholeNumber = (from: number, to: number) =>
  Schema.optional(Schema.NumberFromString.pipe(Schema.int(), Schema.between(from, to)))

const decodeQuery = Schema.decodeUnknown(Schema.Struct({
  status: Schema.optional(ApprovalState),
  limit: wholeNumber(1, 1000),
  offset: wholeNumber(0, Number.MAX_SAFE_INTEGER)
}))

const badQuery = refusal(
  400,
  `status is one of ${ApprovalState.literals.join(", ")}, limit is 1 to 1000 and offset is a whole number`
)

const nothingHere = refusal(404, "There is nothing here: supervisors find their requests at /api/approvals")

const onlyGet = refusal(405, "This answers GET", { allow: "GET" })

const onlyPost = refusal(405, "This answers POST", { allow: "POST" })

const notForWebsites = refusal(403, "This is not for other websites, and the gateway is asked for by its own name only")

const failed = refusal(500, "The gateway failed; its log says how")

const unavailable = ({ message }: { readonly message: string }) => refusal(503, message, { "retry-after": "1" })

type Answer = HttpServerResponse.HttpServerResponse

/** Whether a path is one of the supervisor's. */
export const isFor = (pathname: string): boolean => pathname === "/api" || pathname.startsWith("/api/")

/**
 * Makes what answers the requests of supervisors, below `/api`, of a gateway that listens on that host. Only a supervisor's token
 * opens it, and no website. While the gateway drains, all is refused with status 503.
 */
export const make = (listensOn: string) =>
  Effect.gen(function*() {
    const queue = yield* ApprovalQueue
    const drain = yield* Drain
    const authenticate = yield* Authenticate.make

    const list = (url: URL): Effect.Effect<Answer> =>
      decodeQuery(Object.fromEntries(url.searchParams)).pipe(
        Effect.flatMap((filter) => queue.list(filter)),
        Effect.map(({ approvals, total }) => json(encodeList({ approvals: approvals.map(ofSummary), total }))),
        Effect.catchTags({
          ParseError: () => Effect.succeed(badQuery),
          ServiceUnavailable: (error) => Effect.succeed(unavailable(error))
        })
      )

    const get = (id: string): Effect.Effect<Answer> =>
      queue.get(id).pipe(
        Effect.map((record) => json(encodeView(ofRecord(record)))),
        Effect.catchTags({
          ApprovalNotFound: ({ message }) => Effect.succeed(refusal(404, message)),
          ServiceUnavailable: (error) => Effect.succeed(unavailable(error))
        })
      )

    const decide = (
      request: IncomingMessage,
      { name }: Supervisor,
      id: string,
      verdict: "approve" | "reject"
    ): Effect.Effect<Answer> =>
      DecisionBody.read(request).pipe(
        Effect.flatMap(({ reason }) => queue.decide(id, { verdict, by: name, reason: reason ?? undefined })),
        Effect.map((record) => json(encodeView(ofRecord(record)))),
        Effect.catchTags({
          ApprovalDecided: ({ message, status }) => Effect.succeed(conflict(message, status)),
          ApprovalNotFound: ({ message }) => Effect.succeed(refusal(404, message)),
          BodyCut: () => Effect.succeed(refusal(400, "The body is cut off")),
          BodyTooLarge: () =>
            Effect.succeed(
              refusal(413, `The body has more than ${DecisionBody.maximumBytes} bytes`, { connection: "close" })
            ),
          InvalidBody: ({ message, status }) => Effect.succeed(refusal(status, message)),
          ServiceUnavailable: (error) => Effect.succeed(unavailable(error))
        })
      )

    const route = (request: IncomingMessage, url: URL, supervisor: Supervisor): Effect.Effect<Answer> => {
      const [, , resource, id, verdict, ...more] = url.pathname.split("/")
      if (resource !== "approvals" || more.length > 0 || id === "") return Effect.succeed(nothingHere)
      if (verdict === "approve" || verdict === "reject") {
        return request.method === "POST" ? decide(request, supervisor, id ?? "", verdict) : Effect.succeed(onlyPost)
      }
      if (verdict !== undefined) return Effect.succeed(nothingHere)
      if (request.method !== "GET") return Effect.succeed(onlyGet)
      return id === undefined ? list(url) : get(id)
    }

    /** The answer to a request below `/api`. */
    return (asked: HttpServerRequest.HttpServerRequest): Effect.Effect<Answer> => {
      const request = NodeHttpServerRequest.toIncomingMessage(asked)
      const url = requestUrl(request.url)
      if (url === undefined) return Effect.succeed(nothingHere)
      if (!asksForThis(request, listensOn) || !comesFromHere(request)) return Effect.succeed(notForWebsites)
      return authenticate(request.headers).pipe(
        Effect.flatMap((supervisor) =>
          drain.isDraining() ? Effect.succeed(shuttingDown) : route(request, url, supervisor)
        ),
        Effect.catchTags({
          NotASupervisor: ({ carries, message }) =>
            Effect.succeed(
              carries === "agents-key" ? refusal(403, message) : refusal(401, message, { "www-authenticate": "Bearer" })
            ),
          ServiceUnavailable: (error) => Effect.succeed(unavailable(error))
        }),
        Effect.catchAllCause((cause) => Effect.as(Effect.logError("A supervisor's request failed", cause), failed))
      )
    }
  })
