import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { builtIn } from "../../../src/catalogue/builtIn.js"
import * as Capability from "../../../src/catalogue/Capability.js"
import * as Catalogue from "../../../src/catalogue/Catalogue.js"
import { TransactionClosed } from "../../../src/errors/general.js"
import type { KruxosError } from "../../../src/errors/KruxosError.js"
import * as ApprovalQueue from "../../../src/local/approvals/ApprovalQueue.js"
import * as Audit from "../../../src/local/audit/Audit.js"
import { type Invocation, registerAll } from "../../../src/local/capabilities/Handler.js"
import * as Registrations from "../../../src/local/capabilities/Registrations.js"
import { makeSessionHandlers } from "../../../src/local/capabilities/state/session.js"
import * as Policy from "../../../src/local/policy/Policy.js"
import * as Drain from "../../../src/local/protocol/drain.js"
import * as EffectChecks from "../../../src/local/recovery/EffectChecks.js"
import * as Turns from "../../../src/local/recovery/Turns.js"
import type { Session } from "../../../src/local/sessions/Session.js"
import * as Sessions from "../../../src/local/sessions/Sessions.js"
import * as Workspaces from "../../../src/local/sessions/Workspaces.js"
import * as State from "../../../src/local/state/State.js"
import { Agents } from "../../../src/local/store/Agents.js"
import * as Store from "../../../src/local/store/Store.js"
import * as Supervision from "../../../src/local/supervision/Supervision.js"
import { type Step, Transactions, type TransactionsService } from "../../../src/local/transactions/Transactions.js"
import { folders, quietly } from "../../support/gateway.js"
import { eventually, isOver } from "./support.js"

/** Transactions that a test ends, and what they have been told of the steps that wait. */
export interface FakeTransactions {
  readonly service: TransactionsService
  /** In order, as `waits tx-1`. */
  readonly told: ReadonlyArray<string>
  readonly steps: ReadonlyArray<Step>
  /** Lets a transaction begin to end, and tells those who listen. */
  readonly end: (transactionId: string) => Effect.Effect<void>
  /** What happens when one is told to wait. */
  onWaits: Effect.Effect<void>
}

const closed = (transactionId: string) => new TransactionClosed({ message: "It is over", transactionId })

const makeFake = (): FakeTransactions => {
  const over = new Set<string>()
  const told: Array<string> = []
  const steps: Array<Step> = []
  const listeners = new Set<(transactionId: string) => Effect.Effect<void>>()
  const unless = <A, E>(transactionId: string, effect: Effect.Effect<A, E>) =>
    Effect.suspend((): Effect.Effect<A, E | TransactionClosed> =>
      over.has(transactionId) ? Effect.fail(closed(transactionId)) : effect
    )
  const note = (what: string, id: string) => Effect.sync(() => void told.push(`${what} ${id}`))
  const fake: FakeTransactions = {
    onWaits: Effect.void,
    told,
    steps,
    end: (id) =>
      Effect.suspend(() => {
        over.add(id)
        return Effect.forEach(listeners, (listener) => listener(id), { discard: true })
      }),
    service: {
      begin: () => Effect.dieMessage("not in this test"),
      commit: () => Effect.dieMessage("not in this test"),
      rollback: () => Effect.dieMessage("not in this test"),
      admit: (_who, { transactionId }) => unless(transactionId, Effect.void),
      run: (step, invocation, handler) =>
        unless(step.transactionId, Effect.zipRight(Effect.sync(() => steps.push(step)), handler(invocation))),
      waits: (id) => Effect.zipRight(note("waits", id), Effect.suspend(() => fake.onWaits)),
      goesOn: (id) => note("goesOn", id),
      refused: (id) => Effect.zipRight(note("refused", id), fake.end(id)),
      onEnding: (listener) =>
        Effect.asVoid(Effect.acquireRelease(
          Effect.sync(() => listeners.add(listener)),
          () => Effect.sync(() => listeners.delete(listener))
        )),
      onEnded: () => Effect.void
    }
  }
  return fake
}

