import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import type { ServiceUnavailable } from "../../errors/general.js"
import type { Agent } from "../store/Agents.js"
import type { Session } from "./Session.js"
import type { Opening } from "./Sessions.js"

/** How long a session waits for its client when its connection was lost. */
export const resumableFor = Duration.minutes(1)

/** How many sessions of an agent wait for their clients at a time; where one more would, the one that has waited longest ends. */
export const mostWaiting = 100

/** What a connection asks for. */
export interface Attaching extends Opening {
  /** The session that it wants to go on with, null where there is none yet; undefined of a client that never resumes. */
  readonly resume: string | null | undefined
  /** Ends the connection, because the session goes on over another one. */
  readonly fence: Effect.Effect<void>
  /** Whether the client is done with its session, which then ends with the connection. */
  readonly isDone: () => boolean
}

/** A session on a connection. */
export interface Attachment {
  readonly session: Session
  readonly isResumed: boolean
}

interface Connection {
  readonly fence: Effect.Effect<void>
  /** Whether its session outlives it. */
  readonly canResume: () => boolean
  /** Done when nothing of the connection is left. */
  readonly detached: Deferred.Deferred<void>
}

interface Kept {
  readonly session: Session
  readonly scope: Scope.CloseableScope
  connection: Connection | undefined
  /** Ends the session in time, while no connection has it. */
  waiting: Fiber.Fiber<void> | undefined
}

// A connection that is fenced off has to be gone before another one has its session.
const longestFencing = Duration.seconds(5)

/**
 * Makes what gives connections their sessions. The session of a client that can resume outlives its connection for a minute; it ends
 * with the current scope at the latest.
 */
export const make = <R>(
  open: (agent: Agent, opening: Opening) => Effect.Effect<Session, ServiceUnavailable, R | Scope.Scope>
) =>
  Effect.gen(function*() {
    const parent = yield* Effect.scope
    const kept = new Map<string, Kept>()

    const end = ({ scope, session }: Kept) =>
      Effect.suspend(() => {
        kept.delete(session.id)
        return Scope.close(scope, Exit.void)
      })

    const endLongestWaiting = ({ name }: Agent) =>
      Effect.suspend(() => {
        const waiting = [...kept.values()].filter(({ session, waiting }) =>
          waiting !== undefined && session.agent.name === name
        )
        const [longest] = waiting
        if (longest?.waiting === undefined || waiting.length < mostWaiting) return Effect.void
        // In this order, so that no connection finds it any more.
        return Effect.zipRight(end(longest), Fiber.interrupt(longest.waiting))
      })

    const wait = (one: Kept) =>
      Effect.gen(function*() {
        yield* endLongestWaiting(one.session.agent)
        // Last in the order in which they began to wait.
        kept.delete(one.session.id)
        kept.set(one.session.id, one)
        one.waiting = yield* Effect.forkIn(
          Effect.zipRight(Effect.sleep(resumableFor), Effect.uninterruptible(Effect.suspend(() => end(one)))).pipe(
            Effect.interruptible
          ),
          parent
        )
      })

    const makeAnew = (agent: Agent, opening: Opening) =>
      Effect.gen(function*() {
        const scope = yield* Scope.fork(parent, ExecutionStrategy.sequential)
        const session = yield* open(agent, opening).pipe(
          Scope.extend(scope),
          Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
        )
        const made: Kept = { session, scope, connection: undefined, waiting: undefined }
        kept.set(session.id, made)
        return made
      })

    // Only with the key that it was begun with. No connection is fenced off whose session would end with it.
    const find = (agent: Agent, id: string | null | undefined) => {
      const found = typeof id === "string" ? kept.get(id) : undefined
      return found?.session.agent.name === agent.name && found.session.agent.keyGeneration === agent.keyGeneration &&
          found.connection?.canResume() !== false
        ? found
        : undefined
    }

    // None where it ended meanwhile, or another connection was quicker.
    const takeOver = (one: Kept) =>
      Effect.gen(function*() {
        const { connection } = one
        if (connection !== undefined) {
          yield* connection.fence
          yield* Effect.timeoutOption(Effect.interruptible(Deferred.await(connection.detached)), longestFencing)
        }
        const { waiting } = one
        if (one.connection !== undefined || waiting === undefined || kept.get(one.session.id) !== one) return undefined
        one.waiting = undefined
        yield* Fiber.interrupt(waiting)
        return kept.get(one.session.id) === one ? one : undefined
      })

    // The connection has it until it waits, so that who looks for it in the meantime waits too.
    const detach = (one: Kept, { canResume, detached }: Connection) =>
      Effect.suspend(() => canResume() ? wait(one) : end(one)).pipe(
        Effect.ensuring(Effect.suspend(() => {
          one.connection = undefined
          return Deferred.succeed(detached, undefined)
        }))
      )

    return (agent: Agent, { fence, isDone, resume, ...opening }: Attaching) =>
      Effect.gen(function*() {
        const found = find(agent, resume)
        const resumed = found && (yield* takeOver(found))
        const one = resumed ?? (yield* makeAnew(agent, opening))
        const canResume = () => resume !== undefined && !isDone()
        const connection: Connection = { fence, canResume, detached: yield* Deferred.make<void>() }
        one.connection = connection
        yield* Effect.addFinalizer(() => detach(one, connection))
        const attachment: Attachment = { session: one.session, isResumed: resumed !== undefined }
        return attachment
      }).pipe(Effect.uninterruptible)
  })
