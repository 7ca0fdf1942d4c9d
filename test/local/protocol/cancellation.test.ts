import { expect, layer } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HashSet from "effect/HashSet"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"
import { cancelledByCaller } from "../../../src/local/protocol/cancelledByCaller.js"
import { Sessions as SessionRecords } from "../../../src/local/store/Sessions.js"
import { until } from "../../support/deadline.js"
import { Gateway } from "../../support/gateway.js"
import { at } from "../../support/json.js"
import { post, rpc } from "../../support/rawHttp.js"
import { initialized, type RawSocket } from "../../support/rawSocket.js"
import { serveCustom } from "./customGateway.js"

const started: Array<string> = []
const interrupted: Array<string> = []
const logged: Array<string> = []

const secretOfTheInside = "the secret of the inside"

const tooMany = 16 * 1024 * 1024

const run = (text: string): Effect.Effect<string> => {
  if (text === "defect") return Effect.die(new Error(secretOfTheInside))
  if (text === "throw") return Effect.sync(() => JSON.parse(secretOfTheInside))
  if (text === "interrupt") return Effect.interrupt
  if (text.startsWith("large")) return Effect.succeed("x".repeat(Number(text.slice("large ".length))))
  if (!text.startsWith("wait")) return Effect.succeed(text)
  return Effect.zipRight(Effect.sync(() => started.push(text)), Effect.never).pipe(
    Effect.onInterrupt(() => Effect.sync(() => interrupted.push(text)))
  )
}

const gateway = Layer.scoped(Gateway, serveCustom({ run })).pipe(
  Layer.provide(Logger.add(Logger.make(({ cause, message }) => logged.push(`${String(message)} ${String(cause)}`))))
)

const request = (id: string | number, text: string) => ({
  jsonrpc: "2.0",
  id,
  method: "capabilities.invoke",
  params: { capability: "test.run", arguments: { text } }
})

const invoke = (socket: RawSocket, text: string) =>
  socket.call("capabilities.invoke", { capability: "test.run", arguments: { text } })

const cancelled = (requestId: unknown) => ({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId } })

const begun = (text: string) => until(`${text} to begin`, Effect.sync(() => started.includes(text)))

const stopped = (text: string) => until(`the end of ${text}`, Effect.sync(() => interrupted.includes(text)))

