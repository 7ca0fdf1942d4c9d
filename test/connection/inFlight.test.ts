import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import type { Link } from "../../src/connection/Link.js"
import { ConnectionFailed } from "../../src/errors/gateway.js"
import { at } from "../support/json.js"
import { parameters } from "../support/runs.js"
import {
  type Asked,
  initialized,
  make,
  native,
  requests,
  type ServerSide,
  settled
} from "../support/scriptedGateway.js"
import { call, direct, failureOf, linkTo, started } from "./linkSupport.js"

const nobody = new ConnectionFailed({ message: "nobody there" })

const silent = initialized()

const silentNative = initialized(undefined, native)

const later = (duration: number) => Effect.zipRight(TestClock.adjust(duration), settled)

const unsettled = <A>(fiber: Fiber.Fiber<A>) => Effect.map(Fiber.poll(fiber), Option.isNone)

describe("maxInFlight", () => {
  it.scoped("makes further calls wait, and sends them in order", () =>
    Effect.gen(function*() {
      const gateway = make(silent)
      const link = yield* linkTo(gateway, { maxInFlight: 2 })
      const server = gateway.connections[0]
      const fibers = yield* Effect.forEach(["a", "b", "c", "d"], (method) => started(call(link, { method })))
      assert.deepStrictEqual(requests(server).map(({ method }) => method), ["a", "b"])
      server?.answer(requests(server, "b")[0]?.id ?? 0, "b")
      yield* settled
      assert.deepStrictEqual(requests(server).map(({ method }) => method), ["a", "b", "c"])
      yield* Fiber.interruptAll(fibers.slice(0, 1))
      yield* settled
      assert.deepStrictEqual(requests(server).map(({ method }) => method), ["a", "b", "c", "d"])
    }))

  it.scoped("does not make anybody wait beyond the deadline", () =>
    Effect.gen(function*() {
      const gateway = make(silent)
      const link = yield* linkTo(gateway, { maxInFlight: 1 })
      const first = yield* started(call(link, { timeoutMillis: 60_000 }))
      const second = yield* started(call(link, { timeoutMillis: 1000 }))
      yield* later(1000)
      const failure = yield* failureOf(second)
      assert.strictEqual(failure._tag, "GatewayTimeout")
      assert.match("message" in failure ? failure.message : "", /was not sent/)
      assert.isTrue(yield* unsettled(first))
      assert.strictEqual(requests(gateway.connections[0]).length, 1)
    }))

  it.scoped("lets a call that waited for its turn have an answer after that timer has been set", () =>
    Effect.gen(function*() {
      const gateway = make(silent)
      const link = yield* linkTo(gateway, { maxInFlight: 1 })
      const first = yield* started(call(link, { method: "first" }))
      const second = yield* started(call(link, { method: "second", timeoutMillis: 3000 }))
      yield* later(1000)
      const server = gateway.connections[0]
      server?.answer(requests(server, "first")[0]?.id ?? 0, 1)
      yield* settled
      yield* later(1999)
      server?.answer(requests(server, "second")[0]?.id ?? 0, 2)
      assert.deepStrictEqual(yield* Fiber.join(first), Either.right(1))
      assert.deepStrictEqual(yield* Fiber.join(second), Either.right(2))
    }))

  it.scoped("is not used up by calls that are interrupted in any state", () =>
    Effect.gen(function*() {
      const gateway = make(silent, nobody, silent)
      const link = yield* linkTo(gateway, { maxInFlight: 1 })
      for (let index = 0; index < 5; index++) {
        const [sent, queued] = [yield* started(call(link)), yield* started(call(link))]
        yield* Fiber.interrupt(queued)
        yield* Fiber.interrupt(sent)
      }
      gateway.connections[0]?.close()
      yield* settled
      const waiting = yield* started(call(link))
      yield* Fiber.interrupt(waiting)
      yield* later(1000)
      const last = yield* started(call(link, { method: "last" }))
      gateway.connections[1]?.answer(requests(gateway.connections[1], "last")[0]?.id ?? 0, "answered")
      assert.deepStrictEqual(yield* Fiber.join(last), Either.right("answered"))
    }))
})

describe("whatever happens in whatever order", () => {
  const starts = ["call", "callSafe", "direct", "directSafe"] as const

  const step = FastCheck.constantFrom(...starts, "answer", "close", "wait", "interrupt", "settle", "yield")

  const isStart = (each: string): each is typeof starts[number] => starts.some((start) => start === each)

  // A direct call that has to go on asks for its name as every other does.
  const start = (link: Link, each: typeof starts[number], name: string) => {
    const options = { operation: name, replayable: each.endsWith("Safe") }
    return each.startsWith("call")
      ? call(link, { ...options, method: name })
      : direct(
        link,
        options,
        (given, over) => over(given, (channel, timeoutMillis) => channel.request(name, {}, timeoutMillis))
      )
  }

  it(
    "every call settles, with an answer of its own or an error, and only safe ones are sent twice",
    () =>
      FastCheck.assert(
        FastCheck.asyncProperty(FastCheck.array(step, { maxLength: 40 }), FastCheck.nat(3), (script, failing) => {
          const test = Effect.gen(function*() {
            const scope = yield* Scope.make()
            const steps = Array.from({ length: 40 }, (_, index) => index % 4 < failing ? nobody : silentNative)
            const gateway = make(silentNative, ...steps)
            const link = yield* Scope.extend(linkTo(gateway, { maxInFlight: 3 }), scope)
            const calls: Array<
              { readonly name: string; readonly fiber: Fiber.Fiber<Either.Either<unknown, unknown>> }
            > = []
            const interrupted = new Set<string>()
            const nameOf = ({ method, params }: Asked) => method === "m" ? at(params, "of") : method
            const everyRequest = () =>
              gateway.connections.flatMap((server) => requests(server).map((asked) => ({ server, asked })))
            const answerOldest = (server: ServerSide) => {
              const [oldest] = requests(server)
              if (oldest !== undefined) server.answer(oldest.id, nameOf(oldest))
            }
            for (const each of script) {
              if (isStart(each)) {
                const name = `${each}-${calls.length}`
                const fiber = yield* Effect.fork(Effect.either(start(link, each, name)))
                calls.push({ name, fiber })
              } else if (each === "answer") gateway.connections.forEach(answerOldest)
              else if (each === "close") gateway.connections.at(-1)?.close()
              else if (each === "wait") yield* later(700)
              else if (each === "yield") yield* Effect.yieldNow()
              else if (each === "settle") yield* settled
              else {
                const last = calls.at(-1)
                if (last === undefined) continue
                interrupted.add(last.name)
                yield* Fiber.interruptFork(last.fiber)
              }
            }
            yield* settled
            yield* later(10_000)
            for (const { fiber, name } of calls) {
              const exit = yield* Effect.flatMap(Fiber.poll(fiber), Effect.orElseFail(() => new Error(`${name} hangs`)))
              if (Exit.isFailure(exit)) assert.isTrue(interrupted.has(name))
              else if (Either.isRight(exit.value)) assert.strictEqual(exit.value.right, name)
              const sent = everyRequest().filter(({ asked }) => nameOf(asked) === name).length
              assert.isAtMost(sent, name.includes("Safe") ? 2 : 1)
            }
            yield* Scope.close(scope, Exit.void)
          })
          return Effect.runPromise(Effect.provide(test, TestContext.TestContext))
        }),
        parameters(200)
      ),
    120_000
  )
})
