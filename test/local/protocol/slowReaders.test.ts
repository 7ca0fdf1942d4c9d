import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { Heartbeat } from "../../../src/local/protocol/conversation.js"
import { until } from "../../support/deadline.js"
import type { TestGateway } from "../../support/gateway.js"
import { at } from "../../support/json.js"
import { withLogs } from "../../support/logs.js"
import { initialized, type RawSocket } from "../../support/rawSocket.js"
import { serveCustom } from "./customGateway.js"

const mebibyte = 1024 * 1024

const interval = Duration.millis(400)

/** A gateway that asks its clients for a sign of life often, and says how many bytes of answer its agents want. */
const gateway = (onEnd: (text: string) => void = () => {}, heartbeat = interval) =>
  serveCustom({
    run: (text) => {
      // All have been asked for by the time that the first is there.
      if (text !== "wait") return Effect.delay(Effect.sync(() => "x".repeat(Number(text))), "200 millis")
      return Effect.ensuring(Effect.never, Effect.sync(() => onEnd(text)))
    }
  }).pipe(Effect.provideService(Heartbeat, heartbeat))

const asksFor = (socket: RawSocket, id: unknown, text: string) =>
  socket.send({
    jsonrpc: "2.0",
    id,
    method: "capabilities.invoke",
    params: { capability: "test.run", arguments: { text } }
  })

/** Asks for more than the gateway holds before it stops reading, and less than what it ends a connection for. */
const clog = (served: TestGateway, answers: number) =>
  Effect.gen(function*() {
    const socket = yield* initialized(served)
    yield* socket.pause
    for (let id = 0; id < answers; id++) yield* asksFor(socket, id, String(8 * mebibyte))
    return socket
  })

describe("a client that reads slowly", () => {
  it.scopedLive("lives as long as it reads, and gets everything", () =>
    Effect.gen(function*() {
      const socket = yield* clog(yield* gateway(), 8)
      // Much longer than two intervals, in which none of its pongs can be heard.
      const sips = Effect.zipRight(socket.resume, Effect.delay(socket.pause, "1 millis"))
      yield* Effect.repeat(sips, Schedule.spaced("150 millis").pipe(Schedule.upTo("3 seconds")))
      yield* socket.resume
      const ids: Array<unknown> = []
      while (ids.length < 8) {
        const answer = yield* socket.receive
        expect(String(at(answer, "result", "data", "text")).length).toBe(8 * mebibyte)
        ids.push(at(answer, "id"))
      }
      expect(new Set(ids).size).toBe(8)
      expect(yield* socket.call("ping")).toHaveProperty("result", {})
    }), 20_000)
})

describe("a client that never reads", () => {
  it.scopedLive(
    "is ended within a few intervals, with what runs for it, and no other is",
    () =>
      withLogs((logs) =>
        Effect.gen(function*() {
          const ended: Array<string> = []
          const served = yield* gateway((text) => ended.push(text))
          const other = yield* initialized(served)
          const socket = yield* initialized(served)
          yield* asksFor(socket, "waiting", "wait")
          yield* socket.pause
          for (let id = 0; id < 8; id++) yield* asksFor(socket, id, String(8 * mebibyte))
          yield* until("the end of the session", Effect.sync(() => ended.length === 1))
          yield* socket.resume
          expect(yield* socket.closed).toMatchObject({ code: 1006 })
          expect(yield* other.call("ping")).toHaveProperty("result", {})
          expect(logs.filter((log) => log.includes("Agent agent is disconnected: no sign of life within 400ms")))
            .toHaveLength(1)
        })
      ),
    20_000
  )

  it.scopedLive(
    "is cut off, also when not even the reason can be told to it",
    () =>
      withLogs((logs) =>
        Effect.gen(function*() {
          const ended: Array<string> = []
          const served = yield* gateway((text) => ended.push(text), Duration.minutes(1))
          const socket = yield* initialized(served)
          yield* asksFor(socket, "waiting", "wait")
          yield* socket.pause
          for (let id = 0; id < 24; id++) yield* asksFor(socket, id, String(8 * mebibyte))
          yield* until("the end of what runs", Effect.sync(() => ended.length === 1))
          yield* Effect.sleep("5500 millis")
          yield* socket.resume
          expect(yield* socket.closed).toMatchObject({ code: 1006 })
          expect(logs.filter((log) => /Agent agent is cut off: it has left 1\d{8} bytes/.test(log))).toHaveLength(1)
        })
      ),
    20_000
  )
})
