import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { Capabilities } from "kruxos"
import { OutcomeUnknown } from "kruxos/errors"
import * as fs from "node:fs"
import { join } from "node:path"
import { until, within } from "../support/deadline.js"
import { quietly } from "../support/gateway.js"
import { clientOf, type GatewayProcess, startProcess } from "../support/gatewayProcess.js"
import { parameters, runs } from "../support/runs.js"

const requestTimeout = Duration.seconds(8)

/** What became of one append, as its caller knows it. */
interface Append {
  readonly token: string
  readonly file: string
  readonly outcome: "acknowledged" | "not sent" | "unknown"
  /** What to ask the gateway with, where the outcome is unknown. */
  readonly key: string | undefined
}

/** What the clients of a gateway did so far. */
interface Record {
  readonly appends: Array<Append>
  reads: number
  /** What no call may end with: a defect, or an error that is not one of a connection. */
  readonly unexpected: Array<string>
  isOver: boolean
}

const failureOf = (cause: Cause.Cause<{ readonly _tag: string }>) => Option.getOrUndefined(Cause.failureOption(cause))

const outcomeOf = (exit: Exit.Exit<unknown, { readonly _tag: string }>): Append["outcome"] | undefined => {
  if (Exit.isSuccess(exit)) return "acknowledged"
  switch (failureOf(exit.cause)?._tag) {
    case "OutcomeUnknown":
      return "unknown"
    case "ConnectionFailed":
    case "GatewayTimeout":
    // What a gateway that is about to end says to new requests.
    case "ServiceUnavailable":
      return "not sent"
    default:
      return undefined
  }
}

const keyOf = (exit: Exit.Exit<unknown, { readonly _tag: string }>) => {
  const failure = Exit.isFailure(exit) ? failureOf(exit.cause) : undefined
  return failure instanceof OutcomeUnknown ? failure.idempotencyKey : undefined
}

// Every call has a deadline of its own; one that is not over by then hangs.
const settled = <A, E>(call: Effect.Effect<A, E>) =>
  Effect.exit(Effect.timeoutFailCause(call, {
    duration: Duration.times(requestTimeout, 1.5),
    onTimeout: () => Cause.die("the call hangs")
  }))

const appending = (capabilities: Capabilities["Type"], record: Record, file: string, name: string) => {
  let count = 0
  return Effect.gen(function*() {
    while (!record.isOver) {
      const token = `${name}-${++count}`
      const exit = yield* settled(capabilities.invoke("filesystem.append", { path: file, content: `${token}\n` }))
      const outcome = outcomeOf(exit)
      if (outcome === undefined) record.unexpected.push(`append of ${token}: ${exit}`)
      else record.appends.push({ token, file, outcome, key: keyOf(exit) })
    }
  })
}

const reading = (capabilities: Capabilities["Type"], record: Record, path: string) =>
  Effect.gen(function*() {
    while (!record.isOver) {
      const exit = yield* settled(
        Effect.zip(
          capabilities.invoke("filesystem.list", { path: "/workspace" }),
          capabilities.invoke("filesystem.read", { path })
        )
      )
      if (Exit.isSuccess(exit)) record.reads++
      // What is replayable is asked again once, and fails only where the connection ends a second time.
      else if (outcomeOf(exit) !== "not sent") record.unexpected.push(`read: ${exit}`)
    }
  })

const clients = 4
const appendersEach = 4

const load = (gateway: GatewayProcess, record: Record) =>
  Effect.forEach(Array.from({ length: clients }, (_, index) => `client-${index}`), (client) =>
    Effect.gen(function*() {
      const capabilities = yield* clientOf(gateway, { requestTimeout, reconnect: Schedule.spaced("50 millis") })
      const file = `${client}.txt`
      fs.writeFileSync(join(gateway.workspace, file), "")
      yield* Effect.all([
        ...Array.from(
          { length: appendersEach },
          (_, index) => appending(capabilities, record, file, `${client}-${index}`)
        ),
        reading(capabilities, record, file)
      ], { concurrency: "unbounded", discard: true })
    }), { concurrency: "unbounded", discard: true }).pipe(Effect.scoped)

const linesOf = (gateway: GatewayProcess, file: string) =>
  fs.readFileSync(join(gateway.workspace, file), "utf8").split("\n").slice(0, -1)

/** How often each token is in the files. */
const writtenIn = (gateway: GatewayProcess, { appends }: Record): ReadonlyMap<string, number> => {
  const written = new Map<string, number>()
  for (const file of new Set(appends.map((append) => append.file))) {
    for (const line of linesOf(gateway, file)) written.set(line, (written.get(line) ?? 0) + 1)
  }
  return written
}

