import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scheduler from "effect/Scheduler"
import { fact } from "../../../src/local/audit/facts.js"
import * as EventId from "../../../src/local/supervision/EventId.js"
import * as Ring from "../../../src/local/supervision/Ring.js"
import {
  type Cursor,
  type EventFilter,
  layer,
  Supervision,
  type SupervisionService
} from "../../../src/local/supervision/Supervision.js"
import type { SupervisionEvent } from "../../../src/local/supervision/SupervisionEvent.js"
import { at } from "../../support/json.js"
import { parameters } from "../../support/runs.js"

const withBounds = (events: number) => Effect.provide(layer({ events, bytes: 32 * 1024 * 1024 }))

const eventOf = (number: number, agent: string | null = "agent", type = "capability_invoked"): SupervisionEvent => ({
  type,
  timestamp: DateTime.unsafeMake(1_700_000_000_000 + number),
  agent,
  session_id: `ses-${number % 2}`,
  data: { number }
})

const numberIn = (json: string): number => {
  const event: unknown = JSON.parse(json)
  return Number(at(event, "data", "number"))
}

const cursorOf = (supervision: SupervisionService, filter: EventFilter = {}, behind?: string) =>
  supervision.cursor(Option.fromNullable(behind), filter)

/** All that there is for a reader now. */
const takeAll = (cursor: Cursor) => {
  const seen: Array<number> = []
  let lost = 0
  while (!cursor.isAtEnd()) {
    const batch = cursor.take()
    lost += batch.lost
    seen.push(...batch.events.map(({ json }) => numberIn(json)))
  }
  return { seen, lost }
}

