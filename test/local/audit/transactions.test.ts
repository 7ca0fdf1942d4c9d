import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { builtIn } from "../../../src/catalogue/builtIn.js"
import { ApprovalRequired, TransactionClosed } from "../../../src/errors/general.js"
import { Audit } from "../../../src/local/audit/Audit.js"
import { verify } from "../../../src/local/audit/verify.js"
import { Sessions } from "../../../src/local/sessions/Sessions.js"
import { Agents } from "../../../src/local/store/Agents.js"
import { type AuditEntry, AuditLog } from "../../../src/local/store/AuditLog.js"
import { until } from "../../support/deadline.js"
import { at, listAt } from "../../support/json.js"
import { serveCore } from "../protocol/customGateway.js"
import { get } from "../supervisor/asking.js"

const detailsOf = ({ details }: AuditEntry): unknown => JSON.parse(details)

describe("a transaction in the audit log", () => {
  it.scopedLive("is one unit with its steps and savepoints, and the log is one chain", () =>
    Effect.gen(function*() {
      const { gateway, services } = yield* serveCore({})
      const audit = Context.get(services, Audit)
      const log = Context.get(services, AuditLog)
      const agent = Option.getOrThrow(yield* Context.get(services, Agents).get("agent"))
      const session = yield* Context.get(services, Sessions).open(agent, { transport: "memory" })
      const step = (
        transactionId: string | undefined,
        capability: "filesystem.write" | "filesystem.read",
        failure?: TransactionClosed | ApprovalRequired
      ) => {
        const input = { path: `${transactionId}.txt` }
        const attempt = audit.attempt({ session, capability, input, idempotencyKey: undefined, transactionId })
        return Effect.ignore(attempt.watch(
          failure === undefined
            ? attempt.run(builtIn[capability], () => Effect.succeed({}))
            : Effect.fail(failure)
        ))
      }
      const place = { agent: "agent", sessionId: session.id }
      yield* audit.transaction.began({ ...place, transactionId: "tx-outer", timeoutSeconds: 60 })
      yield* step("tx-outer", "filesystem.write")
      yield* step(undefined, "filesystem.write")
      const savepointOf = { parent: "tx-outer", root: "tx-outer" }
      const savepoint = { ...place, transactionId: "tx-inner", savepointOf }
      yield* audit.transaction.began({ ...savepoint, timeoutSeconds: 60 })
      yield* step("tx-inner", "filesystem.read")
      yield* step("tx-inner", "filesystem.write", new ApprovalRequired({ message: "It waits", approvalId: "apr-1" }))
      yield* audit.transaction.ended({
        ...savepoint,
        outcome: "committed",
        because: "request",
        steps: 2,
        durationMillis: 5
      })
      yield* audit.transaction.ended({
        ...place,
        transactionId: "tx-outer",
        outcome: "rolled_back",
        because: "timeout",
        steps: 3,
        report: {
          rolledBack: ["filesystem.write"],
          notReversible: ["process.run"],
          conflicts: [{ capability: "filesystem.write", resource: "/workspace/secret-name" }]
        },
        durationMillis: 60_000
      })
      yield* step("tx-outer", "filesystem.write", new TransactionClosed({ message: "It is over" }))
      yield* step("x".repeat(200), "filesystem.write", new TransactionClosed({ message: "There is none" }))
      yield* until("the last entry", Effect.map(log.list({}), (entries) => entries.length === 12))

      const entries = yield* log.list({ transaction: "tx-outer" })
      assert.deepStrictEqual(entries.map((entry) => [entry.kind, at(detailsOf(entry), "transaction_id")]), [
        ["transaction_started", "tx-outer"],
        ["invocation_started", "tx-outer"],
        ["invocation_ended", "tx-outer"],
        ["transaction_started", "tx-inner"],
        ["invocation", "tx-inner"],
        ["approval_requested", "tx-inner"],
        ["transaction_ended", "tx-inner"],
        ["transaction_ended", "tx-outer"],
        ["refused", "tx-outer"]
      ])
      const within = entries.map((entry) => at(detailsOf(entry), "root_transaction_id"))
      assert.deepStrictEqual(within.slice(3, 7), ["tx-outer", "tx-outer", "tx-outer", "tx-outer"])
      assert.deepStrictEqual(within.filter((root) => root !== undefined).length, 4)
      assert.deepStrictEqual(entries.map(detailsOf)[3], {
        parent: "tx-outer",
        timeout_seconds: 60,
        transaction_id: "tx-inner",
        root_transaction_id: "tx-outer"
      })
      const rolledBack = {
        outcome: "rolled_back",
        reason: "timeout",
        steps: 3,
        rolled_back: 1,
        not_reversible: 1,
        conflicts: 1,
        duration_ms: 60_000,
        transaction_id: "tx-outer"
      }
      assert.deepStrictEqual(entries.map(detailsOf)[7], rolledBack)
      assert.strictEqual((yield* log.list({ transaction: "tx-inner" })).length, 4)
      assert.deepStrictEqual(yield* log.list({ transaction: "tx-%" }), [])
      assert.deepStrictEqual(yield* log.list({ transaction: "tx-out*" }), [])
      const last = (yield* log.list({ limit: 1 }))[0]
      assert.strictEqual(last === undefined ? "" : at(detailsOf(last), "transaction_id"), "x".repeat(64))
      assert.isTrue(Option.isNone((yield* verify(log, [])).damage))

      const listed = listAt(yield* get(gateway, "/audit?transaction=tx-outer"), "entries")
      assert.deepStrictEqual(listed.map((entry) => at(entry, "kind")), entries.map(({ kind }) => kind))
      const activity = yield* get(gateway, "/activity?transaction=tx-outer&limit=2")
      assert.strictEqual(at(activity, "total"), 9)
      const [refused, ended] = listAt(activity, "activity")
      assert.strictEqual(at(refused, "type"), "capability_error")
      assert.strictEqual(at(refused, "data", "transaction_id"), "tx-outer")
      assert.deepStrictEqual([at(ended, "type"), at(ended, "data")], ["transaction_ended", rolledBack])
      const inner = listAt(yield* get(gateway, "/activity?transaction=tx-inner"), "activity")
      for (const item of inner) assert.strictEqual(at(item, "data", "root_transaction_id"), "tx-outer")
    }))
})
