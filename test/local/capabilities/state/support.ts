import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { ApprovalQueue } from "../../../../src/local/approvals/ApprovalQueue.js"
import { Methods } from "../../../../src/local/protocol/methods.js"
import type { Notification } from "../../../../src/local/protocol/Notification.js"
import type { Session } from "../../../../src/local/sessions/Session.js"
import { Sessions } from "../../../../src/local/sessions/Sessions.js"
import { Agents } from "../../../../src/local/store/Agents.js"
import type * as Store from "../../../../src/local/store/Store.js"
import { folders, quietly } from "../../../support/gateway.js"
import { at } from "../../../support/json.js"
import { customCore, type CustomOptions } from "../../protocol/customGateway.js"

/** A session of an agent. */
export interface TestSession {
  readonly id: string
  /** What `capabilities.invoke` answers: `{success, data}` or `{success, error}`. */
  readonly invoke: (capability: string, input?: object, more?: object) => Effect.Effect<unknown>
  /** The output; dies where it fails. */
  readonly output: (capability: string, input?: object) => Effect.Effect<unknown>
  /** The error; dies where there is none. */
  readonly error: (capability: string, input?: object) => Effect.Effect<unknown>
  readonly call: (method: string, params?: unknown) => Effect.Effect<unknown>
  /** What the session has been told since this was asked for. */
  readonly told: Effect.Effect<ReadonlyArray<Notification>, never, Scope.Scope>
  readonly end: Effect.Effect<void>
}

/** A gateway without a way in. */
export interface StateGateway {
  readonly session: (agent: string) => Effect.Effect<TestSession>
  /** Approves a request, as a supervisor. */
  readonly approve: (approvalId: string) => Effect.Effect<void>
  readonly inStore: <A, E>(effect: Effect.Effect<A, E, Store.Store>) => Effect.Effect<A, E>
}

/** Lets everything that is under way in the event loop come to something; the clock of a test does not. */
export const settle = Effect.repeatN(
  Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve))),
  20
)

/** Makes one until the scope ends, in memory unless told otherwise. */
export const stateGateway = (
  { database = ":memory:", ...options }: CustomOptions & { readonly database?: string } = {}
): Effect.Effect<StateGateway, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { workspace } = yield* folders
    const services = yield* Layer.build(customCore(options, { database, workspace }))
    const agents = Context.get(services, Agents)
    const queue = Context.get(services, ApprovalQueue)
    const methods = Context.get(services, Methods)
    const sessions = Context.get(services, Sessions)
    const all = yield* Effect.scope

    const of = (session: Session, scope: Scope.CloseableScope): TestSession => {
      const call: TestSession["call"] = (method, params) => Effect.orDie(methods.call(session, method, params))
      const invoke: TestSession["invoke"] = (capability, input = {}, more = {}) =>
        call("capabilities.invoke", { capability, arguments: input, ...more })
      const part = (name: "data" | "error"): TestSession["output"] => (capability, input) =>
        Effect.flatMap(invoke(capability, input), (answer) =>
          at(answer, "success") === (name === "data")
            ? Effect.succeed(at(answer, name))
            : Effect.dieMessage(`${capability} answered ${JSON.stringify(answer)}`))
      return {
        id: session.id,
        call,
        invoke,
        output: part("data"),
        error: part("error"),
        told: Effect.gen(function*() {
          const told: Array<Notification> = []
          yield* methods.tell(session, (one) => void told.push(one))
          return told
        }),
        end: Scope.close(scope, Exit.void)
      }
    }

    const made: StateGateway = {
      inStore: (effect) => Effect.provide(effect, services),
      approve: (id) => Effect.asVoid(Effect.orDie(queue.decide(id, { verdict: "approve", by: "somebody" }))),
      session: (name) =>
        Effect.gen(function*() {
          const known = yield* agents.get(name)
          const agent = Option.isSome(known) ? known.value : (yield* agents.create({ name })).agent
          const scope = yield* Scope.fork(all, all.strategy)
          return of(yield* Scope.extend(sessions.open(agent, { transport: "memory" }), scope), scope)
        }).pipe(Effect.orDie)
    }
    return made
  }).pipe(quietly)
