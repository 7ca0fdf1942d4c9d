import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import { packageVersion } from "../../../connection/Options.js"
import { Drain } from "../../protocol/drain.js"
import { Agents } from "../../store/Agents.js"
import { ApprovalSummaries } from "../../store/ApprovalSummaries.js"
import { Sessions as SessionRecords } from "../../store/Sessions.js"
import { Supervision } from "../../supervision/Supervision.js"
import * as Answers from "../answers.js"
import * as Query from "../query.js"
import { readable } from "../readable.js"

/** What a gateway is told of itself. */
export interface About {
  /** What the policy of the organization is called. */
  readonly policy: Effect.Effect<string>
}

const sum = (numbers: Iterable<number>): number => {
  let total = 0
  for (const number of numbers) total += number
  return total
}

/** Answers `/api/status`: the gateway in a few numbers. It counts as started when this is made. */
export const make = ({ policy }: About) =>
  Effect.gen(function*() {
    const agents = yield* Agents
    const approvals = yield* ApprovalSummaries
    const drain = yield* Drain
    const records = yield* SessionRecords
    const supervision = yield* Supervision
    const startedAt = yield* DateTime.now

    const status = Effect.gen(function*() {
      const now = yield* DateTime.now
      const all = yield* agents.list
      const withStatus = (status: string) => all.filter((agent) => agent.status === status).length
      return Answers.json({
        gateway: {
          name: "kruxos-gateway",
          version: packageVersion,
          started_at: DateTime.formatIso(startedAt),
          uptime_seconds: Math.max(0, Math.floor((now.epochMillis - startedAt.epochMillis) / 1000)),
          policy: yield* policy,
          draining: drain.isDraining()
        },
        agents: {
          total: all.length,
          active: withStatus("active"),
          paused: withStatus("paused"),
          revoked: withStatus("revoked")
        },
        sessions: { open: sum((yield* records.summaries()).map(({ open }) => open)) },
        approvals: { pending: sum((yield* approvals.pending).values()) },
        events: { newest: supervision.newest() }
      })
    })

    return readable((query) => Effect.zipRight(Query.none(query), status))
  })
