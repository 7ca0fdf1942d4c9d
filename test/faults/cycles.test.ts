import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as fs from "node:fs"
import type { Dial } from "../../src/connection/Duplex.js"
import * as Memory from "../../src/connection/memory.js"
import * as SocketLink from "../../src/connection/socketLink.js"
import * as GatewayCore from "../../src/local/gatewayCore.js"
import { converse } from "../../src/local/protocol/conversation.js"
import { Agents } from "../../src/local/store/Agents.js"
import { call, connectionOptions } from "../connection/linkSupport.js"
import { until, within } from "../support/deadline.js"
import { keptMemory } from "../support/garbage.js"
import { folders, quietly } from "../support/gateway.js"
import { clientOf, startProcess } from "../support/gatewayProcess.js"
import { runs } from "../support/runs.js"

/** What a process holds that could grow from connection to connection. */
interface Held {
  readonly fibers: number
  readonly descriptors: number
  readonly listeners: number
  readonly heap: number
}

const held: Effect.Effect<Held> = Effect.zipWith(keptMemory, Fiber.roots, ({ heapUsed }, roots) => ({
  fibers: roots.length,
  descriptors: fs.readdirSync("/proc/self/fd").length,
  listeners: process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0),
  heap: heapUsed
}))

const mebibyte = 1024 * 1024

/** Goes through that many cycles, and compares what is held after the second quarter of them and after the last. */
const leavesNothing = (cycle: Effect.Effect<void>, cycles: number) =>
  Effect.gen(function*() {
    const half = Effect.repeatN(cycle, Math.ceil(cycles / 2) - 1)
    // Under a deadline as what it is compared with, whose timer is a fiber too.
    const former = yield* Effect.zipRight(half, within("what the first half holds", "1 minute")(held))
    const last = yield* Effect.zipRight(half, held)
    // On a busy machine the last connection may still be ending, and the gateway's sampler have a file of the system open.
    yield* until(
      "every fiber and descriptor of them to be gone",
      Effect.map(
        held,
        (now) =>
          now.fibers <= former.fibers && now.descriptors <= former.descriptors && now.listeners <= former.listeners
      ),
      "1 minute"
    )
    assert.isBelow(last.heap - former.heap, mebibyte)
  })

/** The dial of a whole gateway in this process, with its database in memory. */
const dialOfCore: Effect.Effect<Dial, never, Scope.Scope> = Effect.gen(function*() {
  const { workspace } = yield* folders
  const services = yield* Layer.build(GatewayCore.layer({
    workspace,
    database: ":memory:",
    dataDirectory: undefined,
    policy: "allow-all",
    packs: [],
    // So few that they are as many after each half.
    events: { events: 100, bytes: mebibyte }
  }))
  return yield* Effect.gen(function*() {
    const { agent } = yield* Effect.flatMap(Agents, (agents) => agents.create({ name: "agent" }))
    const run = yield* FiberSet.makeRuntime<GatewayCore.CoreServices>()
    const dial: Dial = Effect.sync(() => {
      const [client, server] = Memory.makePair()
      run(converse(server, agent, "memory"))
      return client
    })
    return dial
  }).pipe(Effect.provide(services))
}).pipe(Effect.orDie)

const inMemory = runs(9500)
const overSockets = runs(500)

describe("connecting and closing", () => {
  it.scopedLive(`${inMemory} times to a gateway in this process leaves nothing behind`, () =>
    Effect.gen(function*() {
      const dial = yield* dialOfCore
      const cycle = Effect.gen(function*() {
        const link = yield* SocketLink.make(dial, connectionOptions)
        yield* call(link, { method: "ping" })
      }).pipe(Effect.scoped, Effect.orDie)
      yield* leavesNothing(cycle, inMemory)
    }).pipe(quietly), 300_000)

  it.scopedLive(
    `${overSockets} times over a socket leaves nothing behind, here and in the gateway`,
    () =>
      Effect.gen(function*() {
        const gateway = yield* startProcess()
        const cycle = clientOf(gateway).pipe(
          Effect.flatMap(({ invoke }) => invoke("agent.whoami")),
          Effect.scoped,
          Effect.orDie,
          Effect.asVoid
        )
        yield* cycle
        const descriptors = yield* gateway.descriptors
        // As long again as is measured: V8 goes on compiling for hundreds of cycles, and its code lies in the heap.
        const before = yield* Effect.zipRight(Effect.repeatN(cycle, Math.max(50, overSockets)), gateway.memory)
        yield* leavesNothing(cycle, overSockets)
        yield* until(
          "every descriptor of the gateway to be closed",
          Effect.map(gateway.descriptors, (now) => now <= descriptors)
        )
        // The four events of each cycle are in the window of what supervisors are told.
        assert.isBelow((yield* gateway.memory).heapUsed - before.heapUsed, mebibyte + overSockets * 4 * 1024)
      }).pipe(quietly),
    120_000
  )
})
