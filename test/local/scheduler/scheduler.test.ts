import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { Agents } from "../../../src/local/store/Agents.js"
import { at, textAt } from "../../support/json.js"
import { type Caller, eventually, type Gateway, settle, withDatabase, withGateway } from "./support.js"

const alert = (message: string) => ({ capability: "alerts.send", inputs: { message } })

const delayed = (caller: Caller, seconds: number, message: string) =>
  caller.invoke("scheduler.delay", { ...alert(message), delay_seconds: seconds })

const cron = (caller: Caller, message: string, schedule = "* * * * *") =>
  caller.invoke("scheduler.cron_create", { ...alert(message), schedule })

const arrived = (gateway: Gateway, ...messages: ReadonlyArray<string>) =>
  eventually(
    `the alerts ${messages.join(", ")}`,
    Effect.map(gateway.alerts("one"), (found) => found.length >= messages.length)
  ).pipe(
    Effect.zipRight(settle),
    Effect.zipRight(gateway.alerts("one")),
    Effect.map((found) => assert.deepStrictEqual(found, messages))
  )

const jobsOf = (caller: Caller) => Effect.map(caller.invoke("scheduler.cron_list"), (listed) => at(listed, "jobs"))

describe("what is delayed", () => {
  it.effect("runs once, at its time", () =>
    withGateway((gateway) =>
      Effect.gen(function*() {
        const one = yield* gateway.as("one")
        assert.deepInclude(yield* delayed(one, 60, "second"), {
          capability: "alerts.send",
          fires_at: "2026-01-01T00:01:00.000Z"
        })
        yield* delayed(one, 30, "first")
        yield* settle
        yield* TestClock.adjust("29 seconds")
        yield* arrived(gateway)
        yield* TestClock.adjust("1 second")
        yield* arrived(gateway, "first")
        yield* TestClock.adjust("30 seconds")
        yield* arrived(gateway, "first", "second")
        yield* TestClock.adjust("2 minutes")
        yield* arrived(gateway, "first", "second")
      })
    ))

  it.effect("runs at once where there is nothing to wait for", () =>
    withGateway((gateway) =>
      Effect.gen(function*() {
        const one = yield* gateway.as("one")
        yield* delayed(one, 0, "now")
        yield* arrived(gateway, "now")
      })
    ))

  it.effect("is known by its outcome afterwards", () =>
    withGateway((gateway) =>
      Effect.gen(function*() {
        const one = yield* gateway.as("one")
        const id = textAt(yield* delayed(one, 0, "now"), "delay_id")
        yield* arrived(gateway, "now")
        const outcome = yield* one.request("capabilities.outcome", {
          idempotency_key: `${id}@2026-01-01T00:00:00.000Z`
        })
        assert.deepStrictEqual([at(outcome, "status"), at(outcome, "result", "success")], ["done", true])
      })
    ))
})

describe("a cron job", () => {
  it.effect("runs at each of its times until it is deleted", () =>
    withGateway((gateway) =>
      Effect.gen(function*() {
        const one = yield* gateway.as("one")
        yield* TestClock.adjust("30 seconds")
        const job = yield* cron(one, "run", " *  * * * * ")
        assert.deepInclude(job, { schedule: "* * * * *", next_run: "2026-01-01T00:01:00.000Z" })
        const runs: Array<string> = []
        for (let minute = 1; minute <= 3; minute++) {
          yield* settle
          yield* TestClock.adjust("1 minute")
          runs.push("run")
          yield* arrived(gateway, ...runs)
        }
        assert.strictEqual(at(yield* jobsOf(one), 0, "next_run"), "2026-01-01T00:04:00.000Z")
        const cron_id = at(job, "cron_id")
        assert.deepStrictEqual(yield* one.invoke("scheduler.cron_delete", { cron_id }), { deleted: true, cron_id })
        yield* TestClock.adjust("3 minutes")
        yield* arrived(gateway, ...runs)
      })
    ))

  it.effect("whose runs fail goes on, and says so once", () =>
    withGateway((gateway) =>
      Effect.gen(function*() {
        const one = yield* gateway.as("one")
        yield* one.invoke("scheduler.cron_create", {
          capability: "filesystem.read",
          inputs: { path: "/workspace/none" },
          schedule: "* * * * *"
        })
        const said = "Scheduled, filesystem.read failed: FileNotFound"
        for (let minute = 1; minute <= 3; minute++) {
          yield* settle
          yield* TestClock.adjust("1 minute")
          yield* arrived(gateway, said)
        }
        assert.strictEqual(at(yield* jobsOf(one), 0, "next_run"), "2026-01-01T00:04:00.000Z")
      })
    ))
})

