import { assert, describe, it } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { State } from "kruxos"
import { NodeGateway } from "kruxos/node"
import type { StateChange } from "kruxos/schema"
import { until } from "../support/deadline.js"
import * as FaultProxy from "../support/faultProxy.js"
import { quietly, serve, type TestGateway } from "../support/gateway.js"
import { runs } from "../support/runs.js"

const Counter = Schema.Number

const stateAt = (host: string, key: string) =>
  Effect.map(
    Layer.build(NodeGateway.layer({
      host,
      apiKey: Redacted.make(key),
      reconnect: Schedule.spaced("10 millis")
    })),
    Context.get(State)
  )

const agentsOf = (gateway: TestGateway, count: number) =>
  Effect.forEach(
    Arr.makeBy(count, (index) => `agent-${index}`),
    (name) => Effect.flatMap(gateway.addAgent(name), (key) => stateAt(gateway.url, key))
  )

const watching = <A>(changes: Stream.Stream<StateChange<A>, unknown>) =>
  Effect.gen(function*() {
    const seen: Array<StateChange<A>> = []
    yield* Effect.forkScoped(Stream.runForEach(changes, (change) => Effect.sync(() => void seen.push(change))))
    yield* until("the begin of the stream", Effect.sync(() => seen.length > 0))
    return seen
  })

/** What is known of each key after some changes. */
const outcomeOf = <A>(seen: ReadonlyArray<StateChange<A>>) => {
  const values = new Map<string, A>()
  for (const change of seen) {
    if (change._tag === "Resynced") {
      values.clear()
      for (const { key, value } of change.entries) values.set(key, value)
    } else if (Option.isSome(change.value)) values.set(change.key, change.value.value)
    else values.delete(change.key)
  }
  return values
}

/** The versions of the values of a key, in the order in which they were told. */
const versionsOf = (seen: ReadonlyArray<StateChange>, key: string) =>
  seen.flatMap((change) => change._tag === "Changed" && change.key === key && !change.deleted ? change.version : [])

const assertGrowing = (versions: ReadonlyArray<number>) =>
  assert.deepStrictEqual(versions, Arr.dedupe(versions).toSorted((one, other) => one - other))

const served = quietly(serve({ policy: "personal-permissive" }))

describe("agents that share state, over real WebSockets", () => {
  const updates = runs(500)

  it.scopedLive(
    `count to ${8 * updates}, 8 of them, without losing one`,
    () =>
      Effect.gen(function*() {
        const gateway = yield* served
        const agents = yield* agentsOf(gateway, 8)
        const watcher = yield* stateAt(gateway.url, gateway.key)
        const seen = yield* watching(watcher.shared.changes("counter", Counter, { current: true }))
        const written = yield* Effect.forEach(
          agents,
          ({ shared }) =>
            Effect.replicateEffect(
              shared.update("counter", Counter, (n) => n + 1, { initial: 0 }),
              updates
            ),
          { concurrency: "unbounded" }
        )
        const total = 8 * updates
        const { value, version } = Option.getOrThrow(yield* watcher.shared.get("counter", Counter))
        assert.strictEqual(value, total)
        // Each value was written once, by one agent, as one version, in order.
        const all = written.flat().toSorted((one, other) => one.version - other.version)
        assert.deepStrictEqual(all.map((entry) => entry.value), Arr.range(1, total))
        assert.deepStrictEqual(all.map((entry) => entry.version), Arr.range(version - total + 1, version))
        yield* until("the last value", Effect.sync(() => outcomeOf(seen).get("counter") === total))
        assertGrowing(versionsOf(seen, "counter"))
      }),
    300_000
  )
})

describe("a watcher that is cut off for a while", () => {
  const rounds = runs(20)

  it.scopedLive(
    "sees every key's last value, in order",
    () =>
      Effect.gen(function*() {
        const gateway = yield* served
        const proxy = yield* FaultProxy.make(gateway.port)
        const writer = yield* stateAt(gateway.url, yield* gateway.addAgent("writer"))
        const watcher = yield* stateAt(proxy.url, gateway.key)
        const seen = yield* watching(watcher.shared.changes("k", Counter, { current: true }))
        yield* watcher.session.set("kept", 7)
        const put = (key: string, value: number) => writer.shared.update(key, Counter, () => value, { initial: 0 })
        const keys = Arr.makeBy(12, (index) => `k${index}`)
        for (let round = 1; round <= rounds; round++) {
          // Cut off in another way each time, while much is written.
          const connection = yield* Effect.fromNullable(proxy.connections.findLast((each) => each.isOpen()))
          const kind = round % 4
          if (kind === 0) connection.cut("reset")
          if (kind === 1) connection.cut("end")
          if (kind === 2) connection.hold("toClient")
          if (kind === 3) connection.hold("toServer")
          for (let n = 0; n < 5; n++) {
            yield* Effect.forEach(keys, (key, index) => put(key, round * 1000 + n * 100 + index), { discard: true })
          }
          const removed = `k${round % 12}`
          yield* writer.shared.delete(removed)
          yield* put("k-last", round)
          connection.release("toClient")
          connection.release("toServer")
          yield* until(`the end of round ${round}`, Effect.sync(() => outcomeOf(seen).get("k-last") === round))
          const listed = yield* writer.shared.list("k")
          const now = yield* Effect.forEach(listed, ({ key }) => writer.shared.get(key, Counter))
          const expected = now.map(Option.getOrThrow).map(({ key, value }) => [key, value] as const)
          yield* until(
            `the same in round ${round}`,
            Effect.sync(() => {
              const known = outcomeOf(seen)
              return known.size === expected.length && expected.every(([key, value]) => known.get(key) === value)
            })
          )
        }
        for (const key of keys) assertGrowing(versionsOf(seen, key))
        assert.lengthOf(seen.filter(({ _tag }) => _tag === "Resynced"), 1)
        // It was one session all along.
        assert.strictEqual(Option.getOrThrow(yield* watcher.session.get("kept", Counter)).value, 7)
      }),
    120_000
  )
})
