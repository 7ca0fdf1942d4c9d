import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import { quietly } from "../support/gateway.js"
import { parameters } from "../support/runs.js"
import { type Counts, makeGround, runSchedule, total } from "./programRun.js"
import { cuts, decodeSchedule, kills, type Schedule, schedules } from "./programSchedule.js"

/**
 * Programs of agents at real gateways in processes of their own, and random schedules of what happens to them. A failure prints the schedule and
 * its number; to run one again, as often as `KRUXOS_FAULT_TIMES` says (default: 5), and nothing else, give the schedule itself, or its number
 * with the seed that it came from:
 *
 *     KRUXOS_TEST=full KRUXOS_TEST_SEED=… KRUXOS_PROGRAM_SCHEDULE=3 npx vitest run test/faults/program.test.ts
 *
 * The seed that vitest prints makes the same schedules again; what the machine's timing adds differs from run to run.
 */
const given = process.env["KRUXOS_PROGRAM_SCHEDULE"]

const times = Number(process.env["KRUXOS_FAULT_TIMES"] ?? 5)

/** How many schedules there are, how many programs share the gateway of each, and how many gateways there are at a time. */
const count = 10
const together = 20
const atATime = 2

const { seed } = parameters(1)

const randomSchedules = FastCheck.sample(schedules(together), { numRuns: count, seed })

/** A schedule, and how a failure names it. */
type Named = readonly [name: string, schedule: Schedule]

/** Runs schedules one after the other at a gateway of their own; gives what has happened, and what must not have. */
const runAll = (all: ReadonlyArray<Named>) =>
  Effect.gen(function*() {
    const ground = yield* makeGround
    const failures: Array<string> = []
    const counts = yield* Effect.forEach(all, ([name, schedule], index) =>
      Effect.catchAll(runSchedule(ground, schedule, index + 1), ({ message }) => {
        failures.push(`${name}: ${message}\nThe schedule is:\n${JSON.stringify(schedule)}`)
        return Effect.succeed<Counts>({})
      }))
    return { counts, failures }
  }).pipe(Effect.scoped, quietly)

const failOn = (failures: ReadonlyArray<string>) =>
  failures.length === 0 ? Effect.void : Effect.dieMessage(failures.join("\n"))

// What has to have happened for the rest to mean something.
const expected = [
  "same session",
  "new session",
  "told TransactionClosed",
  "told OutcomeUnknown",
  "told forgotten",
  "told append Done",
  "told append NotFound",
  "socket lost: reset",
  "socket lost: end",
  "socket lost: gateway is not told",
  "socket lost: client is not told",
  "socket lost: nobody is told"
]

describe.runIf(given === undefined)("the program of an agent", () => {
  it.scopedLive(
    `ends as if nothing had been, though it loses its socket ${cuts} times and its gateway ${kills} times; ${
      together * count
    } of them`,
    () =>
      Effect.gen(function*() {
        const all = randomSchedules.map((schedule, index): Named => [`schedule ${index + 1} of seed ${seed}`, schedule])
        const lanes = Array.from({ length: atATime }, (_, lane) => all.filter((_, index) => index % atATime === lane))
        const done = yield* Effect.forEach(lanes, runAll, { concurrency: atATime })
        yield* failOn(done.flatMap(({ failures }) => failures))
        const happened = total(done.flatMap(({ counts }) => counts))
        for (const name of expected) {
          assert.isAbove(happened[name] ?? 0, 0, `${name}, of ${JSON.stringify(happened)}`)
        }
      }),
    1_200_000
  )
})

describe.runIf(given !== undefined)("the given schedule", () => {
  it.scopedLive("shows nothing", () =>
    Effect.gen(function*() {
      const named = randomSchedules[Number(given) - 1]
      const schedule = named ?? decodeSchedule(given ?? "")
      const { failures } = yield* runAll(Array.from({ length: times }, (_, index) => [`time ${index + 1}`, schedule]))
      yield* failOn(failures)
    }), 1_200_000)
})
