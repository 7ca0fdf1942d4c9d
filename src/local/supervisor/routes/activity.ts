import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { AuditPages } from "../../store/AuditPages.js"
import { activityOf } from "../../supervision/eventOf.js"
import { SupervisionEvent } from "../../supervision/SupervisionEvent.js"
import * as Answers from "../answers.js"
import { activityTypes, entriesOf } from "../entriesOf.js"
import * as Query from "../query.js"
import { readable } from "../readable.js"
import type { Route } from "../Route.js"

const { allowed } = Query

const isType = (type: string) => activityTypes.includes(type)

const types = Schema.transform(Schema.String, Schema.Array(Schema.String.pipe(Schema.filter(isType))), {
  strict: true,
  decode: (text) => text.split(","),
  encode: (list) => list.join(",")
})

const readQuery = Query.make(
  {
    agent: Query.agent,
    type: Schema.optional(types),
    transaction: Query.transaction,
    limit: Query.limit,
    offset: Query.offset
  },
  [
    allowed.agent,
    `type is one or more, with commas, of ${activityTypes.join(", ")}`,
    allowed.transaction,
    allowed.limit,
    allowed.offset
  ]
)

const encodeEvent = Schema.encodeSync(SupervisionEvent)

const usualLimit = 100

/** Answers `/api/activity`: what the audit log tells of, the newest first, in the form of events. */
export const make: Effect.Effect<Route, never, AuditPages> = Effect.map(
  AuditPages,
  (pages) =>
    readable((query) =>
      Effect.gen(function*() {
        const { agent, limit = usualLimit, offset = 0, transaction, type } = yield* readQuery(query)
        const filter = { agent, transaction, selected: type === undefined ? undefined : entriesOf(type) }
        const total = yield* pages.count(filter)
        const entries = yield* pages.page(filter, { limit, offset })
        const activity = entries.map((entry) => {
          const { event, sequence } = activityOf(entry)
          return { sequence, ...encodeEvent(event) }
        })
        return Answers.json({ activity, total })
      })
    )
)
