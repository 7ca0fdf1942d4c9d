import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import type { Client, Session } from "./Client.js"

const sessionOf = (call: Effect.Effect<unknown, unknown>, close: () => Promise<void>): Session => ({
  one: () => Effect.runPromise(Effect.asVoid(call)),
  sequential: (milliseconds) =>
    Effect.runPromise(Effect.gen(function*() {
      const latencies: Array<number> = []
      const end = performance.now() + milliseconds
      let start = performance.now()
      while (start < end) {
        yield* call
        latencies.push(performance.now() - start)
        start = performance.now()
      }
      return latencies
    })),
  throughput: (width, milliseconds) =>
    Effect.runPromise(Effect.gen(function*() {
      const start = performance.now()
      const end = start + milliseconds
      let count = 0
      const worker = Effect.gen(function*() {
        while (performance.now() < end) {
          yield* call
          count++
        }
      })
      yield* Effect.forEach(Array.from({ length: width }), () => worker, { concurrency: "unbounded", discard: true })
      return count * 1000 / (performance.now() - start)
    })),
  burst: (count) =>
    Effect.runPromise(
      Effect.forEach(Array.from({ length: count }), () => call, { concurrency: "unbounded", discard: true })
    ),
  close
})

/** The client whose calls are effects, as a program written with Effect makes them: its fibers are not promises. */
export const clientOf = <I, S, E>(
  layer: (url: string) => Layer.Layer<I, E>,
  tag: Context.Tag<I, S>,
  call: (service: S) => Effect.Effect<unknown, unknown>
): Client => ({
  open: async (url) => {
    const scope = Effect.runSync(Scope.make())
    const context = await Effect.runPromise(Layer.buildWithScope(layer(url), scope))
    return sessionOf(call(Context.get(context, tag)), () => Effect.runPromise(Scope.close(scope, Exit.void)))
  },
  once: (url, answered) =>
    Effect.flatMap(tag, call).pipe(
      Effect.zipRight(Effect.sync(answered)),
      Effect.provide(layer(url)),
      Effect.runPromise
    )
})
