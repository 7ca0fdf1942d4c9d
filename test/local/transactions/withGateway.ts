import * as SqlClient from "@effect/sql/SqlClient"
import { expect } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { ApprovalQueue } from "../../../src/local/approvals/ApprovalQueue.js"
import { Drain } from "../../../src/local/protocol/drain.js"
import { Methods } from "../../../src/local/protocol/methods.js"
import { Sessions } from "../../../src/local/sessions/Sessions.js"
import { Agents } from "../../../src/local/store/Agents.js"
import { Transactions } from "../../../src/local/transactions/Transactions.js"
import { folders, quietly } from "../../support/gateway.js"
import { customCore } from "../protocol/customGateway.js"
import { makeThings, step, type Things } from "./things.js"

/** A gateway without a way in, under the test's clock, and a session at it. */
export const withGateway = <A, E>(
  use: (used: {
    readonly things: Things
    readonly transactions: Transactions["Type"]
    readonly begin: (
      options?: { readonly parent?: string; readonly timeoutSeconds?: number }
    ) => Effect.Effect<string, unknown>
    /** Gives the result of the step, as it goes on the wire. */
    readonly take: (transactionId: string, text: string, more?: object) => Effect.Effect<unknown, unknown>
    readonly endSession: Effect.Effect<void>
    readonly drain: Drain["Type"]
    /** Makes a step wait for approval. */
    readonly ask: (transactionId: string) => Effect.Effect<unknown, unknown>
    /** From then on no commit succeeds, until `succeed`. */
    readonly fail: Effect.Effect<unknown, unknown>
    readonly succeed: Effect.Effect<unknown, unknown>
  }) => Effect.Effect<A, E, Scope.Scope>
) =>
  Effect.gen(function*() {
    const things = makeThings()
    const { workspace } = yield* folders
    const services = yield* Layer.build(
      customCore({ ...things.options, builtIn: false }, { database: ":memory:", workspace })
    )
    return yield* Effect.gen(function*() {
      const { agent } = yield* (yield* Agents).create({ name: "agent" })
      const methods = yield* Methods
      const transactions = yield* Transactions
      const approvals = yield* ApprovalQueue
      const sql = yield* SqlClient.SqlClient
      const scope = yield* Effect.acquireRelease(Scope.make(), (made) => Scope.close(made, Exit.void))
      const session = yield* Scope.extend((yield* Sessions).open(agent, { transport: "memory" }), scope)
      return yield* use({
        things,
        transactions,
        begin: (options = {}) => transactions.begin(session, options),
        take: (id, text, more) => methods.call(session, "capabilities.invoke", step(id, text, more)),
        endSession: Scope.close(scope, Exit.void),
        drain: yield* Drain,
        ask: (transactionId) =>
          Effect.flip(approvals.ask({
            agent,
            capability: "test.run",
            input: { text: "a=1" },
            decision: { tier: "approval_required", rule: "test", reason: undefined },
            idempotencyKey: undefined,
            transactionId,
            sessionId: session.id
          })),
        fail: sql`
          CREATE TRIGGER refused BEFORE UPDATE ON transactions WHEN NEW.status = 'committed'
          BEGIN SELECT RAISE(ABORT, 'refused by the test'); END`.unprepared,
        succeed: sql`DROP TRIGGER refused`.unprepared
      })
    }).pipe(Effect.provide(services))
  }).pipe(Effect.scoped, quietly)

export const undone = (count: number) => ({
  rolledBack: Array.from({ length: count }, () => "test.run"),
  notReversible: [],
  conflicts: []
})

export const rolledBack = (_tag: string, count: number) => ({
  _tag: "RolledBack",
  error: expect.objectContaining({ _tag }),
  report: undone(count)
})
