import type { SqlError } from "@effect/sql/SqlError"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { storeUnavailable } from "../../store/agentFailure.js"
import { Alerts, AlertStatus } from "../../store/Alerts.js"
import { AlertList, AlertView, ofAlert } from "../AlertView.js"
import * as Answers from "../answers.js"
import * as Query from "../query.js"
import type { Answer, Route } from "../Route.js"

const encodeView = Schema.encodeSync(AlertView)

const encodeList = Schema.encodeSync(AlertList)

const readQuery = Query.make(
  { status: Schema.optional(AlertStatus), agent: Query.agent, limit: Query.limit, offset: Query.offset },
  [
    `status is one of ${AlertStatus.literals.join(", ")}`,
    Query.allowed.agent,
    Query.allowed.limit,
    Query.allowed.offset
  ]
)

const mostUnlessGiven = 100

class AlertUnknown extends Data.TaggedError("AlertUnknown")<{}> {}

type Failure = AlertUnknown | Query.InvalidQuery | SqlError

/**
 * Answers `/api/alerts`, `/api/alerts/ID`, and what is posted to `/api/alerts/ID/acknowledge`: the alert, as it is since. One that was
 * acknowledged before stays as it is.
 */
export const make: Effect.Effect<Route, never, Alerts> = Effect.map(Alerts, (alerts) => {
  const list = (query: URLSearchParams) =>
    Effect.gen(function*() {
      const { limit = mostUnlessGiven, ...filter } = yield* readQuery(query)
      const found = yield* alerts.list({ ...filter, limit })
      return Answers.json(encodeList({ alerts: found.alerts.map(ofAlert), total: found.total }))
    })

  const get = (id: string) =>
    Effect.flatMap(
      alerts.get(id),
      Option.match({
        onNone: () => new AlertUnknown(),
        onSome: (alert) => Effect.succeed(Answers.json(encodeView(ofAlert(alert))))
      })
    )

  const acknowledge = (id: string, by: string) =>
    Effect.zipRight(Effect.uninterruptible(alerts.acknowledge({ alertId: id, by })), get(id))

  const answered = (answer: Effect.Effect<Answer, Failure>): Effect.Effect<Answer> =>
    Effect.catchTags(answer, {
      AlertUnknown: () => Effect.succeed(Answers.refusal(404, "There is no alert of this id")),
      InvalidQuery: ({ message }) => Effect.succeed(Answers.refusal(400, message)),
      SqlError: (cause) => Effect.succeed(Answers.unavailable(storeUnavailable(cause)))
    })

  return ({ method, path, query, supervisor }) => {
    const [id, what, ...more] = path
    if (more.length > 0) return Effect.succeed(Answers.nothingHere)
    if (id !== undefined && what !== undefined) {
      if (what !== "acknowledge") return Effect.succeed(Answers.nothingHere)
      return method === "POST"
        ? answered(Effect.zipRight(Query.none(query), acknowledge(id, supervisor.name)))
        : Effect.succeed(Answers.onlyPost)
    }
    if (method !== "GET") return Effect.succeed(Answers.onlyGet)
    return answered(id === undefined ? list(query) : Effect.zipRight(Query.none(query), get(id)))
  }
})
