import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import { quietly } from "../support/gateway.js"
import { parameters, runs } from "../support/runs.js"
import { type Counts, makeGround, runSchedule, total } from "./programRun.js"
import { cuts, decodeSchedule, kills, type Schedule, schedules } from "./programSchedule.js"

/**
 * Programs of agents at real gateways in processes of their own, and random schedules of what happens to them. A failure prints the schedule; to
 * run one again, as often as `KRUXOS_FAULT_TIMES` says (default: 5), and nothing else:
 *
 *     KRUXOS_PROGRAM_SCHEDULE='{"programs":[…],…}' npx vitest run test/faults/program.test.ts
 *
 * The seed that vitest prints makes the same schedules again; what the machine's timing adds differs from run to run.
 */
const given = process.env["KRUXOS_PROGRAM_SCHEDULE"]

const times = Number(process.env["KRUXOS_FAULT_TIMES"] ?? 5)

const isFull = runs(2) === 2

/** How many schedules there are, and how many programs share the gateway of each. */
const [count, together] = isFull ? [20, 10] : [1, 6]

/** Runs schedules one after the other at a gateway of their own; gives what has happened, and what must not have. */
const runAll = (all: ReadonlyArray<Schedule>) =>
  Effect.gen(function*() {
    const ground = yield* makeGround
    const failures: Array<string> = []
    const counts = yield* Effect.forEach(all, (schedule, index) =>
      Effect.catchAll(runSchedule(ground, schedule, index + 1), ({ message }) => {
        failures.push(`${message}\nThe schedule is:\n${JSON.stringify(schedule)}`)
        return Effect.succeed<Counts>({})
      }))
    return { counts, failures }
  }).pipe(Effect.scoped, quietly)

const failOn = (failures: ReadonlyArray<string>) =>
  failures.length === 0 ? Effect.void : Effect.dieMessage(failures.join("\n"))

// What has to have happened for the rest to mean something.
const always = ["same session", "new session", "socket lost: reset"]

const amongMany = [
  "told TransactionClosed",
  "told OutcomeUnknown",
  "told forgotten",
  "told append Done",
  "told append NotFound",
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
        const all = FastCheck.sample(schedules(together), { numRuns: count, seed: parameters(1).seed })
        const halves = [all.filter((_, index) => index % 2 === 0), all.filter((_, index) => index % 2 === 1)]
        const done = yield* Effect.forEach(halves.filter(({ length }) => length > 0), runAll, { concurrency: 2 })
        yield* failOn(done.flatMap(({ failures }) => failures))
        const happened = total(done.flatMap(({ counts }) => counts))
        for (const name of isFull ? [...always, ...amongMany] : always) {
          assert.isAbove(happened[name] ?? 0, 0, `${name}, of ${JSON.stringify(happened)}`)
        }
      }),
    600_000
  )
})

describe.runIf(given !== undefined)("the given schedule", () => {
  it.scopedLive("shows nothing", () =>
    Effect.gen(function*() {
      const schedule = decodeSchedule(given ?? "")
      const { failures } = yield* runAll(Array.from({ length: times }, () => schedule))
      yield* failOn(failures)
    }), 300_000)
})
