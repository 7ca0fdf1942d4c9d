import * as Effect from "effect/Effect"
import { entryView } from "../../audit/entryView.js"
import { AuditPages } from "../../store/AuditPages.js"
import * as Answers from "../answers.js"
import * as Query from "../query.js"
import { readable } from "../readable.js"
import type { Route } from "../Route.js"

const { allowed } = Query

const readQuery = Query.make(
  {
    agent: Query.agent,
    capability: Query.capability,
    transaction: Query.transaction,
    since: Query.since,
    limit: Query.limit
  },
  [allowed.agent, allowed.capability, allowed.transaction, allowed.since, allowed.limit]
)

const usualLimit = 100

/** Answers `/api/audit`: the newest entries of the audit log, in the order in which they stand there. */
export const make: Effect.Effect<Route, never, AuditPages> = Effect.map(
  AuditPages,
  (pages) =>
    readable((query) =>
      Effect.gen(function*() {
        const { limit = usualLimit, ...filter } = yield* readQuery(query)
        const entries = yield* pages.page(filter, { limit, offset: 0 })
        return Answers.json({ entries: entries.toReversed().map(entryView) })
      })
    )
)
