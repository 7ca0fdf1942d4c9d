import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import { inspect } from "node:util"
import * as TestGateway from "../support/gateway.js"
import { parameters } from "../support/runs.js"
import { type Counts, type Ground, makeGround, runSchedule, type Violation } from "./proxyRun.js"
import { decodeSchedule, type FaultSchedule, schedules } from "./proxySchedule.js"

/**
 * One real gateway, and random schedules of clients, calls and faults between them. A failure prints the schedule, and a smaller one that fails
 * too where one is found. To run one again, as often as `KRUXOS_FAULT_TIMES` says (default: 20), and nothing else:
 *
 *     KRUXOS_FAULT_SCHEDULE='{"clients":1,…}' npx vitest run test/faults/proxySchedules.test.ts
 *
 * The seed that vitest prints makes the same schedules again; what the machine's timing adds differs from run to run.
 */
const given = process.env["KRUXOS_FAULT_SCHEDULE"]

const times = Number(process.env["KRUXOS_FAULT_TIMES"] ?? 20)

const concurrency = 8

const smallerWithin = 20_000

/** A gateway with two agents; what it logs as an error fails the test. */
const ground = Effect.gen(function*() {
  const errors: Array<string> = []
  const logger = Logger.make(({ cause, logLevel, message }) => {
    if (LogLevel.greaterThanEqual(logLevel, LogLevel.Error)) errors.push(inspect([message, cause], { depth: 10 }))
  })
  const gateway = yield* Effect.provide(TestGateway.serve({ policy: "allow-all" }), Logger.add(logger))
  return { ground: yield* makeGround(gateway, [gateway.key, yield* gateway.addAgent("second")]), errors }
})

let runs = 0

const run = (ground: Ground, schedule: FaultSchedule) => Effect.suspend(() => runSchedule(ground, schedule, ++runs))

/** A schedule that fails as well and is smaller, if one is found in time. */
const smaller = (ground: Ground, schedule: FaultSchedule) =>
  Effect.map(
    Effect.promise(() =>
      FastCheck.check(
        FastCheck.asyncProperty(schedules, (candidate) => Effect.runPromise(Effect.asVoid(run(ground, candidate)))),
        { examples: [[schedule]], numRuns: 1, interruptAfterTimeLimit: smallerWithin }
      )
    ),
    ({ counterexample, numShrinks }) => counterexample === null || numShrinks === 0 ? undefined : counterexample[0]
  )

const report = (ground: Ground, schedule: FaultSchedule, index: number) => (violation: Violation) =>
  Effect.flatMap(smaller(ground, schedule), (less) =>
    Effect.dieMessage(
      [
        `Schedule ${index} shows:`,
        violation.message,
        "It is:",
        JSON.stringify(schedule),
        ...(less === undefined ? [] : ["A smaller one that fails:", JSON.stringify(less)])
      ].join("\n")
    ))

const total = (counts: ReadonlyArray<Counts>): Counts => {
  const sum: Record<string, number> = {}
  for (const one of counts) {
    for (const [name, count] of Object.entries(one)) sum[name] = (sum[name] ?? 0) + count
  }
  return sum
}

// What has to have happened for the rest to mean something.
const always = ["append Success", "append OutcomeUnknown", "append Interrupted", "other Success", "reconnects"]

const amongMany = ["append AuthenticationFailed", "append GatewayTimeout", "outcome Done", "outcome NotFound"]

const openSockets = () => process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length

describe.runIf(given === undefined)("under random faults", () => {
  it.scopedLive("every call settles in time, and no effect happens twice or is lost", () =>
    Effect.gen(function*() {
      const { errors, ground: shared } = yield* ground
      const before = openSockets()
      const all = FastCheck.sample(schedules, parameters(1000))
      const failed: Array<{ readonly schedule: FaultSchedule; readonly index: number; readonly violation: Violation }> =
        []
      const counts = yield* Effect.forEach(all, (schedule, index) =>
        Effect.tapError(run(shared, schedule), (violation) =>
          Effect.sync(() =>
            failed.push({ schedule, index, violation })
          )), {
        concurrency
      }).pipe(Effect.catchAll(() =>
        Effect.succeed([])
      ))
      for (const { index, schedule, violation } of failed) yield* report(shared, schedule, index)(violation)
      const happened = total(counts)
      for (const name of all.length < 1000 ? always : [...always, ...amongMany]) {
        assert.isAbove(happened[name] ?? 0, 0, `${name}, of ${JSON.stringify(happened)}`)
      }
      yield* Effect.sleep("10 millis").pipe(Effect.repeat({ until: () => openSockets() <= before, times: 300 }))
      assert.isAtMost(openSockets(), before, "sockets are left open")
      assert.deepStrictEqual(errors, [], "the gateway has logged errors")
    }), 300_000)
})

describe.runIf(given !== undefined)("the given schedule", () => {
  it.scopedLive("shows nothing", () =>
    Effect.gen(function*() {
      const { errors, ground: shared } = yield* ground
      const schedule = decodeSchedule(given ?? "")
      for (let index = 0; index < times; index++) yield* run(shared, schedule)
      assert.deepStrictEqual(errors, [])
    }), 300_000)
})
