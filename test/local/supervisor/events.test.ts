import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { connect, type Socket } from "node:net"
import { Methods } from "../../../src/local/protocol/methods.js"
import { Sessions } from "../../../src/local/sessions/Sessions.js"
import { Agents } from "../../../src/local/store/Agents.js"
import { Supervision } from "../../../src/local/supervision/Supervision.js"
import { Heartbeat, mostStreams } from "../../../src/local/supervisor/events.js"
import { until, within } from "../../support/deadline.js"
import { keptMemory } from "../../support/garbage.js"
import { quietly, type TestGateway } from "../../support/gateway.js"
import { at, textAt } from "../../support/json.js"
import { rpc } from "../../support/rawHttp.js"
import { asSupervisor } from "../../support/supervisor.js"
import { type CustomOptions, serveCore } from "../protocol/customGateway.js"
import { readEvents, type Received } from "./eventReader.js"

const serve = (options: CustomOptions = {}) =>
  Effect.map(serveCore(options), ({ gateway, services }) => {
    const supervision = Context.get(services, Supervision)
    let told = 0
    /** Tells of so many more, numbered 1, 2, 3 … */
    const tell = (count: number, more: object = {}) => {
      for (let i = 0; i < count; i++) {
        supervision.tell({
          type: "test",
          timestamp: DateTime.unsafeMake(0),
          agent: "agent",
          data: { number: ++told, ...more }
        })
      }
    }
    return { gateway, services, supervision, tell }
  })

const numbersOf = (events: ReadonlyArray<Received>) => events.map(({ event }) => Number(at(event, "data", "number")))

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)

const typesOf = (events: ReadonlyArray<Received>) => events.map(({ type }) => type)

/** A reader that can stop reading: its socket, paused, after the head of the answer. */
const stalledReader = ({ port, supervisorToken }: TestGateway): Effect.Effect<Socket, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<Socket>((resume) => {
      const socket = connect(port, "127.0.0.1", () => {
        socket.write(
          `GET /api/events HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nauthorization: Bearer ${supervisorToken}\r\n\r\n`
        )
      })
      socket.on("error", () => socket.destroy())
      socket.once("data", () => {
        socket.pause()
        resume(Effect.succeed(socket))
      })
    }),
    (socket) => Effect.sync(() => socket.destroy())
  ).pipe(within("the head of the stream"))

