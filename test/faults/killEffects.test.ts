import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { Capabilities, State } from "kruxos"
import { NodeGateway } from "kruxos/node"
import * as fs from "node:fs"
import { createServer } from "node:http"
import { join } from "node:path"
import { until, within } from "../support/deadline.js"
import { quietly } from "../support/gateway.js"
import { clientOf, type GatewayProcess, startProcess } from "../support/gatewayProcess.js"
import { parameters, runs } from "../support/runs.js"

const requestTimeout = Duration.seconds(8)

type Invoke = (key: string) => Effect.Effect<unknown, { readonly _tag: string }>

/** What is done over and over again, each time with a key of its own, and how often it is there by then. */
interface Kind {
  readonly name: string
  /** Makes what one of them needs. */
  readonly prepare?: (token: string) => void
  readonly invoke: (capabilities: Capabilities["Type"], token: string) => Invoke
  /** Looks which of them took effect; undefined where only all together can be counted. */
  readonly look?: () => (token: string) => boolean
  /** How often it took effect, of all together. */
  readonly count?: Effect.Effect<number>
}

interface Attempt {
  readonly kind: Kind
  readonly token: string
  readonly key: string
  readonly isAcknowledged: boolean
  readonly error: string | undefined
}

const kindsOf = (gateway: GatewayProcess, versionOf: (key: string) => Effect.Effect<number>): ReadonlyArray<Kind> => {
  const host = (path: string) => join(gateway.workspace, path)
  const text = (path: string) => fs.existsSync(host(path)) ? fs.readFileSync(host(path), "utf8") : ""
  const make = (path: string) => fs.writeFileSync(host(path), path)
  return [
    {
      name: "write",
      invoke: ({ invoke }, token) => (idempotencyKey) =>
        invoke("filesystem.write", { path: `write-${token}`, content: token.repeat(100) }, { idempotencyKey }),
      look: () => (token) => text(`write-${token}`) === token.repeat(100)
    },
    {
      name: "append",
      invoke: ({ invoke }, token) => (idempotencyKey) =>
        invoke("filesystem.append", { path: "appended", content: `${token}\n` }, { idempotencyKey }),
      look: () => {
        const lines = text("appended").split("\n")
        const once = new Set(lines)
        assert.lengthOf(lines, once.size, "a line is there twice")
        return (token) => once.has(token)
      }
    },
    {
      name: "equal append",
      invoke: ({ invoke }) => (idempotencyKey) =>
        invoke("filesystem.append", { path: "ticks", content: "tick\n" }, { idempotencyKey }),
      count: Effect.sync(() => text("ticks").split("\n").length - 1)
    },
    {
      name: "move",
      prepare: (token) => make(`from-${token}`),
      invoke: ({ invoke }, token) => (idempotencyKey) =>
        invoke("filesystem.move", { source: `from-${token}`, destination: `to-${token}` }, { idempotencyKey }),
      look: () => (token) => !fs.existsSync(host(`from-${token}`)) && text(`to-${token}`) === `from-${token}`
    },
    {
      name: "delete",
      prepare: (token) => make(`deleted-${token}`),
      invoke: ({ invoke }, token) => (idempotencyKey) =>
        invoke("filesystem.delete", { path: `deleted-${token}` }, { idempotencyKey }),
      look: () => (token) => !fs.existsSync(host(`deleted-${token}`))
    },
    {
      name: "set",
      invoke: ({ invoke }) => (idempotencyKey) =>
        invoke("state.persistent.set", { key: "counted", value: "equal" }, { idempotencyKey }),
      count: versionOf("counted")
    }
  ]
}

const errorOf = (exit: Exit.Exit<unknown, { readonly _tag: string }>): string | undefined => {
  if (Exit.isSuccess(exit)) return undefined
  const failure = Cause.failureOption(exit.cause)
  return failure._tag === "Some" ? failure.value._tag : Cause.pretty(exit.cause)
}

const expected = new Set(["OutcomeUnknown", "ConnectionFailed", "GatewayTimeout", "ServiceUnavailable"])

const connect = (gateway: GatewayProcess) =>
  NodeGateway.layer({
    host: gateway.url,
    apiKey: Redacted.make(gateway.key),
    requestTimeout,
    reconnect: Schedule.spaced("50 millis")
  }).pipe(Layer.build, Effect.orDie)

const workersEach = 3

const load = (gateway: GatewayProcess, kinds: ReadonlyArray<Kind>, attempts: Array<Attempt>, isOver: () => boolean) =>
  Effect.gen(function*() {
    const capabilities = Context.get(yield* connect(gateway), Capabilities)
    const work = (kind: Kind, worker: number) =>
      Effect.gen(function*() {
        for (let count = 0; !isOver(); count++) {
          const token = `${worker}-${count}`
          const key = `${kind.name} ${token}`
          kind.prepare?.(token)
          const exit = yield* Effect.exit(kind.invoke(capabilities, token)(key))
          attempts.push({ kind, token, key, isAcknowledged: Exit.isSuccess(exit), error: errorOf(exit) })
        }
      })
    const workers = kinds.flatMap((kind) => Array.from({ length: workersEach }, (_, index) => work(kind, index)))
    yield* Effect.all(workers, { concurrency: "unbounded", discard: true })
  }).pipe(Effect.scoped)