describe("the policy when it is due", () => {
  it.effect("that wants an approval puts the run into the queue", () =>
    withGateway((gateway) =>
      Effect.gen(function*() {
        const one = yield* gateway.as("one")
        yield* delayed(one, 10, "approved?")
        yield* settle
        yield* TestClock.adjust("10 seconds")
        const pending = Effect.map(one.request("approvals.list", {}), (listed) => at(listed, "approvals", 0))
        yield* eventually("a request", Effect.map(pending, (found) => found !== undefined))
        assert.deepInclude(yield* pending, { capability: "alerts.send", status: "pending" })
        yield* arrived(gateway)
      }), { tiers: { "alerts.send": "approval_required", "scheduler.*": "autonomous" } }))

  it.effect("does not run what a paused agent has, and says so; and runs it again afterwards", () =>
    withGateway((gateway) =>
      Effect.gen(function*() {
        const one = yield* gateway.as("one")
        yield* cron(one, "run")
        yield* gateway.run(Effect.flatMap(Agents, (agents) => agents.pause("one")))
        const said = "Scheduled, alerts.send was not run: agent paused"
        for (let minute = 1; minute <= 2; minute++) {
          yield* settle
          yield* TestClock.adjust("1 minute")
          yield* arrived(gateway, said)
        }
        yield* gateway.run(Effect.flatMap(Agents, (agents) => agents.resume("one")))
        yield* TestClock.adjust("1 minute")
        yield* arrived(gateway, said, "run")
      })
    ))

  it.effect("lets what is delayed wait for a paused agent, and runs it once as missed when that is resumed", () =>
    withGateway((gateway) =>
      Effect.gen(function*() {
        const one = yield* gateway.as("one")
        yield* delayed(one, 60, "delay")
        yield* gateway.run(Effect.flatMap(Agents, (agents) => agents.pause("one")))
        yield* settle
        yield* TestClock.adjust("1 minute")
        const said = "Scheduled, alerts.send was not run: agent paused; it runs once when the agent is resumed"
        yield* arrived(gateway, said)
        for (let minute = 1; minute <= 3; minute++) {
          yield* TestClock.adjust("1 minute")
          yield* arrived(gateway, said)
        }
        yield* gateway.run(Effect.flatMap(Agents, (agents) => agents.resume("one")))
        yield* TestClock.adjust("10 seconds")
        const all = [said, "A scheduled run was missed: alerts.send runs once now", "delay"]
        yield* arrived(gateway, ...all)
        yield* TestClock.adjust("2 minutes")
        yield* arrived(gateway, ...all)
      })
    ))

  it.effect("says of what is delayed that its agent was revoked while it was paused", () =>
    withGateway((gateway) =>
      Effect.gen(function*() {
        const one = yield* gateway.as("one")
        yield* delayed(one, 60, "delay")
        yield* gateway.run(Effect.flatMap(Agents, (agents) => agents.pause("one")))
        yield* settle
        yield* TestClock.adjust("1 minute")
        const said = "Scheduled, alerts.send was not run: agent paused; it runs once when the agent is resumed"
        yield* arrived(gateway, said)
        yield* gateway.run(Effect.flatMap(Agents, (agents) => agents.revoke("one")))
        yield* TestClock.adjust("10 seconds")
        const all = [said, "Scheduled, alerts.send was not run: agent revoked"]
        yield* arrived(gateway, ...all)
        yield* TestClock.adjust("2 minutes")
        yield* arrived(gateway, ...all)
      })
    ))

  it.effect("ends all that a revoked agent has, and says so", () =>
    withGateway((gateway) =>
      Effect.gen(function*() {
        const one = yield* gateway.as("one")
        yield* cron(one, "run")
        yield* cron(one, "other")
        yield* gateway.run(Effect.flatMap(Agents, (agents) => agents.revoke("one")))
        yield* settle
        yield* TestClock.adjust("1 minute")
        yield* eventually("an alert", Effect.map(gateway.alerts("one"), (found) => found.length > 0))
        yield* settle
        yield* TestClock.adjust("2 minutes")
        yield* settle
        const said = yield* gateway.alerts("one")
        assert.isTrue(said.every((message) => message === "Scheduled, alerts.send was not run: agent revoked"))
        assert.isAtMost(said.length, 2)
      })
    ))
})

