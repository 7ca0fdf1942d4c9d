import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Turns from "../../connection/Turns.js"
import { AuthenticationFailed } from "../../errors/gateway.js"
import { ServiceUnavailable, SessionPaused } from "../../errors/general.js"
import { Identifiers } from "../Identifiers.js"
import { scopedService } from "../inOrder.js"
import { storeUnavailable } from "../store/agentFailure.js"
import { type Agent, Agents } from "../store/Agents.js"
import { Sessions as SessionRecords } from "../store/Sessions.js"
import { Supervision } from "../supervision/Supervision.js"
import type { SupervisionEvent } from "../supervision/SupervisionEvent.js"
import type { WorkspaceUnavailable } from "../workspace/WorkspaceUnavailable.js"
import * as Attach from "./attaching.js"
import type { Attaching, Attachment } from "./attaching.js"
import type { Session } from "./Session.js"
import { measure } from "./usage.js"
import { Workspaces } from "./Workspaces.js"

/** How a session came about. */
export interface Opening {
  readonly transport: "websocket" | "http" | "memory"
  readonly clientName?: string | undefined
}

/** The sessions of a running gateway. */
export interface SessionsService {
  /** Opens a session until the scope ends, and keeps a record of it. */
  readonly open: (
    agent: Agent,
    opening: Opening
  ) => Effect.Effect<Session, ServiceUnavailable, Scope.Scope>
  /**
   * Gives a connection its session until the scope ends: the one that it asks to go on with, if that is open with the same key, else a
   * new one. The session of a client that can resume outlives its connection for a minute, unless it ended for good.
   */
  readonly attach: (
    agent: Agent,
    attaching: Attaching
  ) => Effect.Effect<Attachment, ServiceUnavailable, Scope.Scope>
  /**
   * Whether the agent may still act with the key that the session was opened with. A revocation is seen within 200 ms,
   * also one that another process made.
   */
  readonly checkStanding: (session: Session) => Effect.Effect<void, AuthenticationFailed | ServiceUnavailable>
  /** Whether `checkStanding` succeeds without a look at the store: told at once, for what every request asks. */
  readonly isKnownGood: (session: Session) => boolean
  /** Whether the agent may invoke: not while it is paused, which is seen as soon as a revocation is. */
  readonly checkPaused: (session: Session) => Effect.Effect<void, SessionPaused | ServiceUnavailable>
  /** Whether `checkPaused` succeeds without a look at the store. */
  readonly isKnownActive: (session: Session) => boolean
  /** Has the store asked again about an agent whose standing was just changed. */
  readonly forgetStanding: (agent: string) => void
  /** The sessions that are open at this gateway, by their ids. */
  readonly running: ReadonlyMap<string, Session>
}

export class Sessions extends Context.Tag("kruxos/local/Sessions")<Sessions, SessionsService>() {}

const workspaceUnavailable = (cause: WorkspaceUnavailable): ServiceUnavailable =>
  new ServiceUnavailable({
    message: "The agent's workspace cannot be opened",
    service: "workspace",
    reason: cause.reason,
    cause
  })

const started = ({ agent, connectedAt, id }: Session): SupervisionEvent => ({
  type: "session_started",
  timestamp: connectedAt,
  agent: agent.name,
  session_id: id,
  data: { session_id: id, agent_purpose: agent.purpose }
})

const ended = ({ agent, connectedAt, id, invocations }: Session, now: DateTime.Utc): SupervisionEvent => ({
  type: "session_ended",
  timestamp: now,
  agent: agent.name,
  session_id: id,
  data: {
    session_id: id,
    duration_seconds: Math.max(0, DateTime.distance(connectedAt, now)) / 1000,
    capabilities_invoked: invocations()
  }
})

/** How many invocations of one session run at a time. */
export const maximumAtATime = 256

const standingLifetimeMillis = 200

interface Standing {
  readonly at: number
  readonly status: string
  readonly keyGeneration: number
}

