import * as SqlClient from "@effect/sql/SqlClient"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { Fact, Head } from "../../../src/local/audit/chain.js"
import { endLost, fact } from "../../../src/local/audit/facts.js"
import { type Verification, verify } from "../../../src/local/audit/verify.js"
import { AuditLog, type AuditLogService } from "../../../src/local/store/AuditLog.js"
import * as Store from "../../../src/local/store/Store.js"

/** A fact like any other, told apart by its number. */
export const factOf = (number: number): Fact =>
  fact(1_700_000_000_000 + number, "invocation", { agent: "agent", capability: "filesystem.read", rule: "r" }, {
    number
  })

/** A log in a store of its own, and the database under it. */
export interface TestLog {
  readonly log: AuditLogService
  readonly sql: SqlClient.SqlClient
  readonly append: (facts: ReadonlyArray<Fact>, known?: Head) => Effect.Effect<Head>
  readonly verify: (...anchors: ReadonlyArray<Head>) => Effect.Effect<Verification>
  /** What somebody does who has the file: the triggers are away meanwhile. */
  readonly tamper: (statement: string) => Effect.Effect<void>
}

export const testLog = (filename = ":memory:"): Effect.Effect<TestLog, never, Scope.Scope> =>
  Effect.gen(function*() {
    const store = yield* Layer.build(Store.layer({ filename }))
    const log = Context.get(store, AuditLog)
    const sql = Context.get(store, SqlClient.SqlClient)
    return {
      log,
      sql,
      append: (facts: ReadonlyArray<Fact>, known?: Head) =>
        Effect.orDie(log.append(facts, Option.fromNullable(known), (head) => endLost(0, head))),
      verify: (...anchors: ReadonlyArray<Head>) => Effect.orDie(verify(log, anchors)),
      tamper: (statement: string) =>
        Effect.orDie(Effect.gen(function*() {
          const triggers = yield* sql<{ name: string; sql: string }>`
            SELECT name, sql FROM sqlite_master WHERE type = 'trigger'`
          for (const { name } of triggers) yield* sql.unsafe(`DROP TRIGGER ${name}`)
          yield* sql.unsafe(statement)
          for (const trigger of triggers) yield* sql.unsafe(trigger.sql)
        }))
    }
  }).pipe(Effect.orDie)
