import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { IncomingMessage } from "node:http"
import { ApprovalState } from "../../../schema/Approval.js"
import { ApprovalQueue } from "../../approvals/ApprovalQueue.js"
import type { Supervisor } from "../../store/Supervisors.js"
import * as Answers from "../answers.js"
import { ApprovalList, ApprovalView, ofRecord, ofSummary } from "../ApprovalView.js"
import * as DecisionBody from "../decisionBody.js"
import * as Query from "../query.js"
import type { Answer, Route } from "../Route.js"

const encodeView = Schema.encodeSync(ApprovalView)

const encodeList = Schema.encodeSync(ApprovalList)

const readQuery = Query.make(
  { status: Schema.optional(ApprovalState), agent: Query.agent, limit: Query.limit, offset: Query.offset },
  [
    `status is one of ${ApprovalState.literals.join(", ")}`,
    Query.allowed.agent,
    Query.allowed.limit,
    Query.allowed.offset
  ]
)

const isVerdict = Schema.is(Schema.Literal("approve", "reject"))

/**
 * Answers `/api/approvals`, `/api/approvals/ID`, and the decisions that are posted to `/api/approvals/ID/approve` and
 * `/api/approvals/ID/reject`.
 */
export const make: Effect.Effect<Route, never, ApprovalQueue> = Effect.map(ApprovalQueue, (queue) => {
  const list = (query: URLSearchParams): Effect.Effect<Answer> =>
    readQuery(query).pipe(
      Effect.flatMap((filter) => queue.list(filter)),
      Effect.map(({ approvals, total }) => Answers.json(encodeList({ approvals: approvals.map(ofSummary), total }))),
      Effect.catchTags({
        InvalidQuery: ({ message }) => Effect.succeed(Answers.refusal(400, message)),
        ServiceUnavailable: (error) => Effect.succeed(Answers.unavailable(error))
      })
    )

  const get = (id: string): Effect.Effect<Answer> =>
    queue.get(id).pipe(
      Effect.map((record) => Answers.json(encodeView(ofRecord(record)))),
      Effect.catchTags({
        ApprovalNotFound: ({ message }) => Effect.succeed(Answers.refusal(404, message)),
        ServiceUnavailable: (error) => Effect.succeed(Answers.unavailable(error))
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
      Effect.map((record) => Answers.json(encodeView(ofRecord(record)))),
      Effect.catchTags({
        ApprovalDecided: ({ message, status }) => Effect.succeed(Answers.conflict(message, status)),
        ApprovalNotFound: ({ message }) => Effect.succeed(Answers.refusal(404, message)),
        BodyCut: () => Effect.succeed(Answers.refusal(400, "The body is cut off")),
        BodyTooLarge: () =>
          Effect.succeed(
            Answers.refusal(413, `The body has more than ${DecisionBody.maximumBytes} bytes`, { connection: "close" })
          ),
        InvalidBody: ({ message, status }) => Effect.succeed(Answers.refusal(status, message)),
        ServiceUnavailable: (error) => Effect.succeed(Answers.unavailable(error))
      })
    )

  return ({ method, path, query, request, supervisor }) => {
    const [id, verdict, ...more] = path
    if (more.length > 0) return Effect.succeed(Answers.nothingHere)
    if (id !== undefined && verdict !== undefined) {
      if (!isVerdict(verdict)) return Effect.succeed(Answers.nothingHere)
      return method === "POST" ? decide(request, supervisor, id, verdict) : Effect.succeed(Answers.onlyPost)
    }
    if (method !== "GET") return Effect.succeed(Answers.onlyGet)
    return id === undefined ? list(query) : get(id)
  }
})