const make = Effect.gen(function*() {
  const clock = yield* Effect.clock
  const identifiers = yield* Identifiers
  const agents = yield* Agents
  const records = yield* SessionRecords
  const supervision = yield* Supervision
  const workspaces = yield* Workspaces
  const checked = new Map<string, Standing>()
  const running = new Map<string, Session>()

  const open: SessionsService["open"] = (agent, { clientName, transport }) =>
    Effect.gen(function*() {
      const workspace = yield* Effect.mapError(workspaces.of(agent), workspaceUnavailable)
      const scope = yield* Effect.acquireRelease(Scope.make(), (made) => Scope.close(made, Exit.void))
      const connectedAt = yield* DateTime.now
      let invocations = 0
      let lastActiveAt = DateTime.toEpochMillis(connectedAt)
      const session: Session = {
        id: `ses-${identifiers.uuid()}`,
        agent,
        connectedAt,
        workspace,
        holdWorkspace: Effect.ignore(workspaces.of(agent)),
        turns: Turns.make(maximumAtATime),
        scope,
        invocations: () => invocations,
        countInvocation: () => {
          invocations++
          lastActiveAt = clock.unsafeCurrentTimeMillis()
        },
        lastActiveAt: () => lastActiveAt,
        usage: measure()
      }
      yield* Effect.acquireRelease(
        Effect.mapError(
          records.start({ sessionId: session.id, agent: agent.name, transport, clientName }),
          storeUnavailable
        ).pipe(Effect.tap(() => Effect.sync(() => running.set(session.id, session)))),
        () =>
          records.end(session.id, { invocations }).pipe(
            Effect.catchAll((cause) => Effect.logError(`The end of session ${session.id} was not recorded`, cause)),
            Effect.ensuring(Effect.sync(() => running.delete(session.id)))
          )
      )
      yield* Effect.acquireRelease(
        Effect.sync(() => supervision.tell(started(session))),
        () => Effect.map(DateTime.now, (now) => supervision.tell(ended(session, now)))
      )
      return session
    })

  const knownStanding = ({ keyGeneration, name }: Agent): Standing | undefined => {
    const known = checked.get(name)
    // A session with a newer key than is known here was opened after a rotation that was not seen yet.
    const holds = known !== undefined && clock.unsafeCurrentTimeMillis() - known.at < standingLifetimeMillis &&
      known.keyGeneration >= keyGeneration
    return holds ? known : undefined
  }

  const standingOf = (agent: Agent) =>
    Effect.suspend(() => {
      const known = knownStanding(agent)
      if (known !== undefined) return Effect.succeed(known)
      const at = clock.unsafeCurrentTimeMillis()
      return agents.standing(agent.name).pipe(
        Effect.mapBoth({
          onFailure: storeUnavailable,
          onSuccess: (found): Standing => {
            const standing = { ...found, at }
            checked.set(agent.name, standing)
            return standing
          }
        })
      )
    })

  const isKnownActive: SessionsService["isKnownActive"] = ({ agent }) => knownStanding(agent)?.status === "active"

  const isKnownGood: SessionsService["isKnownGood"] = ({ agent }) => {
    const known = knownStanding(agent)
    return known?.keyGeneration === agent.keyGeneration && known.status === "active"
  }

  const checkStanding: SessionsService["checkStanding"] = ({ agent }) =>
    Effect.flatMap(standingOf(agent), ({ keyGeneration, status }) => {
      const isKnown = status === "active" || status === "paused"
      if (isKnown && keyGeneration === agent.keyGeneration) return Effect.void
      return Effect.fail(
        isKnown
          ? new AuthenticationFailed({
            type: "auth.invalid_credentials",
            message: `The key of agent ${agent.name} has been replaced`
          })
          : new AuthenticationFailed({
            type: "auth.agent_revoked",
            message: `Agent ${agent.name} has been revoked`
          })
      )
    })

  const checkPaused: SessionsService["checkPaused"] = ({ agent }) =>
    Effect.flatMap(standingOf(agent), ({ status }) =>
      status === "paused"
        ? new SessionPaused({ message: `Agent ${agent.name} is paused: nothing runs until it is resumed` })
        : Effect.void)

  const forgetStanding: SessionsService["forgetStanding"] = (agent) => void checked.delete(agent)

  return {
    open,
    attach: yield* Attach.make(open),
    checkStanding,
    isKnownGood,
    checkPaused,
    isKnownActive,
    forgetStanding,
    running
  }
})

export const layer: Layer.Layer<Sessions, never, Agents | SessionRecords | Supervision | Workspaces> = scopedService(
  Sessions,
  make
)