layer(gateway, { excludeTestServices: true })("cancellation", (it) => {
  it.scoped("stops the invocation, which is not answered then", () =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* Gateway)
      yield* socket.send(request(1, "wait 1"))
      yield* socket.send(request("1", "wait 1 too"))
      yield* begun("wait 1 too")
      yield* socket.send(cancelled(1))
      yield* stopped("wait 1")
      expect(yield* socket.call("ping")).toHaveProperty("result", {})
      expect(interrupted).not.toContain("wait 1 too")
    }))

  it.scoped("of something else stops nothing", () =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* Gateway)
      yield* socket.send(request(2, "wait 2"))
      yield* begun("wait 2")
      for (const id of ["2", 3, null, [2], undefined]) yield* socket.send(cancelled(id))
      const other = yield* initialized(yield* Gateway)
      yield* other.send(cancelled(2))
      yield* other.call("ping")
      yield* socket.call("ping")
      expect(interrupted).not.toContain("wait 2")
    }))

  it.scoped("frees the id", () =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* Gateway)
      yield* socket.send(request(4, "wait 4"))
      yield* begun("wait 4")
      yield* socket.send(cancelled(4))
      yield* stopped("wait 4")
      yield* socket.send(request(4, "again"))
      expect(yield* socket.receive).toMatchObject({ id: 4, result: { data: { text: "again" } } })
    }))

  it.scoped.each(["cut", "closed"])("comes with the end of a socket that is %s", (how) =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* Gateway)
      yield* socket.send(request(1, `wait ${how} 1`))
      yield* socket.send(request(2, `wait ${how} 2`))
      yield* begun(`wait ${how} 2`)
      yield* how === "cut" ? socket.cut : socket.close
      yield* stopped(`wait ${how} 1`)
      yield* stopped(`wait ${how} 2`)
    }))

  it.effect("comes with the end of an HTTP request", () =>
    Effect.gen(function*() {
      const served = yield* Gateway
      const requesting = yield* Effect.fork(post(served, request(1, "wait http")))
      yield* begun("wait http")
      yield* Fiber.interrupt(requesting)
      yield* stopped("wait http")
    }))

  it.effect("comes to the whole batch with the end of its HTTP request", () =>
    Effect.gen(function*() {
      const served = yield* Gateway
      const batch = [request(1, "quick"), request(2, "wait batch 2"), request(3, "wait batch 3")]
      const requesting = yield* Effect.fork(post(served, batch))
      yield* begun("wait batch 3")
      yield* Fiber.interrupt(requesting)
      yield* stopped("wait batch 2")
      yield* stopped("wait batch 3")
    }))

  it.scoped("comes over /rpc with a message of its own, for the requests of one session with one id", () =>
    Effect.gen(function*() {
      const served = yield* Gateway
      const create = Effect.map(rpc(served, "session.create"), (answer) => at(answer, "result", "session_id"))
      const [one, other] = [yield* create, yield* create]
      const inSession = (session_id: unknown, id: string | number, text: string) => {
        const body = request(id, text)
        return { ...body, params: { ...body.params, session_id } }
      }
      const first = yield* Effect.fork(post(served, inSession(one, 7, "wait rpc 1")))
      const second = yield* Effect.fork(
        post(served, [inSession(one, 7, "wait rpc 2"), inSession(one, 8, "wait rpc 3")])
      )
      const third = yield* Effect.fork(post(served, inSession(other, 7, "wait rpc 4")))
      for (const number of [1, 2, 3, 4]) yield* begun(`wait rpc ${number}`)
      const cancel = (params: object, key?: string) =>
        post(served, { jsonrpc: "2.0", method: "notifications/cancelled", params }, key === undefined ? {} : { key })
      const stranger = yield* served.addAgent("stranger")
      // Of another agent, without a session, with other ids, without any: none of them is about these.
      expect((yield* cancel({ requestId: 7, session_id: one }, stranger)).status).toBe(204)
      for (
        const params of [{ requestId: 7 }, { requestId: "7", session_id: one }, { session_id: one }, { requestId: 9 }]
      ) {
        expect((yield* cancel(params)).status).toBe(204)
      }
      expect((yield* cancel({ requestId: 7, session_id: one })).body).toBe("")
      yield* stopped("wait rpc 1")
      yield* stopped("wait rpc 2")
      expect((yield* Fiber.join(first)).body).toEqual({
        jsonrpc: "2.0",
        id: 7,
        error: { code: -32800, message: "The request was cancelled" }
      })
      expect(interrupted).not.toContain("wait rpc 3")
      expect(interrupted).not.toContain("wait rpc 4")
      yield* cancel({ requestId: 8, session_id: one })
      expect((yield* Fiber.join(second)).body).toMatchObject([{ id: 7, error: {} }, { id: 8, error: { code: -32800 } }])
      yield* Fiber.interrupt(third)
      yield* stopped("wait rpc 4")
    }))

  it.scoped("comes over /rpc for requests that name no session, too", () =>
    Effect.gen(function*() {
      const served = yield* Gateway
      const requesting = yield* Effect.fork(post(served, request("mine", "wait implicit")))
      yield* begun("wait implicit")
      yield* post(served, [cancelled("mine")])
      expect((yield* Fiber.join(requesting)).body).toMatchObject({ error: { code: -32800 } })
      expect(interrupted).toContain("wait implicit")
    }))

  it.scoped("is told apart from a lost connection", () =>
    Effect.gen(function*() {
      const seen: Array<readonly [text: string, isCancelled: boolean]> = []
      const custom = yield* serveCustom({
        run: (text) =>
          Effect.onExit(
            Effect.zipRight(Effect.sync(() => started.push(`${text} apart`)), Effect.never),
            (exit) => {
              const by = Exit.isFailure(exit) ? Cause.interruptors(exit.cause) : HashSet.empty()
              return Effect.sync(() => seen.push([text, HashSet.some(by, (id) => Equal.equals(id, cancelledByCaller))]))
            }
          )
      })
      const socket = yield* initialized(custom)
      for (const id of ["cancelled", "lost"]) {
        yield* socket.send(request(id, id))
        yield* begun(`${id} apart`)
      }
      const requesting = yield* Effect.fork(post(custom, request("rpc", "rpc cancelled")))
      const losing = yield* Effect.fork(post(custom, request("rpc lost", "rpc lost")))
      yield* begun("rpc cancelled apart")
      yield* begun("rpc lost apart")
      yield* socket.send(cancelled("cancelled"))
      yield* post(custom, cancelled("rpc"))
      yield* Fiber.join(requesting)
      yield* until("the cancellation", Effect.sync(() => seen.length === 2))
      yield* socket.cut
      yield* Fiber.interrupt(losing)
      yield* until("the end", Effect.sync(() => seen.length === 4))
      expect(new Map(seen)).toEqual(
        new Map([["cancelled", true], ["lost", false], ["rpc cancelled", true], ["rpc lost", false]])
      )
    }))

  it.scoped("leaves the session alone until the invocation has ended", () =>
    Effect.gen(function*() {
      const order: Array<string> = []
      const custom = yield* serveCustom({
        run: (_text, { sessionScope }) =>
          Effect.zipRight(
            Scope.addFinalizer(sessionScope, Effect.sync(() => order.push("session"))),
            Effect.sync(() => order.push("started"))
          ).pipe(
            Effect.zipRight(Effect.never),
            Effect.onInterrupt(() => Effect.sync(() => order.push("invocation")))
          )
      })
      const socket = yield* initialized(custom)
      yield* socket.send(request(1, ""))
      yield* until("the start", Effect.sync(() => order.length === 1))
      yield* socket.cut
      yield* until("the end", Effect.sync(() => order.length === 3))
      expect(order).toEqual(["started", "invocation", "session"])
    }))
})

