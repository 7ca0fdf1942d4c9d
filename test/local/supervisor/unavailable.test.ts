import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { until, within } from "../../support/deadline.js"
import { serve } from "../../support/gateway.js"
import { textAt } from "../../support/json.js"
import { rpc } from "../../support/rawHttp.js"
import { asSupervisor } from "../../support/supervisor.js"
import { serveCustom } from "../protocol/customGateway.js"

describe("the supervisor's API is unavailable", () => {
  it.scopedLive("while the gateway drains", () =>
    Effect.gen(function*() {
      const gate = yield* Effect.makeLatch()
      const begun = yield* Effect.makeLatch()
      const scope = yield* Scope.make()
      const served = yield* serveCustom({
        builtIn: false,
        gracePeriod: "10 seconds",
        run: (text) => begun.open.pipe(Effect.zipRight(gate.await), Effect.as(text))
      }).pipe(Effect.provideService(Scope.Scope, scope))
      const running = yield* Effect.fork(rpc(served, "capabilities.invoke", { capability: "test.run" }))
      yield* begun.await
      const ending = yield* Effect.forkDaemon(Scope.close(scope, Exit.void))
      yield* until(
        "the draining",
        Effect.map(rpc(served, "ping"), (answer) => JSON.stringify(answer).includes("shutting down"))
      )
      const paths = [["/approvals", "GET"], ["/approvals/apr-1/approve", "POST"], [
        "/agents/agent/pause",
        "POST"
      ]] as const
      for (const [path, method] of paths) {
        const { body, headers, status } = yield* asSupervisor(served, path, { method })
        assert.strictEqual(status, 503)
        assert.strictEqual(headers.get("retry-after"), "1")
        assert.include(textAt(body, "error"), "shutting down")
      }
      yield* gate.open
      yield* Fiber.join(running)
      yield* within("the end")(Fiber.join(ending))
    }))

  it.scopedLive("when the store does not answer", () =>
    Effect.gen(function*() {
      const gateway = yield* serve()
      const drop = (table: string) =>
        gateway.inStore(Effect.flatMap(SqlClient.SqlClient, (sql) => sql`DROP TABLE ${sql(table)}`))
      const cases = [
        ["audit_log", [["/activity", "GET"], ["/activity?type=capability_error", "GET"], ["/audit", "GET"]]],
        ["sessions", [["/agents", "GET"], ["/agents/agent", "GET"], ["/status", "GET"], [
          "/agents/agent/resume",
          "POST"
        ]]],
        ["approvals", [["/approvals", "GET"], ["/approvals/apr-1/reject", "POST"]]],
        ["agents", [["/agents", "GET"], ["/agents/agent/pause", "POST"]]],
        ["supervisors", [["/approvals", "GET"], ["/agents/agent/pause", "POST"], ["/health", "GET"]]]
      ] as const
      for (const [table, paths] of cases) {
        yield* drop(table)
        for (const [path, method] of paths) {
          const { body, status } = yield* asSupervisor(gateway, path, { method })
          assert.strictEqual(status, 503, `${method} ${path}`)
          assert.include(textAt(body, "error"), "store does not answer")
          assert.notInclude(JSON.stringify(body), "SELECT")
        }
        if (table === "approvals") {
          const { body, status } = yield* asSupervisor(gateway, "/health")
          assert.deepStrictEqual([status, textAt(body, "status")], [200, "unhealthy"])
          assert.include(textAt(body, "components", 0, "message"), "does not answer")
        }
      }
    }))
})
