import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as net from "node:net"
import * as LocalGateway from "../../../src/local/LocalGateway.js"
import { Sessions as SessionRecords } from "../../../src/local/store/Sessions.js"
import { until, within } from "../../support/deadline.js"
import { folders, quietly, serve, testGateway } from "../../support/gateway.js"
import { post, rpc } from "../../support/rawHttp.js"
import { connect, initialized } from "../../support/rawSocket.js"
import { serveCustom } from "./customGateway.js"

const inOwnScope = <A, E, R>(gateway: Effect.Effect<A, E, R | Scope.Scope>) =>
  Effect.gen(function*() {
    const scope = yield* Scope.make()
    const served = yield* Effect.provideService(gateway, Scope.Scope, scope)
    return {
      served,
      end: within("the end of the gateway", "3 seconds")(Effect.disconnect(Scope.close(scope, Exit.void)))
    }
  })

const socketsOfThisProcess = () => process.getActiveResourcesInfo().filter((kind) => /TCP/.test(kind)).length

const connectionOf = (port: number) =>
  Effect.async<net.Socket>((resume) => {
    const socket = net.connect(port, "127.0.0.1", () => resume(Effect.succeed(socket)))
    socket.on("error", () => {})
  })

describe("the end of a gateway", () => {
  it.scopedLive("says 1001 to every socket, initialized or not", () =>
    Effect.gen(function*() {
      const { end, served } = yield* inOwnScope(serve())
      const sockets = [yield* initialized(served), yield* initialized(served), yield* connect(served)]
      yield* end
      for (const socket of sockets) {
        expect(yield* socket.closed).toEqual({ code: 1001, reason: "the gateway is shutting down" })
      }
    }))

  it.scopedLive("leaves nothing that keeps the process alive", () =>
    Effect.gen(function*() {
      const before = socketsOfThisProcess()
      const { end, served } = yield* inOwnScope(serve())
      const socket = yield* initialized(served)
      yield* rpc(served, "session.create")
      expect(socketsOfThisProcess()).toBeGreaterThan(before)
      yield* end
      yield* socket.closed
      yield* until("the end of every handle", Effect.sync(() => socketsOfThisProcess() <= before))
    }))

  it.scopedLive("frees the port, also of clients that do not answer the close, or ask nothing", () =>
    Effect.gen(function*() {
      const { end, served } = yield* inOwnScope(serve())
      const deaf = yield* initialized(served)
      yield* deaf.pause
      const mute = yield* connectionOf(served.port)
      yield* end
      mute.destroy()
      const again = yield* Effect.exit(serve({ port: served.port }))
      expect(Exit.isSuccess(again)).toBe(true)
    }))

  it.scopedLive("stops what runs, and answers its request 503", () =>
    Effect.gen(function*() {
      const running = new Set<string>()
      const { end, served } = yield* inOwnScope(serveCustom({
        run: (text) =>
          Effect.sync(() => running.add(text)).pipe(
            Effect.zipRight(Effect.never),
            Effect.ensuring(Effect.sync(() => running.delete(text)))
          )
      }))
      const invocation = (text: string) => ({
        jsonrpc: "2.0",
        id: 1,
        method: "capabilities.invoke",
        params: { capability: "test.run", arguments: { text } }
      })
      const socket = yield* initialized(served)
      yield* socket.send(invocation("socket"))
      const requesting = yield* Effect.fork(post(served, invocation("http")))
      yield* until("both to run", Effect.sync(() => running.size === 2))
      yield* end
      expect(running.size).toBe(0)
      expect((yield* Fiber.join(requesting)).status).toBe(503)
    }))

  it.scopedLive("is in the record of every session", () =>
    Effect.gen(function*() {
      const used = yield* folders
      const { end, served } = yield* inOwnScope(quietly(LocalGateway.serve({ ...used, port: 0 })))
      const gateway = testGateway(served, used)
      yield* initialized(gateway)
      yield* rpc(gateway, "session.create")
      yield* rpc(gateway, "tools/list")
      yield* end
      const records = yield* gateway.inStore(Effect.flatMap(SessionRecords, (kept) => Effect.orDie(kept.list())))
      expect(records).toHaveLength(3)
      for (const record of records) expect(record).toMatchObject({ endedAt: { _tag: "Some" }, orphaned: false })
    }))
})