const assertConsistent = (gateway: GatewayProcess, record: Record) => {
  const { appends, unexpected } = record
  assert.deepStrictEqual(unexpected, [])
  const written = writtenIn(gateway, record)
  const tokens = new Set(appends.map(({ token }) => token))
  assert.deepStrictEqual([...written.keys()].filter((token) => !tokens.has(token)), [], "what nobody appended")
  assert.deepStrictEqual([...written].filter(([, times]) => times > 1), [], "what is there twice")
  const isWrong = ({ outcome, token }: Append) =>
    outcome === "acknowledged" ? !written.has(token) : outcome === "not sent" ? written.has(token) : false
  assert.deepStrictEqual(appends.filter(isWrong), [], "what is not as its caller was told")
}

/** What the gateway says later of those whose callers were told that nobody knows. */
const assertOutcomes = (gateway: GatewayProcess, record: Record) =>
  Effect.gen(function*() {
    const { outcome } = yield* clientOf(gateway)
    const written = writtenIn(gateway, record)
    for (const { key, outcome: told, token } of record.appends) {
      if (told !== "unknown") continue
      if (key === undefined) return assert.fail(`There is no key to ask with for ${token}`)
      const known = yield* Effect.orDie(outcome(key, "filesystem.append"))
      const isWritten = written.has(token)
      if (known._tag === "Done") assert.strictEqual(isWritten, known.result._tag === "Right", token)
      else assert.deepStrictEqual([known._tag, isWritten], ["NotFound", false], token)
    }
  }).pipe(Effect.scoped)

/** Waits until every client has had appends acknowledged that begin from now on. */
const allServed = (record: Record) =>
  Effect.suspend(() => {
    const from = record.appends.length
    return until(
      "every client to be served",
      Effect.sync(() =>
        new Set(
          record.appends.slice(from).flatMap(({ file, outcome }) => outcome === "acknowledged" ? [file] : [])
        ).size === clients
      )
    )
  })

const underLoad = (use: (gateway: GatewayProcess, record: Record) => Effect.Effect<void, never, Scope.Scope>) =>
  Effect.gen(function*() {
    const gateway = yield* startProcess()
    const record: Record = { appends: [], reads: 0, unexpected: [], isOver: false }
    const loading = yield* Effect.forkScoped(load(gateway, record))
    yield* use(gateway, record)
    record.isOver = true
    yield* Fiber.join(loading).pipe(within("every call to end", Duration.times(requestTimeout, 2)))
    assertConsistent(gateway, record)
    yield* assertOutcomes(gateway, record)
    return record
  }).pipe(quietly, Effect.withRandom(Random.make(parameters(1).seed)))

const countOf = (appends: ReadonlyArray<Append>, outcome: Append["outcome"]) =>
  appends.filter((append) => append.outcome === outcome).length

describe("a gateway that is killed under load", () => {
  const times = Math.max(2, runs(15))

  it.scopedLive(
    `${times} times, keeps what it acknowledged, once, and its clients find it again by themselves`,
    () =>
      Effect.gen(function*() {
        const { appends, reads } = yield* underLoad((gateway, record) =>
          Effect.gen(function*() {
            for (let time = 0; time < times; time++) {
              yield* allServed(record)
              yield* Effect.sleep(Duration.millis(yield* Random.nextIntBetween(0, 150)))
              assert.strictEqual((yield* gateway.end("SIGKILL")).signal, "SIGKILL")
              yield* Effect.sleep(Duration.millis(yield* Random.nextIntBetween(0, 100)))
              yield* gateway.startAgain
            }
            yield* allServed(record)
            // Else nothing was cut in the middle, and the test shows nothing.
            assert.include(gateway.log(), "Of the invocations that a gateway was killed in")
          })
        )
        assert.isAbove(countOf(appends, "acknowledged"), 50)
        assert.isAbove(reads, 10)
      }),
    60_000
  )
})

describe("a gateway that is told to end under load", () => {
  const times = runs(6)

  it.scopedLive(
    `${times} times, lets finish what runs, ends with 0, and leaves no outcome unknown`,
    () =>
      Effect.gen(function*() {
        const { appends } = yield* underLoad((gateway, record) =>
          Effect.gen(function*() {
            for (let time = 0; time < times; time++) {
              yield* allServed(record)
              yield* Effect.sleep(Duration.millis(yield* Random.nextIntBetween(0, 150)))
              assert.deepStrictEqual(yield* gateway.end("SIGTERM"), { code: 0, signal: null })
              yield* gateway.startAgain
            }
            yield* allServed(record)
          })
        )
        assert.strictEqual(countOf(appends, "unknown"), 0)
        assert.isAbove(countOf(appends, "acknowledged"), 50)
      }),
    60_000
  )
})
