/**
 * A human, scripted: it looks at what waits for approval, over the gateway's REST API, and decides each request by what it asks for.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"

const Request = Schema.Struct({
  id: Schema.String,
  agent: Schema.String,
  capability: Schema.String,
  // Null where they are too long for a list.
  arguments: Schema.NullOr(Schema.Record({ key: Schema.String, value: Schema.Unknown }))
})

/** What waits for a decision. */
export type Request = typeof Request.Type

/** What a supervisor makes of a request; undefined leaves it to wait. */
export type Judge = (request: Request) => { readonly approve: true } | { readonly reject: string } | undefined

/** Where the supervisor of a gateway decides. `LocalGateway.serve` says both, as does the ready line of `kruxos gateway`. */
export interface Desk {
  readonly api: string
  readonly supervisorToken: Redacted.Redacted<string>
}

/** Decides what waits now. */
export const decideAll = ({ api, supervisorToken }: Desk, judge: Judge) =>
  Effect.gen(function*() {
    const client = (yield* HttpClient.HttpClient).pipe(
      HttpClient.filterStatusOk,
      HttpClient.mapRequest((request) =>
        request.pipe(
          HttpClientRequest.prependUrl(api),
          HttpClientRequest.bearerToken(Redacted.value(supervisorToken))
        )
      )
    )
    const { approvals } = yield* client.get("/approvals?status=pending").pipe(
      Effect.flatMap(HttpClientResponse.schemaBodyJson(Schema.Struct({ approvals: Schema.Array(Request) })))
    )
    for (const request of approvals) {
      const verdict = judge(request)
      if (verdict === undefined) continue
      const what = `${request.capability} ${JSON.stringify(request.arguments)} of ${request.agent}`
      if ("reject" in verdict) {
        yield* Console.log(`  [supervisor] rejects ${what}: ${verdict.reject}`)
        const body = yield* Effect.orDie(
          HttpClientRequest.bodyJson({ reason: verdict.reject })(
            HttpClientRequest.post(`/approvals/${request.id}/reject`)
          )
        )
        yield* client.execute(body)
      } else {
        yield* Console.log(`  [supervisor] approves ${what}`)
        yield* client.post(`/approvals/${request.id}/approve`)
      }
    }
  }).pipe(Effect.scoped, Effect.provide(FetchHttpClient.layer))

/** Has a supervisor look every 100 ms, until the scope ends. */
export const supervise = (desk: Desk, judge: Judge): Effect.Effect<void, never, Scope.Scope> =>
  decideAll(desk, judge).pipe(
    Effect.repeat(Schedule.spaced("100 millis")),
    Effect.orDie,
    Effect.forkScoped,
    Effect.asVoid
  )