describe("the stream of events", () => {
  it.scopedLive("tells all readers what happens, each what it asked for", () =>
    Effect.gen(function*() {
      const { gateway } = yield* serve()
      const other = yield* gateway.addAgent("other")
      const everything = yield* readEvents(gateway)
      const filtered = yield* readEvents(gateway, "?agent=other&type=capability_result,session_started")
      assert.strictEqual(everything.status, 200)
      assert.strictEqual(everything.headers.get("content-type"), "text/event-stream")
      assert.strictEqual(everything.headers.get("cache-control"), "no-store")
      const newest = everything.headers.get("x-kruxos-newest-event")
      assert.match(newest ?? "", /^[0-9a-f]{12}-0$/)
      yield* until("the beginning", Effect.sync(() => everything.text().includes("\n\n")))
      assert.strictEqual(everything.text(), `retry: 1000\n: newest ${newest}\nid: ${newest}\n\n`)

      for (const key of [gateway.key, other]) {
        yield* rpc(gateway, "capabilities.invoke", { capability: "system.time", arguments: {} }, key)
      }
      const all = yield* everything.atLeast(6)
      const oneAgents = ["session_started", "capability_invoked", "capability_result"]
      assert.deepStrictEqual(typesOf(all), [...oneAgents, ...oneAgents])
      assert.deepStrictEqual(all.map(({ id }) => id), range(1, 6).map((number) => newest?.replace(/0$/, `${number}`)))
      for (const { event, type } of all) assert.strictEqual(at(event, "type"), type)
      const [first, second] = yield* filtered.atLeast(2)
      assert.deepInclude(first?.event, { type: "session_started", agent: "other" })
      assert.deepInclude(second?.event, { type: "capability_result", agent: "other" })

      const session = textAt(first?.event, "session_id")
      const ofSession = yield* readEvents(gateway, `?session=${session}&last_event_id=${newest}`)
      assert.deepStrictEqual(typesOf(yield* ofSession.atLeast(3)), oneAgents)
      assert.deepStrictEqual(filtered.events().length, 2)
    }))

  it.scopedLive("goes on where a reader was cut off, without a gap or a repetition", () =>
    Effect.gen(function*() {
      const { gateway, tell } = yield* serve()
      const first = yield* readEvents(gateway)
      tell(25)
      const seen = [...(yield* first.atLeast(25))]
      yield* first.close
      tell(1000)
      const second = yield* readEvents(gateway, "", { "last-event-id": seen.at(-1)?.id ?? "" })
      tell(10)
      seen.push(...(yield* second.atLeast(1010)))
      yield* second.close
      const third = yield* readEvents(gateway, `?last_event_id=${seen.at(-1)?.id}`)
      tell(5)
      seen.push(...(yield* third.atLeast(5)))
      assert.deepStrictEqual(numbersOf(seen), range(1, 1040))
      // The header is what a browser sends by itself: it is newer than the address.
      const fourth = yield* readEvents(gateway, `?last_event_id=${seen[0]?.id}`, {
        "last-event-id": seen.at(-2)?.id ?? ""
      })
      assert.deepStrictEqual(numbersOf(yield* fourth.atLeast(1)), [1040])
    }))

  it.scopedLive("is resumed only where it is known what came after", () =>
    Effect.gen(function*() {
      const { gateway, supervision, tell } = yield* serve({ events: { events: 10, bytes: 1_000_000 } })
      const earlier = yield* Effect.scoped(Effect.map(serve(), ({ supervision }) => supervision.newest()))
      const first = supervision.newest()
      tell(11)
      const idOf = (number: number) => first.replace(/0$/, String(number))
      for (const id of [earlier, first, idOf(12)]) {
        for (
          const answer of [
            yield* asSupervisor(gateway, `/events?last_event_id=${id}`),
            yield* asSupervisor(gateway, "/events", { headers: { "last-event-id": id } })
          ]
        ) {
          assert.strictEqual(answer.status, 410)
          assert.strictEqual(at(answer.body, "newest"), idOf(11))
          assert.isNotEmpty(textAt(answer.body, "error"))
        }
      }
      assert.deepStrictEqual(
        numbersOf(yield* (yield* readEvents(gateway, `?last_event_id=${idOf(1)}`)).atLeast(10)),
        range(2, 11)
      )
      for (const id of ["nonsense", "1", `${first}-1`, ""]) {
        assert.strictEqual((yield* asSupervisor(gateway, `/events?last_event_id=${id}`)).status, 400, id)
      }
    }))

  it.scopedLive("is refused to whoever may not read it, and to what makes no sense", () =>
    Effect.gen(function*() {
      const { gateway } = yield* serve()
      const answers = {
        401: [{ token: null }, { token: "krx_user_x" }],
        403: [
          { token: gateway.key },
          { headers: { origin: "https://example.org" } },
          { headers: { origin: "null" } }
        ],
        405: [{ method: "POST" }, { method: "DELETE" }]
      }
      for (const [status, all] of Object.entries(answers)) {
        for (const options of all) {
          assert.strictEqual((yield* asSupervisor(gateway, "/events", options)).status, Number(status))
        }
      }
      for (const query of ["?type=A", "?type=a,,b", "?agent=a%20b", "?session=a/b", "?agent=a&agent=b", "?since=1"]) {
        assert.strictEqual((yield* asSupervisor(gateway, `/events${query}`)).status, 400, query)
      }
      assert.strictEqual((yield* asSupervisor(gateway, "/events/1")).status, 404)
    }))

  it.scopedLive("says that it is still there, and how far it has come", () =>
    Effect.gen(function*() {
      const { gateway, supervision, tell } = yield* serve().pipe(
        Effect.provideService(Heartbeat, Duration.millis(50))
      )
      const reader = yield* readEvents(gateway, "?type=nothing_of_this")
      tell(3)
      yield* until(
        "a sign of life",
        Effect.sync(() => reader.text().includes(`: still here\nid: ${supervision.newest()}\n\n`))
      )
      assert.isEmpty(reader.events())
    }))

  it.scopedLive("loses nothing of 10,000 events at full speed, however many read", () =>
    Effect.gen(function*() {
      const { gateway, services } = yield* serve()
      const readers = yield* Effect.all([readEvents(gateway), readEvents(gateway), readEvents(gateway)])
      const agent = Option.getOrThrow(yield* Context.get(services, Agents).get("agent"))
      const session = yield* Context.get(services, Sessions).open(agent, { transport: "memory" })
      const { call } = Context.get(services, Methods)
      yield* Effect.forEach(
        range(1, 5000),
        () => call(session, "capabilities.invoke", { capability: "system.time", arguments: {} }),
        { concurrency: 64, discard: true }
      )
      for (const reader of readers) {
        const events = yield* reader.atLeast(10_001)
        assert.deepStrictEqual(
          events.map(({ id }) => Number(id?.split("-")[1])),
          range(1, 10_001)
        )
        const counts = new Map<string, number>()
        for (const { type } of events) counts.set(type, (counts.get(type) ?? 0) + 1)
        assert.deepStrictEqual(Object.fromEntries(counts), {
          session_started: 1,
          capability_invoked: 5000,
          capability_result: 5000
        })
      }
    }).pipe(Effect.orDie, quietly), 60_000)

  it.scopedLive(
    "costs the gateway nothing where nobody reads on, and says how many events that reader lost",
    () =>
      Effect.gen(function*() {
        const { gateway, tell } = yield* serve({ events: { events: 1000, bytes: 10_000_000 } })
        const socket = yield* stalledReader(gateway)
        const quick = yield* readEvents(gateway)
        const text = "x".repeat(1000)
        const before = yield* keptMemory
        const all = 40_000
        for (let i = 0; i < all / 500; i++) {
          tell(500, { text })
          yield* quick.atLeast((i + 1) * 500)
        }
        // Of 40 MB the reader took what the sockets hold, and the gateway keeps its 1,000 events.
        assert.isBelow(socket.bytesRead, 20_000_000)
        assert.isBelow((yield* keptMemory).external - before.external, 20_000_000)
        assert.deepStrictEqual(numbersOf(quick.events()), range(1, all))

        const pieces: Array<string> = []
        socket.on("data", (piece) => pieces.push(piece.toString("latin1")))
        socket.resume()
        yield* until("the newest", Effect.sync(() => pieces.slice(-2).join("").includes(`"number":${all},`)))
        const raw = pieces.join("")
        const events = [...raw.matchAll(/data: (\{.*\})\n/g)].map(([, json]): unknown => JSON.parse(json ?? ""))
        const lost = events
          .filter((event) => at(event, "type") === "events_lost")
          .map((event) => Number(at(event, "data", "count")))
        const numbers = events.filter((event) => at(event, "type") === "test").map((event) =>
          at(event, "data", "number")
        )
        assert.isAtLeast(lost.length, 1)
        assert.strictEqual(lost.reduce((sum, count) => sum + count, 0) + numbers.length, all)
        assert.deepStrictEqual(numbers.slice(-1000), range(all - 999, all))
      }),
    60_000
  )

  it.scopedLive("is open to 64 readers, and to another one when one of them has gone", () =>
    Effect.gen(function*() {
      const { gateway } = yield* serve()
      const readers = yield* Effect.forEach(range(1, mostStreams), () => readEvents(gateway), { concurrency: 8 })
      assert.deepStrictEqual(new Set(readers.map(({ status }) => status)), new Set([200]))
      const refused = yield* asSupervisor(gateway, "/events")
      assert.strictEqual(refused.status, 503)
      assert.isNotNull(refused.headers.get("retry-after"))
      yield* readers[7]?.close ?? Effect.void
      yield* until(
        "a free place",
        Effect.scoped(Effect.map(readEvents(gateway), ({ status }) => status === 200))
      )
    }))

  it.scopedLive(
    "ends when the gateway does, also where nobody reads on, and does not hold it up",
    () =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const { gateway, tell } = yield* Scope.extend(serve({ gracePeriod: "30 seconds" }), scope)
        const readers = yield* Effect.all([readEvents(gateway), readEvents(gateway)])
        const stalled = yield* stalledReader(gateway)
        tell(20_000, { text: "x".repeat(500) })
        yield* Effect.forEach(readers, (reader) => reader.atLeast(20_000))
        const [duration] = yield* Effect.timed(Scope.close(scope, Exit.void)).pipe(within("the end", "20 seconds"))
        assert.isBelow(Duration.toMillis(duration), 3000)
        yield* until("the ends of all", Effect.sync(() => readers.every(({ hasEnded }) => hasEnded())))
        stalled.resume()
        yield* until("the end of the stalled one", Effect.sync(() => stalled.destroyed))
      }),
    40_000
  )
})
