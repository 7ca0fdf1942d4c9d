import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Audit } from "../../audit/Audit.js"
import { Sessions } from "../../sessions/Sessions.js"
import { AgentNotFound } from "../../store/AgentErrors.js"
import { storeUnavailable } from "../../store/agentFailure.js"
import { type Agent, Agents } from "../../store/Agents.js"
import { ApprovalSummaries } from "../../store/ApprovalSummaries.js"
import { Sessions as SessionRecords } from "../../store/Sessions.js"
import { AgentDetails, AgentList, AgentView, ofAgent, ofSession } from "../AgentView.js"
import * as Answers from "../answers.js"
import * as Query from "../query.js"
import type { Answer, Route } from "../Route.js"

// Others are only counted.
const mostOpenSessions = 100

const mostRecentSessions = 20

const encodeView = Schema.encodeSync(AgentView)

const encodeList = Schema.encodeSync(AgentList)

const encodeDetails = Schema.encodeSync(AgentDetails)

const isChange = Schema.is(Schema.Literal("pause", "resume"))

/**
 * Answers `/api/agents`, `/api/agents/NAME`, and what is posted to `/api/agents/NAME/pause` and `/api/agents/NAME/resume`: a paused
 * agent stays connected, and what it invokes from then on fails.
 */
export const make = Effect.gen(function*() {
  const agents = yield* Agents
  const approvals = yield* ApprovalSummaries
  const audit = yield* Audit
  const records = yield* SessionRecords
  const sessions = yield* Sessions

  const viewsOf = (found: ReadonlyArray<Agent>, name?: string) =>
    Effect.gen(function*() {
      const summaries = new Map((yield* records.summaries(name)).map((summary) => [summary.agent, summary]))
      const pending = yield* approvals.pending
      return yield* Effect.forEach(found, (agent) =>
        Effect.gen(function*() {
          const summary = summaries.get(agent.name)
          return ofAgent({
            agent,
            summary,
            open: (summary?.open ?? 0) === 0 ? [] : yield* records.open(agent.name, mostOpenSessions),
            running: sessions.running,
            pendingApprovals: pending.get(agent.name) ?? 0
          })
        }))
    })

  const viewOf = (name: string) =>
    Effect.gen(function*() {
      const found = yield* agents.get(name)
      if (Option.isNone(found)) return yield* new AgentNotFound({ name })
      const [view] = yield* viewsOf([found.value], name)
      return view ?? (yield* new AgentNotFound({ name }))
    })

  const list = Effect.gen(function*() {
    const all = yield* viewsOf(yield* agents.list)
    return Answers.json(encodeList({ agents: all, total: all.length }))
  })

  const get = (name: string) =>
    Effect.gen(function*() {
      const view = yield* viewOf(name)
      const recent = yield* records.list({ agent: name, limit: mostRecentSessions })
      return Answers.json(
        encodeDetails({ ...view, recent_sessions: recent.map((record) => ofSession(record, sessions.running)) })
      )
    })

  const change = (name: string, what: "pause" | "resume", supervisor: string) =>
    Effect.gen(function*() {
      yield* what === "pause" ? agents.pause(name) : agents.resume(name)
      sessions.forgetStanding(name)
      yield* audit.supervised(what === "pause" ? "agent_paused" : "agent_resumed", name, supervisor)
      return Answers.json(encodeView(yield* viewOf(name)))
    }).pipe(
      // What has been done is also put into the log, whether or not the one who did it still waits.
      Effect.uninterruptible,
      Effect.catchTag("AgentRevoked", ({ message }) => Effect.succeed(Answers.refusal(409, message)))
    )

  const answered = (
    query: URLSearchParams,
    answer: Effect.Effect<Answer, AgentNotFound | SqlError>
  ): Effect.Effect<Answer> =>
    Effect.zipRight(Query.none(query), answer).pipe(
      Effect.catchTags({
        AgentNotFound: ({ message }) => Effect.succeed(Answers.refusal(404, message)),
        InvalidQuery: ({ message }) => Effect.succeed(Answers.refusal(400, message)),
        SqlError: (cause) => Effect.succeed(Answers.unavailable(storeUnavailable(cause)))
      })
    )

  const route: Route = ({ method, path, query, supervisor }) => {
    const [name, what, ...more] = path
    if (more.length > 0) return Effect.succeed(Answers.nothingHere)
    if (name !== undefined && what !== undefined) {
      if (!isChange(what)) return Effect.succeed(Answers.nothingHere)
      return method === "POST"
        ? answered(query, change(name, what, supervisor.name))
        : Effect.succeed(Answers.onlyPost)
    }
    if (method !== "GET") return Effect.succeed(Answers.onlyGet)
    return answered(query, name === undefined ? list : get(name))
  }
  return route
})