describe("the last events", () => {
  it("are read by each reader in order and once, and what a reader was too slow for is counted", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.integer({ min: 1, max: 40 }),
        FastCheck.array(
          FastCheck.oneof(
            { weight: 3, arbitrary: FastCheck.record({ tell: FastCheck.integer({ min: 1, max: 30 }) }) },
            { weight: 2, arbitrary: FastCheck.record({ read: FastCheck.nat(2) }) },
            { weight: 1, arbitrary: FastCheck.record({ resume: FastCheck.nat(2) }) }
          ),
          { maxLength: 60 }
        ),
        (size, steps) =>
          Effect.runSync(
            Effect.gen(function*() {
              const supervision = yield* Supervision
              const cursors = yield* Effect.all([cursorOf(supervision), cursorOf(supervision), cursorOf(supervision)])
              const readers = cursors.map((cursor) => ({ cursor, lost: 0, expected: 1 }))
              let told = 0
              const read = (reader: typeof readers[number]) => {
                const { events, lost } = reader.cursor.take()
                assert.strictEqual(lost, Math.max(0, told - size - (reader.expected - 1)))
                reader.lost += lost
                reader.expected += lost
                for (const { json, number } of events) {
                  assert.strictEqual(number, reader.expected++)
                  assert.strictEqual(numberIn(json), number)
                }
              }
              for (const step of steps) {
                if ("tell" in step) {
                  for (let i = 0; i < step.tell; i++) supervision.tell(eventOf(++told))
                  continue
                }
                const reader = readers["read" in step ? step.read : step.resume]
                if (reader === undefined) return assert.fail("there is no such reader")
                if ("read" in step) {
                  read(reader)
                  continue
                }
                const resumed = yield* Effect.either(cursorOf(supervision, {}, reader.cursor.position()))
                if (resumed._tag === "Right") reader.cursor = resumed.right
                else assert.isBelow(reader.expected, told - size + 1)
              }
              for (const reader of readers) {
                while (!reader.cursor.isAtEnd()) read(reader)
                assert.strictEqual(reader.expected, told + 1)
              }
            }).pipe(withBounds(size))
          )
      ),
      parameters(1000)
    )
  })

  it.effect("are let through by agent, session and type", () =>
    Effect.gen(function*() {
      const supervision = yield* Supervision
      const filters: ReadonlyArray<EventFilter> = [
        {},
        { agent: "a" },
        { types: new Set(["x", "y"]) },
        { session: "ses-1" },
        { agent: "a", types: new Set(["x"]), session: "ses-0" },
        { agent: "nobody" }
      ]
      const cursors = yield* Effect.forEach(filters, (filter) => cursorOf(supervision, filter))
      const told = [
        eventOf(1, "a", "x"),
        eventOf(2, "a", "x"),
        eventOf(3, "b", "y"),
        eventOf(4, null, "z"),
        eventOf(5, "a", "z")
      ]
      for (const event of told) supervision.tell(event)
      assert.deepStrictEqual(cursors.map((cursor) => takeAll(cursor).seen), [
        [1, 2, 3, 4, 5],
        [1, 2, 5],
        [1, 2, 3],
        [1, 3, 5],
        [2],
        []
      ])
      for (const cursor of cursors) assert.strictEqual(cursor.position(), supervision.newest())
    }).pipe(withBounds(100)))

  it.effect("are of one gateway, and known for a while", () =>
    Effect.gen(function*() {
      const supervision = yield* Supervision
      const atFirst = supervision.newest()
      assert.match(atFirst, /^[0-9a-f]{12}-0$/)
      for (let number = 1; number <= 13; number++) supervision.tell(eventOf(number))
      const idOf = (number: number) => atFirst.replace(/0$/, String(number))
      assert.strictEqual(supervision.newest(), idOf(13))
      assert.deepStrictEqual(takeAll(yield* cursorOf(supervision, {}, idOf(10))).seen, [11, 12, 13])
      assert.lengthOf(takeAll(yield* cursorOf(supervision, {}, idOf(3))).seen, 10)
      assert.deepStrictEqual(takeAll(yield* cursorOf(supervision, {}, idOf(13))).seen, [])
      for (const number of [0, 2, 14, 999_999]) {
        const error = yield* Effect.flip(cursorOf(supervision, {}, idOf(number)))
        assert.deepInclude(error, { _tag: "EventExpired", reason: "out-of-window", newest: idOf(13) })
      }
      const other = yield* Effect.provide(Effect.map(Supervision, ({ newest }) => newest()), layer())
      const error = yield* Effect.flip(cursorOf(supervision, {}, other))
      assert.deepInclude(error, { _tag: "EventExpired", reason: "other-gateway" })
      for (const id of ["", "1", "-1", `${atFirst}x`, idOf(-1), idOf(1.5), ` ${atFirst}`, "é".repeat(9999)]) {
        assert.strictEqual((yield* Effect.flip(cursorOf(supervision, {}, id)))._tag, "InvalidEventId")
      }
    }).pipe(withBounds(10)))

  it("take no more bytes than they may, and the newest is always there", () => {
    const ring = Ring.make({ events: 1000, bytes: 50_000 })
    for (let number = 1; number <= 500; number++) {
      ring.add(fact(number, "invocation_started", { agent: "a", capability: "c" }, {}, JSON.stringify("x".repeat(900))))
      if (number % 3 === 0) ring.get(ring.newest())
      assert.isAtMost(ring.bytes(), 50_000 + 4000)
      assert.isDefined(ring.get(ring.newest()))
      assert.isUndefined(ring.get(ring.oldest() - 1))
      assert.isDefined(ring.get(ring.oldest()))
    }
    assert.isBelow(ring.newest() - ring.oldest(), 50)
    ring.add(fact(1, "invocation_started", { agent: "a" }, {}, JSON.stringify("x".repeat(100_000))))
    assert.strictEqual(ring.oldest(), ring.newest())
    assert.isDefined(ring.get(ring.newest()))
    ring.add(eventOf(1))
    assert.strictEqual(ring.oldest(), ring.newest())
    assert.isBelow(ring.bytes(), 1000)
  })

  it.effect("wake all who wait for them, and nobody is woken without a reason", () =>
    Effect.gen(function*() {
      const supervision = yield* Supervision
      const cursor = yield* cursorOf(supervision)
      let woken = 0
      const waiting = Effect.zipRight(
        supervision.changed(() => !cursor.isAtEnd()),
        Effect.sync(() => {
          woken++
        })
      )
      const fibers = yield* Effect.all([Effect.fork(waiting), Effect.fork(waiting), Effect.fork(waiting)])
      yield* Effect.yieldNow()
      assert.strictEqual(woken, 0)
      supervision.tell(eventOf(1))
      yield* Fiber.joinAll(fibers)
      assert.strictEqual(woken, 3)
      yield* waiting
      assert.strictEqual(woken, 4)
      cursor.take()
      const last = yield* Effect.fork(waiting)
      yield* Effect.yieldNow()
      assert.strictEqual(woken, 4)
      supervision.nudge()
      yield* Fiber.join(last)
      assert.strictEqual(woken, 5)
    }).pipe(withBounds(10)))

  it.effect("wake a reader however its looks fall between the waits of others", () =>
    Effect.gen(function*() {
      const supervision = yield* Supervision
      // The fiber that waits lets others run once, after so many of its steps.
      for (let steps = 1; steps < 12; steps++) {
        const one = yield* cursorOf(supervision)
        const other = yield* cursorOf(supervision)
        let left = steps
        const scheduler: Scheduler.Scheduler = {
          shouldYield: () => --left === 0 ? 0 : false,
          scheduleTask: (task, priority) => Scheduler.defaultScheduler.scheduleTask(task, priority)
        }
        const waiting = yield* supervision.changed(() => !one.isAtEnd()).pipe(
          Effect.withScheduler(scheduler),
          Effect.fork
        )
        const next = yield* Effect.fork(Effect.suspend(() => {
          supervision.tell(eventOf(steps))
          other.take()
          return supervision.changed(() => !other.isAtEnd())
        }))
        yield* Effect.yieldNow().pipe(Effect.repeatN(20))
        assert.isTrue(Option.isSome(yield* Fiber.poll(waiting)), `after ${steps} steps`)
        yield* Fiber.interrupt(next)
      }
    }).pipe(withBounds(1000)))
})

describe("the id of an event", () => {
  it("is read as it was written", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.stringMatching(/^[0-9a-f]{12}$/), FastCheck.nat(), (gateway, number) => {
        assert.deepStrictEqual(EventId.parse(EventId.print({ gateway, number })), Option.some({ gateway, number }))
      }),
      parameters(1000)
    )
    FastCheck.assert(
      FastCheck.property(FastCheck.string(), (text) => {
        assert.isTrue(Option.isNone(Option.filter(EventId.parse(text), (id) => EventId.print(id) !== text)))
      }),
      parameters(1000)
    )
  })
})
