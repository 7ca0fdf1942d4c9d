import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import type { SupervisionEvent } from "../../local/supervision/SupervisionEvent.js"
import { makeClient } from "../client/Client.js"
import type { AskFailure } from "../client/failures.js"
import { follow } from "../client/follow.js"
import type { AgentView } from "../schemas/Agent.js"
import type { Status } from "../schemas/Status.js"
import { makeActivity } from "./activity.js"
import { makeAlerts } from "./alerts.js"
import { makeApprovals } from "./approvals.js"
import { makeAttention, showInTitle } from "./attention.js"
import { makeCell } from "./Cell.js"
import { makeNotices } from "./notices.js"
import { keepTime } from "./now.js"

/** How the page stands to the gateway. */
export type Connection =
  | { readonly _tag: "Connecting" }
  | { readonly _tag: "Live" }
  | { readonly _tag: "Lost"; readonly nextAttemptAt: number }

const textOfMissed = (count: number | undefined) =>
  count === undefined
    ? "The gateway was started again, or could not keep all events: everything has been loaded anew."
    : `${count} events came faster than they could be read: everything has been loaded anew. The audit log has them all.`

/** Opens the page's work with a token; `refused` is called when the gateway does not take the token (any more). */
export const openDesk = (token: Redacted.Redacted<string>, refused: (message: string) => void) => {
  const client = makeClient(token)
  const scope = Effect.runSync(Scope.make())
  const notices = makeNotices()
  const attention = makeAttention()
  const approvals = makeApprovals(client, attention.arrived)
  const alerts = makeAlerts(client, attention.alerted)
  const activity = makeActivity(client)
  const connection = makeCell<Connection>({ _tag: "Connecting" })
  const status = makeCell<Status | undefined>(undefined)
  const agents = makeCell<ReadonlyArray<AgentView> | undefined>(undefined)
  let areAgentsStale = false
  let isLoadDue = false

  const failed = (failure: AskFailure) => {
    if (failure._tag === "TokenRefused") refused(failure.message)
    // That the gateway cannot be reached is said by the connection's state.
    else if (failure._tag !== "Unreachable") notices.tell("bad", failure.message)
  }

  /** Does something until it is over, the page's work ends, or what this gives is called. */
  const run = (effect: Effect.Effect<unknown, AskFailure>): () => void => {
    const fiber = Effect.runFork(Effect.catchAll(effect, (failure) => Effect.sync(() => failed(failure))), { scope })
    return () => fiber.unsafeInterruptAsFork(fiber.id())
  }

  const loadStatus = Effect.map(client.status, status.set)
  const loadAgents = Effect.map(client.agents, (list) => agents.set(list.agents))
  /** Asks for one agent, with its recent sessions. */
  const agent = (name: string, then: (sessions: AgentView["recent_sessions"]) => void) =>
    Effect.map(client.agent(name), ({ recent_sessions }) => then(recent_sessions))

  const setPaused = (name: string, isPaused: boolean) => Effect.zipRight(client.setPaused(name, isPaused), loadAgents)

  const loadAll = Effect.all([approvals.load, alerts.load, loadStatus, loadAgents, activity.reload], {
    concurrency: "unbounded"
  })

  const note = ({ data, type }: SupervisionEvent) => {
    const id = data["approval_id"]
    if (typeof id === "string") approvals.mark(id)
    const alert = data["alert_id"]
    if (typeof alert === "string") alerts.mark()
    if (/^(session|approval|agent)_/.test(type)) areAgentsStale = true
  }

  const following = follow(token, {
    opened: (isNew) => {
      connection.set({ _tag: "Live" })
      if (isNew) isLoadDue = false
      run(isNew ? loadAll : loadStatus)
    },
    happened: (events) => {
      activity.happened(events)
      events.forEach(note)
      run(approvals.refresh)
      run(alerts.refresh)
    },
    missed: (count) => {
      notices.tell("info", textOfMissed(count))
      isLoadDue = true
    },
    closed: (nextAttemptAt) => connection.set({ _tag: "Lost", nextAttemptAt })
  })

  // What no event tells of, and at most once a second what events tell of often.
  const everySecond = Clock.currentTimeMillis.pipe(
    Effect.tap((now) => {
      if (connection.get()._tag !== "Live") return
      if (isLoadDue) run(loadAll)
      isLoadDue = false
      if (document.hidden) return
      approvals.markDue(now)
      run(approvals.refresh)
      if (areAgentsStale) run(loadAgents)
      areAgentsStale = false
    }),
    Effect.zipRight(Effect.sleep("1 second")),
    Effect.forever
  )

  const everyHalfMinute = Effect.sync(() => {
    if (connection.get()._tag === "Live") run(loadStatus)
  }).pipe(Effect.delay("30 seconds"), Effect.forever)

  run(following)
  run(keepTime)
  run(everySecond)
  run(everyHalfMinute)
  const endTitle = showInTitle(approvals.requests)

  return {
    client,
    run,
    failed,
    connection,
    status,
    agents,
    agent,
    loadAgents,
    loadStatus,
    setPaused,
    approvals,
    alerts,
    activity,
    attention,
    notices,
    /** Ends all that is under way. */
    close: () => {
      endTitle()
      Effect.runFork(Scope.close(scope, Exit.void))
    }
  }
}

/** The page's work with one token. */
export type Desk = ReturnType<typeof openDesk>
