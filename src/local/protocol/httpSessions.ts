import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import { SessionExpired } from "../../errors/gateway.js"
import { ResourceExhausted } from "../../errors/general.js"
import type { Session } from "../sessions/Session.js"
import { Sessions } from "../sessions/Sessions.js"
import type { Agent } from "../store/Agents.js"

interface Open {
  readonly session: Session
  readonly scope: Scope.CloseableScope
  usedAt: number
}

/** How long a session of `/rpc` lives without being used. */
export const idleMillis = 30 * 60 * 1000

/** How many sessions of `/rpc` an agent may have open. */
export const maximumPerAgent = 100

// A new key has sessions of its own: what an agent had with the old one has ended.
const isSame = (one: Agent, other: Agent) => one.name === other.name && one.keyGeneration === other.keyGeneration

const expired = (sessionId: string) =>
  new SessionExpired({ message: `There is no session ${sessionId}, or it has ended`, sessionId })

/**
 * The sessions of `/rpc`: those that `session.create` opened, and an implicit one for each key that is used without. They end
 * with `session.end`, after half an hour without use, or with the scope.
 */
export const make = Effect.gen(function*() {
  const sessions = yield* Sessions
  const parent = yield* Effect.scope
  const open = new Map<string, Open>()
  const implicit = new Map<string, string>()
  const opening = yield* Effect.makeSemaphore(1)
  const naming = yield* Effect.makeSemaphore(1)

  const close = (id: string) =>
    Effect.suspend(() => {
      const found = open.get(id)
      open.delete(id)
      return found === undefined ? Effect.void : Scope.close(found.scope, Exit.void)
    })

  const create = (agent: Agent) =>
    Effect.gen(function*() {
      const count = [...open.values()].filter(({ session }) => session.agent.name === agent.name).length
      if (count >= maximumPerAgent) {
        return yield* new ResourceExhausted({
          message: `Agent ${agent.name} has ${count} open sessions, as many as it may have: end some with session.end`,
          resource: "sessions",
          limit: maximumPerAgent,
          current: count
        })
      }
      const scope = yield* Scope.fork(parent, ExecutionStrategy.sequential)
      const session = yield* sessions.open(agent, { transport: "http" }).pipe(
        Scope.extend(scope),
        Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
      )
      open.set(session.id, { session, scope, usedAt: yield* Clock.currentTimeMillis })
      return session
    }).pipe(opening.withPermits(1))

  const find = (agent: Agent, id: string) =>
    Effect.gen(function*() {
      const found = open.get(id)
      if (found === undefined || !isSame(found.session.agent, agent)) return yield* expired(id)
      found.usedAt = yield* Clock.currentTimeMillis
      return found.session
    })

  const knownImplicitOf = (agent: Agent) => {
    const known = open.get(implicit.get(agent.name) ?? "")
    return known !== undefined && isSame(known.session.agent, agent) ? known.session : undefined
  }

  const implicitOf = (agent: Agent) =>
    naming.withPermits(1)(Effect.gen(function*() {
      const known = knownImplicitOf(agent)
      if (known !== undefined) return yield* find(agent, known.id)
      const session = yield* create(agent)
      implicit.set(agent.name, session.id)
      return session
    }))

  const sweep = Effect.flatMap(
    Clock.currentTimeMillis,
    (now) =>
      Effect.forEach(
        [...open.values()].filter(({ usedAt }) => now - usedAt > idleMillis),
        ({ session }) => close(session.id),
        { discard: true }
      )
  )
  yield* Effect.forkScoped(Effect.repeat(sweep, Schedule.spaced("1 minute")))

  return {
    create,
    /** The session of the given id, or the implicit one. */
    use: (agent: Agent, id: string | undefined) => id === undefined ? implicitOf(agent) : find(agent, id),
    /** The same, if it is open. Looking is no use that keeps it open. */
    find: (agent: Agent, id: string | undefined) => {
      if (id === undefined) return Option.fromNullable(knownImplicitOf(agent))
      const found = open.get(id)?.session
      return Option.filter(Option.fromNullable(found), (session) => isSame(session.agent, agent))
    },
    end: (agent: Agent, id: string) => Effect.zipRight(find(agent, id), close(id))
  }
})
