import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import type * as Scope from "effect/Scope"
import { inspect } from "node:util"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import * as Chance from "./Chance.js"
import { shrink } from "./shrink.js"
import { type Input, type Making, type Target, Wrong } from "./Target.js"
import type { Watch } from "./watchdog.js"

/** How much is to be done, and what is too much. */
export interface Limits {
  readonly seed: number
  /** How many inputs each target gets at most. */
  readonly iterations: number
  /** How long each target gets inputs at most, in milliseconds. */
  readonly millis: number
  /** How long one input may take, in milliseconds. */
  readonly hangMillis: number
  /** The number of the first input, to come back to one. */
  readonly first?: number | undefined
  readonly watch?: Watch | undefined
}

/** An input that was not handled well. */
export interface Find {
  readonly target: string
  readonly iteration: number
  readonly message: string
  readonly input: Input
}

/** What was done with one target. */
export interface Report {
  readonly target: string
  readonly iterations: number
  readonly millis: number
  readonly slowestMillis: number
  readonly slowest: Input
  /** How much larger the heap is, after its garbage was collected, than it was after the first tenth; in bytes. */
  readonly grownBytes: number
  readonly find: Find | undefined
}

const mostGrownBytes = 64 * 1024 * 1024

setFlagsFromString("--expose_gc")
const collectGarbage: () => void = runInNewContext("gc")

const heapBytes = Effect.sync(() => {
  collectGarbage()
  return process.memoryUsage().heapUsed
})

// What a gateway logs as an error is one, whatever it answered.
const withErrorLog = <A, R>(use: (errors: Array<string>) => Effect.Effect<A, Wrong, R>): Effect.Effect<A, Wrong, R> =>
  Effect.suspend(() => {
    const errors: Array<string> = []
    const logger = Logger.make(({ cause, logLevel, message }) => {
      if (LogLevel.greaterThanEqual(logLevel, LogLevel.Error)) {
        errors.push(
          `${inspect(message)} ${Cause.isEmpty(cause) ? "" : Cause.pretty(cause, { renderErrorCause: true })}`
        )
      }
    })
    return Effect.provide(use(errors), Logger.replace(Logger.defaultLogger, logger))
  })

const checked = (target: Target, input: Input, errors: Array<string>, hangMillis: number) =>
  Effect.gen(function*() {
    errors.length = 0
    yield* target.prepare
    const from = yield* Clock.currentTimeMillis
    yield* Effect.suspend(() => target.check(input)).pipe(
      Effect.timeoutFail({
        duration: hangMillis,
        onTimeout: () => new Wrong({ message: `It is not done within ${hangMillis} ms` })
      }),
      Effect.catchAllCause((cause) =>
        Effect.fail(
          Cause.isFailType(cause) ? cause.error : new Wrong({ message: `It is a defect: ${Cause.pretty(cause)}` })
        )
      ),
      Effect.mapError(({ message }) => new Wrong({ message: [message, ...errors].join("\n") }))
    )
    if (errors.length > 0) return yield* new Wrong({ message: `It is an error in the log:\n${errors.join("\n")}` })
    const took = (yield* Clock.currentTimeMillis) - from
    return took <= hangMillis ? took : yield* new Wrong({ message: `It took ${took} ms` })
  })

// Of the name, so that a target gets the same inputs whether or not it is the only one.
const streamOf = (name: string) => name.split("").reduce((sum, character) => sum * 31 + character.charCodeAt(0), 0)

const runOne = ({ make, name }: Making, limits: Limits): Effect.Effect<Report, never, Scope.Scope> =>
  withErrorLog((errors) =>
    Effect.gen(function*() {
      const target = yield* make
      const start = yield* Clock.currentTimeMillis
      const first = limits.first ?? 0
      let iteration = first
      let slowestMillis = 0
      let slowest: Input = []
      let find: Find | undefined
      let baseline: number | undefined
      let elapsed = 0
      const fraction = () => Math.max((iteration - first) / limits.iterations, elapsed / limits.millis)
      while (find === undefined && fraction() < 1) {
        if (baseline === undefined && fraction() >= 0.1) baseline = yield* heapBytes
        limits.watch?.(name, iteration)
        const input = target.generate(Chance.make(limits.seed, streamOf(name) + iteration))
        const from = yield* Clock.currentTimeMillis
        const result = yield* Effect.either(checked(target, input, errors, limits.hangMillis))
        const took = (yield* Clock.currentTimeMillis) - from
        if (result._tag === "Left") {
          const isStillWrong = (smaller: Input) =>
            Effect.map(
              Effect.either(checked(target, smaller, errors, limits.hangMillis)),
              ({ _tag }) => _tag === "Left"
            )
          // Hundreds of attempts at what hangs would take too long.
          const smallest = took < limits.hangMillis ? yield* shrink(input, isStillWrong) : input
          find = { target: name, iteration, message: result.left.message, input: smallest }
        } else if (result.right > slowestMillis) {
          slowestMillis = result.right
          slowest = input
        }
        iteration++
        elapsed = (yield* Clock.currentTimeMillis) - start
        // Most inputs are handled without a wait, and a timer or a signal has to have its turn, too.
        if (iteration % 64 === 0) yield* Effect.sleep(0)
      }
      const grownBytes = (yield* heapBytes) - (baseline ?? 0)
      if (find === undefined && baseline !== undefined && grownBytes > mostGrownBytes) {
        find = { target: name, iteration, message: `The heap has grown by ${grownBytes} bytes`, input: [] }
      }
      return { target: name, iterations: iteration - first, millis: elapsed, slowestMillis, slowest, grownBytes, find }
    })
  ).pipe(Effect.orDie)

/** Gives each target its inputs, one target after another, as far as the limits allow. */
export const run = (targets: ReadonlyArray<Making>, limits: Limits): Effect.Effect<ReadonlyArray<Report>> =>
  Effect.forEach(targets, (target) => Effect.scoped(runOne(target, limits)))
