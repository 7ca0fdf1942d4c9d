/**
 * A site on the network, in small: numbered pages of JSON on a free port of this machine, which remembers how often each was asked for.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import { createServer } from "node:http"

/** How a page is answered; `visit` counts from 1. */
export type Answer = (page: number, visit: number) => Effect.Effect<HttpServerResponse.HttpServerResponse>

/** What is on a page, as it stands in the file that an agent makes of it. */
export const contentOf = (page: number): string => JSON.stringify({ page, finding: `what there is to know of ${page}` })

/** The page as it should be. */
export const found = (page: number) => HttpServerResponse.text(contentOf(page), { contentType: "application/json" })

/** Serves `/data?page=…` until the scope ends. */
export const serveSite = (answer: Answer) =>
  Effect.gen(function*() {
    const visits = new Map<number, number>()
    const server = yield* NodeHttpServer.make(createServer, { host: "127.0.0.1", port: 0 })
    yield* server.serve(Effect.gen(function*() {
      const { url } = yield* HttpServerRequest.HttpServerRequest
      const page = Number(new URL(url, "http://site").searchParams.get("page"))
      const visit = (visits.get(page) ?? 0) + 1
      visits.set(page, visit)
      return yield* answer(page, visit)
    }))
    const port = server.address._tag === "TcpAddress" ? server.address.port : 0
    return { host: `127.0.0.1:${port}`, url: `http://127.0.0.1:${port}`, visits }
  })
