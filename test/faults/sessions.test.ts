import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as fs from "node:fs"
import { join } from "node:path"
import { until } from "../support/deadline.js"
import { quietly } from "../support/gateway.js"
import { type GatewayProcess, startProcess } from "../support/gatewayProcess.js"
import { textAt } from "../support/json.js"
import { initialized, type RawSocket } from "../support/rawSocket.js"
import { runs } from "../support/runs.js"

const count = runs(1000)

// A session has some 44 kB while it lasts. Afterwards there are its six events, in the window of what supervisors are told.
const leftPerSession = 8 * 1024

const mebibyte = 1024 * 1024

const invoke = (socket: RawSocket, capability: string, given: object = {}) =>
  socket.call("capabilities.invoke", { capability, arguments: given })

const all = <A, B>(items: ReadonlyArray<A>, f: (item: A, index: number) => Effect.Effect<B, never, Scope.Scope>) =>
  Effect.forEach(items, f, { concurrency: 50 })

/** Opens that many sessions, invokes something in each while the others are there, and closes them. */
const round = (gateway: GatewayProcess, sessions: number) =>
  Effect.gen(function*() {
    const former = yield* gateway.descriptors
    const numbers = Array.from({ length: sessions }, (_, index) => index)
    for (const index of numbers) fs.writeFileSync(join(gateway.workspace, `${index}.txt`), `content ${index}`)
    const sockets = yield* all(numbers, () => initialized(gateway))
    const contents = yield* all(sockets, (socket, index) =>
      Effect.map(
        invoke(socket, "filesystem.read", { path: `${index}.txt` }),
        (answer) => textAt(answer, "result", "data", "content")
      ))
    assert.deepStrictEqual(contents, numbers.map((index) => `content ${index}`))
    const ids = yield* all(sockets, (socket) =>
      Effect.map(invoke(socket, "agent.session"), (answer) => textAt(answer, "result", "data", "session_id")))
    assert.strictEqual(new Set(ids).size, sessions)
    const held = (more: number) =>
      until(
        `descriptors of ${more} sessions`,
        Effect.map(gateway.descriptors, (now) =>
          now === former + more)
      )
    yield* held(sessions)
    yield* all(sockets, (socket) => Effect.zipRight(socket.close, socket.closed))
    yield* held(0)
    return yield* gateway.memory
  }).pipe(Effect.scoped)

describe("a gateway", () => {
  it.scopedLive(`has ${count} sessions at once, and nothing of them afterwards`, () =>
    Effect.gen(function*() {
      const gateway = yield* startProcess()
      const before = yield* round(gateway, count / 10)
      const after = yield* round(gateway, count)
      assert.isBelow(after.heapUsed - before.heapUsed, mebibyte + count * leftPerSession)
      assert.isBelow(after.external - before.external, mebibyte)
    }).pipe(quietly), 60_000)
})