/** What the record says of every attempt is what is there, and nothing is left that nobody knows. */
const assertTold = (gateway: GatewayProcess, attempts: ReadonlyArray<Attempt>, kinds: ReadonlyArray<Kind>) =>
  Effect.gen(function*() {
    const { outcome } = yield* clientOf(gateway)
    const done = new Map<Kind, number>()
    const looks = new Map(kinds.map((kind) => [kind, kind.look?.()]))
    const outcomes = yield* Effect.forEach(
      attempts,
      (attempt) => Effect.map(outcome(attempt.key), (known) => ({ ...attempt, known })),
      { concurrency: 64 }
    ).pipe(Effect.orDie)
    for (const { error, isAcknowledged, key, kind, known, token } of outcomes) {
      if (error !== undefined) assert.include([...expected], error, key)
      const isDone = known._tag === "Done" && known.result._tag === "Right"
      assert.isTrue(isDone || known._tag === "NotFound", `${key} is ${JSON.stringify(known)}`)
      if (isAcknowledged) assert.isTrue(isDone, key)
      const isThere = looks.get(kind)
      if (isThere !== undefined) assert.strictEqual(isThere(token), isDone, key)
      if (isDone) done.set(kind, (done.get(kind) ?? 0) + 1)
    }
    for (const kind of kinds) {
      if (kind.count !== undefined) assert.strictEqual(yield* kind.count, done.get(kind), kind.name)
    }
  }).pipe(Effect.scoped)

/** A server that lets its clients wait, and says how many do. */
const silentServer = Effect.acquireRelease(
  Effect.async<{ readonly port: number; readonly requests: () => number; readonly close: () => void }>((resume) => {
    let requests = 0
    const server = createServer(() => {
      requests++
    })
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      resume(Effect.succeed({
        port,
        requests: () => requests,
        close: () => {
          server.closeAllConnections()
          server.close()
        }
      }))
    })
  }),
  ({ close }) => Effect.sync(close)
)

const versionIn = (gateway: GatewayProcess) => (key: string): Effect.Effect<number> =>
  connect(gateway).pipe(
    Effect.flatMap((services) => Context.get(services, State).persistent.get(key)),
    Effect.map((entry) => entry._tag === "Some" ? entry.value.version : 0),
    Effect.scoped,
    Effect.orDie
  )

const killing = (use: (gateway: GatewayProcess) => Effect.Effect<void, never, Scope.Scope>) =>
  Effect.flatMap(startProcess(), use).pipe(quietly, Effect.withRandom(Random.make(parameters(1).seed)))

describe("a gateway that is killed while it changes files and state", () => {
  const times = Math.max(3, runs(15))

  it.scopedLive(
    `${times} times, knows afterwards of each invocation whether it took effect, and none took effect twice`,
    () =>
      killing((gateway) =>
        Effect.gen(function*() {
          const kinds = kindsOf(gateway, versionIn(gateway))
          const attempts: Array<Attempt> = []
          let isOver = false
          const loading = yield* Effect.forkScoped(load(gateway, kinds, attempts, () => isOver))
          const served = Effect.suspend(() => {
            const from = attempts.length
            return until(
              "every kind to be acknowledged",
              Effect.sync(() =>
                new Set(
                  attempts.slice(from).flatMap(({ isAcknowledged, kind }) => isAcknowledged ? [kind] : [])
                ).size === kinds.length
              )
            )
          })
          for (let time = 0; time < times; time++) {
            yield* served
            yield* Effect.sleep(Duration.millis(yield* Random.nextIntBetween(0, 100)))
            assert.strictEqual((yield* gateway.end("SIGKILL")).signal, "SIGKILL")
            yield* gateway.startAgain
          }
          yield* served
          isOver = true
          yield* Fiber.join(loading).pipe(within("every call to end", Duration.times(requestTimeout, 3)))
          yield* assertTold(gateway, attempts, kinds)
          // Else nothing was cut in the middle, and the test shows nothing.
          assert.include(gateway.log(), "Of the invocations that a gateway was killed in")
        })
      ),
    150_000
  )

  it.scopedLive("knows that nobody knows where an effect cannot be looked up", () =>
    Effect.gen(function*() {
      const { port, requests } = yield* silentServer
      const gateway = yield* startProcess({ args: ["--allow-host", `127.0.0.1:${port}`] })
      const capabilities = yield* clientOf(gateway, { reconnect: Schedule.spaced("50 millis") })
      const input = { url: `http://127.0.0.1:${port}/`, method: "POST" } as const
      const asked = yield* Effect.fork(
        Effect.flip(capabilities.invoke("network.http_request", input, { idempotencyKey: "sent" }))
      )
      yield* until("the request to arrive", Effect.sync(() => requests() > 0))
      yield* gateway.end("SIGKILL")
      yield* gateway.startAgain
      const error = yield* Fiber.join(asked)
      assert.strictEqual(error._tag, "OutcomeUnknown")
      const known = yield* capabilities.outcome("sent")
      assert.strictEqual(known._tag, "Unknown")
      assert.strictEqual(requests(), 1)
    }).pipe(quietly))
})