describe("a store that fails for a while", () => {
  it.effect("does not keep a job from running on, nor lets it run twice", () =>
    withGateway((gateway) =>
      Effect.gen(function*() {
        const one = yield* gateway.as("one")
        yield* cron(one, "run")
        yield* gateway.run(Effect.flatMap(SqlClient.SqlClient, (sql) =>
          sql`CREATE TRIGGER no_end BEFORE UPDATE OF running_due ON schedules WHEN NEW.running_due IS NULL
            BEGIN SELECT RAISE(ABORT, 'not now'); END`))
        yield* settle
        yield* TestClock.adjust("1 minute")
        yield* arrived(gateway, "run")
        yield* TestClock.adjust("90 seconds")
        yield* arrived(gateway, "run")
        yield* gateway.run(Effect.flatMap(SqlClient.SqlClient, (sql) =>
          sql`DROP TRIGGER no_end`))
        // At 3 minutes it is ended, and what was due at 2 minutes runs, late.
        yield* TestClock.adjust("30 seconds")
        yield* eventually(
          "a second run",
          Effect.map(gateway.alerts("one"), (found) => found.at(-1) === "run" && found.length > 1)
        )
        yield* settle
        assert.deepStrictEqual(yield* gateway.alerts("one"), [
          "run",
          "2 scheduled runs were missed: alerts.send runs once now",
          "run"
        ])
      })
    ))
})

describe("a clock that goes back", () => {
  it.effect("lets nothing run again", () =>
    withGateway((gateway) =>
      Effect.gen(function*() {
        const one = yield* gateway.as("one")
        yield* cron(one, "run", "*/4 * * * *")
        yield* settle
        yield* TestClock.adjust("4 minutes")
        yield* arrived(gateway, "run")
        yield* TestClock.setTime(Date.UTC(2026, 0, 1, 0, 2))
        yield* settle
        yield* TestClock.adjust("3 minutes")
        yield* arrived(gateway, "run")
        yield* TestClock.adjust("3 minutes")
        yield* arrived(gateway, "run", "run")
      })
    ))
})

describe("after a restart", () => {
  it.effect("what is not due yet runs at its time, and what was missed once, and says so", () =>
    withDatabase((start) =>
      Effect.gen(function*() {
        const first = yield* start()
        const one = yield* first.as("one")
        yield* cron(one, "hour", "0 * * * *")
        yield* delayed(one, 3600, "delay")
        yield* delayed(one, 5 * 3600 + 60, "later")
        yield* settle
        yield* first.stop
        yield* TestClock.adjust("5 hours")
        const second = yield* start()
        yield* eventually("four alerts", Effect.map(second.alerts("one"), (found) => found.length >= 4))
        yield* settle
        assert.sameMembers([...yield* second.alerts("one")], [
          "5 scheduled runs were missed: alerts.send runs once now",
          "A scheduled run was missed: alerts.send runs once now",
          "hour",
          "delay"
        ])
        yield* TestClock.adjust("1 minute")
        yield* eventually("what is later", Effect.map(second.alerts("one"), (found) => found.length >= 5))
        yield* settle
        assert.deepStrictEqual((yield* second.alerts("one")).slice(4), ["later"])
      })
    ))

  it.effect("two gateways on one database run it once", () =>
    withDatabase((start) =>
      Effect.gen(function*() {
        const first = yield* start()
        const second = yield* start()
        const one = yield* first.as("one")
        yield* cron(one, "run")
        const runs: Array<string> = []
        for (let minute = 1; minute <= 3; minute++) {
          yield* settle
          yield* TestClock.adjust("1 minute")
          runs.push("run")
          yield* arrived(second, ...runs)
        }
        // The one that did not make it goes on alone.
        yield* first.stop
        yield* TestClock.adjust("5 minutes")
        yield* eventually("more", Effect.map(second.alerts("one"), (found) => found.length > runs.length))
      })
    ))
})
