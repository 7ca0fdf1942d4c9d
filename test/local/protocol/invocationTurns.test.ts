import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import { maximumUnanswered } from "../../../src/local/protocol/conversation.js"
import { maximumAtATime } from "../../../src/local/sessions/Sessions.js"
import { until } from "../../support/deadline.js"
import { at } from "../../support/json.js"
import { post } from "../../support/rawHttp.js"
import { initialized } from "../../support/rawSocket.js"
import { serveCustom } from "./customGateway.js"

/** A gateway whose invocations run until they are let go, in the order in which they began. */
const holding = Effect.gen(function*() {
  const begun: Array<string> = []
  const held = new Map<string, () => void>()
  const gateway = yield* serveCustom({
    run: (text) =>
      Effect.async<string>((resume) => {
        begun.push(text)
        held.set(text, () => resume(Effect.succeed(text)))
        return Effect.sync(() => held.delete(text))
      })
  })
  const letGo = (text: string) => {
    held.get(text)?.()
    held.delete(text)
  }
  return { gateway, begun, letGo, letAllGo: () => [...held.keys()].forEach(letGo) }
})

const request = (id: number, method = "capabilities.invoke") => ({
  jsonrpc: "2.0",
  id,
  method,
  params: method === "tools/call"
    ? { name: "test__run", arguments: { text: String(id) } }
    : { capability: "test.run", arguments: { text: String(id) } }
})

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index)

describe("the invocations of one session", () => {
  it.scopedLive(
    "run 256 at a time, whoever waits next in the order of asking, and nothing else waits",
    () =>
      Effect.gen(function*() {
        const { begun, gateway, letAllGo, letGo } = yield* holding
        const socket = yield* initialized(gateway)
        const other = yield* initialized(gateway)
        const count = maximumAtATime + 44
        for (const id of numbers(count)) yield* socket.send(request(id))
        yield* until("the first", Effect.sync(() => begun.length === maximumAtATime))
        expect(yield* socket.call("ping")).toHaveProperty("result", {})
        expect(yield* socket.call("capabilities.describe", { name: "test.none" })).toHaveProperty("error")
        // Another session has turns of its own.
        yield* other.send(request(9999))
        yield* until("the other session's", Effect.sync(() => begun.includes("9999")))
        expect(begun.length).toBe(maximumAtATime + 1)
        letGo("0")
        expect(yield* socket.receive).toMatchObject({ id: 0, result: { data: { text: "0" } } })
        yield* until("the next", Effect.sync(() => begun.at(-1) === String(maximumAtATime)))
        // One that waits and is cancelled leaves the queue: the one after it is next.
        yield* socket.send({
          jsonrpc: "2.0",
          method: "notifications/cancelled",
          params: { requestId: maximumAtATime + 1 }
        })
        yield* socket.call("ping")
        letGo("1")
        yield* socket.receive
        yield* until("the one after", Effect.sync(() => begun.at(-1) === String(maximumAtATime + 2)))
        const answered = new Set<unknown>([0, 1])
        // Those that wait begin whenever others end.
        yield* Effect.forkScoped(Effect.repeat(Effect.sync(letAllGo), Schedule.spaced("5 millis")))
        while (answered.size < count - 1) {
          answered.add(at(yield* socket.receive, "id"))
        }
        expect(begun).not.toContain(String(maximumAtATime + 1))
        expect(answered.has(maximumAtATime + 1)).toBe(false)
      }),
    20_000
  )

  it.scopedLive("are refused when too many wait, and end with their socket", () =>
    Effect.gen(function*() {
      const { begun, gateway } = yield* holding
      const socket = yield* initialized(gateway)
      for (const id of numbers(maximumUnanswered + 1)) yield* socket.send(request(id))
      expect(yield* socket.receive).toMatchObject({
        id: maximumUnanswered,
        error: { data: { error_type: "ResourceExhausted" } }
      })
      // Each begins when its entry is in the audit log.
      yield* until("as many as may run", Effect.sync(() => begun.length === maximumAtATime))
      yield* socket.cut
      const again = yield* initialized(gateway)
      yield* again.call("ping")
      expect(begun.length).toBe(maximumAtATime)
    }), 30_000)

  it.scopedLive("are as many over /rpc, whichever requests they come with", () =>
    Effect.gen(function*() {
      const { begun, gateway, letAllGo } = yield* holding
      const inOneBody = 16
      const bodies = numbers(maximumAtATime / inOneBody + 2)
      const posts = yield* Effect.forEach(bodies, (body) => {
        const ids = numbers(inOneBody).map((number) => body * inOneBody + number)
        return Effect.fork(post(gateway, ids.map((id) => request(id, id % 2 === 0 ? undefined : "tools/call"))))
      })
      yield* until("the first", Effect.sync(() => begun.length === maximumAtATime))
      expect((yield* post(gateway, request(0, "ping"))).status).toBe(200)
      expect(begun.length).toBe(maximumAtATime)
      yield* until(
        "the rest",
        Effect.sync(() => {
          letAllGo()
          return begun.length === bodies.length * inOneBody
        })
      )
      letAllGo()
      yield* Fiber.joinAll(posts)
    }), 20_000)
})