const run = Capability.make("test.run", {
  tier: "approval_required",
  tags: [],
  inputs: { text: Schema.String },
  outputs: { text: Schema.String },
  errors: {}
})

/** A queue of requests for approval whose transactions are a test's. */
export interface Asking {
  readonly queue: ApprovalQueue.ApprovalQueueService
  readonly transactions: FakeTransactions
  readonly open: Effect.Effect<Session, never, Scope.Scope>
  /** Asks for approval: `test.run` with a text, unless told otherwise. */
  readonly ask: (
    session: Session,
    text: string,
    more?: Partial<ApprovalQueue.Asked>
  ) => Effect.Effect<unknown, KruxosError>
  /** The id of the request that this leads to. */
  readonly idOf: (session: Session, text: string, more?: Partial<ApprovalQueue.Asked>) => Effect.Effect<string>
  readonly settled: (approvalId: string) => Effect.Effect<string>
  /** The invocations with which `test.run` has run. */
  readonly ran: ReadonlyArray<Invocation>
  readonly inStore: <A, E>(effect: Effect.Effect<A, E, Store.Store>) => Effect.Effect<A, E>
}

/** Makes it until the scope ends; `test.run` waits for `gate`. */
export const asking = (
  options: { readonly database?: string; readonly gate?: Effect.Effect<void> } = {}
): Effect.Effect<Asking, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { workspace } = yield* folders
    const transactions = makeFake()
    const ran: Array<Invocation> = []
    const registrations = Effect.map(makeSessionHandlers, (handlers) =>
      registerAll(Catalogue.make(run, builtIn["state.session.set"]), {
        "state.session.set": handlers["state.session.set"],
        "test.run": ({ text }, invocation) =>
          Effect.suspend(() => {
            ran.push(invocation)
            return Effect.as(options.gate ?? Effect.void, { text: `${text}, done` })
          })
      }))
    const services = yield* Layer.build(
      ApprovalQueue.layer.pipe(
        Layer.provide(Layer.succeed(Transactions, transactions.service)),
        Layer.provide(Layer.provide(EffectChecks.layer, Turns.layer)),
        Layer.provide(Registrations.layer(registrations)),
        Layer.provide(Audit.layer(undefined)),
        Layer.provide(Drain.layer),
        Layer.provideMerge(Sessions.layer),
        Layer.provide(Supervision.layer()),
        Layer.provide(Workspaces.layer(workspace, undefined)),
        Layer.provide([
          Layer.succeed(Policy.Policy, Policy.catalogueTiers(Object.values(builtIn))),
          State.layer()
        ]),
        Layer.provideMerge(Store.layer({ filename: options.database ?? ":memory:" }))
      )
    )
    const queue = Context.get(services, ApprovalQueue.ApprovalQueue)
    const agents = Context.get(services, Agents)
    const ask: Asking["ask"] = (session, text, more = {}) =>
      queue.ask({
        agent: session.agent,
        capability: "test.run",
        input: { text },
        decision: { tier: "approval_required", rule: "test:ask", reason: undefined },
        idempotencyKey: undefined,
        sessionId: session.id,
        ...more
      })
    const asking: Asking = {
      queue,
      transactions,
      open: Effect.gen(function*() {
        const known = yield* agents.get("one")
        const agent = Option.isSome(known) ? known.value : (yield* agents.create({ name: "one" })).agent
        return yield* Context.get(services, Sessions.Sessions).open(agent, { transport: "memory" })
      }).pipe(Effect.orDie),
      ask,
      idOf: (session, text, more) =>
        Effect.flatMap(Effect.flip(ask(session, text, more)), (error) =>
          error._tag === "ApprovalRequired" ? Effect.succeed(error.approvalId) : Effect.fail(error)).pipe(Effect.orDie),
      settled: (id) =>
        eventually(queue.get(id), ({ status }) =>
          isOver(status)).pipe(
            Effect.map(({ status }) =>
              status
            ),
            Effect.orDie
          ),
      ran,
      inStore: (effect) =>
        Effect.provide(effect, services)
    }
    return asking
  }).pipe(Effect.orDie, quietly)