layer(gateway, { excludeTestServices: true })("a request", (it) => {
  it.scoped("whose id is that of a running one is refused", () =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* Gateway)
      yield* socket.send(request("a", "wait a"))
      yield* begun("wait a")
      yield* socket.send(request("a", "quick"))
      expect(yield* socket.receive).toMatchObject({
        id: "a",
        error: { code: -32600, message: expect.stringContaining("already") }
      })
      expect(interrupted).not.toContain("wait a")
      yield* socket.send(cancelled("a"))
      yield* stopped("wait a")
    }))

  it.scoped("that waits blocks no other", () =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* Gateway)
      yield* socket.send(request("b", "wait b"))
      yield* begun("wait b")
      expect(yield* invoke(socket, "quick")).toMatchObject({ result: { success: true, data: { text: "quick" } } })
    }))

  it.scoped.each(["defect", "throw", "interrupt"])(
    "that a bug ends (%s) shows nothing of the inside",
    (bug) =>
      Effect.gen(function*() {
        const served = yield* Gateway
        const socket = yield* initialized(served)
        const expected = { code: -32603, message: "The gateway failed; its log says how" }
        expect(at(yield* invoke(socket, bug), "error")).toEqual(expected)
        expect(yield* invoke(socket, "still here")).toMatchObject({ result: { data: { text: "still here" } } })
        const { body, status } = yield* post(served, [request(1, bug), request(2, "too")])
        expect(status).toBe(200)
        expect(body).toEqual([
          { jsonrpc: "2.0", id: 1, error: expected },
          { jsonrpc: "2.0", id: 2, result: { success: true, data: { text: "too" } } }
        ])
        if (bug === "defect") expect(logged.some((line) => line.includes(secretOfTheInside))).toBe(true)
      })
  )

  it.scoped("whose result is too large for a message is told so", () =>
    Effect.gen(function*() {
      const served = yield* Gateway
      const socket = yield* initialized(served)
      const refusal = { error: { data: { error_type: "ResourceExhausted", context: { limit: tooMany } } } }
      expect(yield* invoke(socket, `large ${tooMany}`)).toMatchObject(refusal)
      expect((yield* post(served, request(1, `large ${tooMany}`))).body).toMatchObject(refusal)
      expect(yield* invoke(socket, `large ${tooMany - 1000}`)).toMatchObject({ result: { success: true } })
    }))
})

layer(gateway, { excludeTestServices: true })("the record of a session", (it) => {
  it.scoped("ends with its socket", () =>
    Effect.gen(function*() {
      const served = yield* Gateway
      const key = yield* served.addAgent("recorded")
      const socket = yield* initialized(served, key)
      yield* invoke(socket, "one")
      yield* invoke(socket, "two")
      yield* socket.cut
      const record = served.inStore(
        Effect.flatMap(SessionRecords, (records) => Effect.orDie(records.lastEnded("recorded")))
      )
      yield* until("the record", Effect.map(record, ({ _tag }) => _tag === "Some"))
      expect(yield* record).toMatchObject({ value: { invocations: 2, orphaned: false } })
    }))
})
