import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as CurrentChannel from "../../src/connection/CurrentChannel.js"
import type { Channel } from "../../src/connection/Link.js"
import { ConnectionFailed } from "../../src/errors/gateway.js"
import { parameters } from "../support/runs.js"
import { settled } from "../support/scriptedGateway.js"

const channel = (id: string): Channel => ({
  session: {
    id,
    agent: undefined,
    createdAt: undefined,
    serverName: undefined,
    serverVersion: undefined,
    protocolVersion: undefined
  },
  features: new Set(),
  outcomeRecord: undefined,
  isResumed: false,
  dialect: "mcp",
  request: () => Effect.never
})

const idOf = (found: Channel | undefined) => found?.session.id

const over = new ConnectionFailed({ message: "over" })

describe("CurrentChannel", () => {
  it.effect("is awaited, open, and awaited again", () =>
    Effect.gen(function*() {
      const channels = CurrentChannel.make()
      const waiting = yield* Effect.fork(channels.next)
      yield* settled
      const first = channel("first")
      channels.open(first)
      assert.strictEqual(idOf(yield* Fiber.join(waiting)), "first")
      assert.strictEqual(idOf(channels.current()), "first")
      channels.vacate(first)
      assert.strictEqual(channels.current(), undefined)
      const again = yield* Effect.fork(channels.next)
      yield* settled
      channels.open(channel("second"))
      assert.strictEqual(idOf(yield* Fiber.join(again)), "second")
    }))

  it.effect("is not lost by the late end of an older one", () =>
    Effect.sync(() => {
      const channels = CurrentChannel.make()
      const [first, second] = [channel("first"), channel("second")]
      channels.open(first)
      channels.vacate(first)
      channels.open(second)
      channels.vacate(first)
      assert.strictEqual(idOf(channels.current()), "second")
    }))

  it.effect("wakes those who wait for one that is lost again at once", () =>
    Effect.gen(function*() {
      const channels = CurrentChannel.make()
      const waiting = yield* Effect.fork(channels.next)
      yield* settled
      const first = channel("first")
      channels.open(first)
      channels.vacate(first)
      assert.strictEqual(idOf(yield* Fiber.join(waiting)), "first")
    }))

  it.effect("is over for good", () =>
    Effect.gen(function*() {
      const channels = CurrentChannel.make()
      const waiting = yield* Effect.fork(Effect.flip(channels.next))
      yield* settled
      channels.end(over)
      channels.end(new ConnectionFailed({ message: "again" }))
      channels.open(channel("late"))
      assert.strictEqual(yield* Fiber.join(waiting), over)
      assert.strictEqual(yield* Effect.flip(channels.next), over)
      assert.strictEqual(channels.current(), undefined)
    }))

  it.effect("leaves nobody waiting, whatever happens in whatever order", () => {
    const steps = FastCheck.array(FastCheck.constantFrom("open", "vacate", "vacateOld", "wait", "settle"), {
      maxLength: 30
    })
    return Effect.promise(() =>
      FastCheck.assert(
        FastCheck.asyncProperty(steps, FastCheck.boolean(), (script, endsWell) =>
          Effect.runPromise(Effect.gen(function*() {
            const channels = CurrentChannel.make()
            const opened: Array<Channel> = []
            const waiting: Array<Fiber.Fiber<Channel, unknown>> = []
            for (const step of script) {
              if (step === "open") {
                const made = channel(`${opened.length}`)
                const before = channels.current()
                channels.open(made)
                if (before === undefined) {
                  opened.push(made)
                }
              } else if (step === "vacate") {
                opened.slice(-1).forEach(channels.vacate)
              } else if (step === "vacateOld") {
                opened.slice(0, -1).forEach(channels.vacate)
              } else if (step === "wait") {
                waiting.push(yield* Effect.fork(channels.next))
              } else yield* Effect.yieldNow()
            }
            yield* settled
            if (endsWell) {
              channels.open(channel("last"))
            } else channels.end(over)
            const results = yield* Effect.forEach(waiting, (fiber) =>
              Effect.either(Fiber.join(fiber)))
            for (const result of results) {
              assert.isTrue(Either.isRight(result) || result.left === over)
            }
          }))),
        parameters(500)
      )
    )
  })
})
