import type { SqlError } from "@effect/sql/SqlError"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Audit } from "../audit/Audit.js"
import { mostKeyBytes } from "../state/checkKey.js"
import { AgentNotFound } from "../store/AgentErrors.js"
import { storeUnavailable } from "../store/agentFailure.js"
import { Agents } from "../store/Agents.js"
import { PersistentState } from "../store/PersistentState.js"
import { SharedState } from "../store/SharedState.js"
import type { Listing, Summary } from "../store/VersionedState.js"
import * as Answers from "./answers.js"
import * as Query from "./query.js"
import type { Answer, Route } from "./Route.js"

const text = Schema.optional(Schema.String.pipe(Schema.maxLength(mostKeyBytes)))

const texts = [`key and prefix have at most ${mostKeyBytes} characters`, Query.allowed.limit]

const readQuery = Query.make({ key: text, prefix: text, limit: Query.limit }, texts)

const readKey = Query.make({ key: text }, texts)

const usualLimit = 1000

const timeOf = (millis: number) => DateTime.formatIso(DateTime.unsafeMake(millis))

const onlyGetOrDelete = Answers.refusal(405, "This answers GET and DELETE", { allow: "GET, DELETE" })

const noKey = (key: string) => Answers.refusal(404, `Nothing is stored under ${key}`)

const summary = ({ key, size, updatedAt, version }: Summary) => ({
  key,
  version,
  size_bytes: size,
  updated_at: timeOf(updatedAt)
})

const listed = ({ count, totalBytes }: Listing) => ({ count, total_size_bytes: totalBytes })

type Answered = Effect.Effect<Answer, AgentNotFound | Query.InvalidQuery | SqlError>

/**
 * Answers `/api/state/shared`, `/api/state/AGENT` and `/api/state/AGENT/KEY`: what is stored, and what it costs. Supervisors can also
 * remove a key of an agent, with all its versions. A key that no path can have, such as `..`, is given as `?key=`.
 */
export const make = Effect.gen(function*() {
  const agents = yield* Agents
  const audit = yield* Audit
  const persistent = yield* PersistentState
  const shared = yield* SharedState

  const sharedEntry = (key: string) =>
    Effect.map(shared.get(key), (found) =>
      found === undefined ? noKey(key) : Answers.json({
        key,
        value: found.value,
        version: found.version,
        size_bytes: found.size,
        owner_agent: found.owner,
        updated_at: timeOf(found.updatedAt)
      }))

  const sharedState = (query: URLSearchParams): Answered =>
    Effect.gen(function*() {
      const { key, limit = usualLimit, prefix = "" } = yield* readQuery(query)
      if (key !== undefined) return yield* sharedEntry(key)
      const found = yield* shared.list(prefix, limit)
      const entries = found.entries.map((entry) => ({ ...summary(entry), owner_agent: entry.owner }))
      return Answers.json({ entries, ...listed(found), limit_bytes: shared.quotaBytes })
    })

  const agentsEntry = (agent: string, key: string) =>
    Effect.gen(function*() {
      const found = yield* persistent.get(agent, key)
      if (found === undefined) return noKey(key)
      const versions = yield* persistent.versions(agent, key)
      return Answers.json({
        agent,
        key,
        value: found.value,
        version: found.version,
        created_at: timeOf(found.createdAt),
        updated_at: timeOf(found.updatedAt),
        history: versions.map(({ size, updatedAt, version }) => ({
          version,
          updated_at: timeOf(updatedAt),
          size_bytes: size
        }))
      })
    })

  const agentsState = (agent: string, named: string | undefined, query: URLSearchParams): Answered =>
    Effect.gen(function*() {
      const { key = named, limit = usualLimit, prefix = "" } = yield* readQuery(query)
      if (Option.isNone(yield* agents.get(agent))) return yield* new AgentNotFound({ name: agent })
      if (key !== undefined) return yield* agentsEntry(agent, key)
      const found = yield* persistent.list(agent, prefix, limit)
      return Answers.json({
        agent,
        entries: found.entries.map(summary),
        ...listed(found),
        used_bytes: yield* persistent.used(agent),
        limit_bytes: persistent.quotaBytes
      })
    })

  const remove = (agent: string, named: string | undefined, supervisor: string, query: URLSearchParams): Answered =>
    Effect.gen(function*() {
      const { key = named } = yield* readKey(query)
      if (key === undefined) return Answers.onlyGet
      const at = yield* Clock.currentTimeMillis
      const deleted = yield* persistent.remove(agent, key, { at, source: `supervisor ${supervisor}`.slice(0, 128) })
      if (!deleted) return noKey(key)
      yield* audit.supervised("state_removed", agent, supervisor, key)
      return Answers.json({ deleted })
      // What has been removed is also put into the log, whether or not the one who did it still waits.
    }).pipe(Effect.uninterruptible)

  const answered = ({ method, path: [of, key, ...more], query, supervisor }: Parameters<Route>[0]): Answered => {
    if (of === undefined || more.length > 0 || (of === "shared" && key !== undefined)) {
      return Effect.succeed(Answers.nothingHere)
    }
    if (of === "shared") return method === "GET" ? sharedState(query) : Effect.succeed(Answers.onlyGet)
    if (method === "DELETE") return remove(of, key, supervisor.name, query)
    return method === "GET" ? agentsState(of, key, query) : Effect.succeed(onlyGetOrDelete)
  }

  const route: Route = (asked) =>
    Effect.catchTags(answered(asked), {
      AgentNotFound: ({ message }) => Effect.succeed(Answers.refusal(404, message)),
      InvalidQuery: ({ message }) => Effect.succeed(Answers.refusal(400, message)),
      SqlError: (cause) => Effect.succeed(Answers.unavailable(storeUnavailable(cause)))
    })
  return route
})
