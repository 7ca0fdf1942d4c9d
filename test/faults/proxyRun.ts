import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { Capabilities, type CapabilitiesService, Gateway, type GatewayServices } from "kruxos"
import { NodeGateway } from "kruxos/node"
import * as fs from "node:fs"
import { join } from "node:path"
import * as FaultProxy from "../support/faultProxy.js"
import type { TestGateway } from "../support/gateway.js"
import { type CallFailure, contradictsOutcome, countsOf, keyOf, type Made, violationsIn } from "./proxyInvariants.js"
import type { FaultSchedule, ScheduledCall } from "./proxySchedule.js"

/** What a run must never show. */
export class Violation extends Data.TaggedError("Violation")<{ readonly message: string }> {}

const violation = (message: string) => new Violation({ message })

/** An agent, and what it learns without a proxy in between. */
export interface Agent {
  readonly key: string
  readonly outcome: CapabilitiesService["outcome"]
}

/** Where schedules are run. */
export interface Ground {
  readonly gateway: TestGateway
  readonly agents: readonly [Agent, Agent]
}

/** A gateway's two agents, each with a connection of its own. */
export const makeGround = (gateway: TestGateway, keys: readonly [string, string]) =>
  Effect.gen(function*() {
    prepare(gateway.workspace)
    const agent = (key: string) =>
      Effect.map(
        Layer.build(NodeGateway.layer({ host: gateway.url, apiKey: Redacted.make(key) })),
        (context): Agent => ({ key, outcome: Context.get(context, Capabilities).outcome })
      )
    const ground: Ground = { gateway, agents: [yield* agent(keys[0]), yield* agent(keys[1])] }
    return ground
  })

/** How much later than its deadline a call may settle, and a connection be made: enough for a machine that is busy. */
const slack = 2000

const places = 60

/** What is to be read and listed: three files and folders for each of twenty runs at a time, and none like any other. */
const prepare = (workspace: string): void => {
  fs.mkdirSync(join(workspace, "logs"))
  for (let place = 0; place < places; place++) {
    fs.writeFileSync(join(workspace, `file-${place}`), contentOf(place))
    fs.mkdirSync(join(workspace, `folder-${place}`))
    fs.writeFileSync(join(workspace, `folder-${place}`, `item-${place}`), "")
  }
}

// Answers of every length that a frame can write differently.
const contentOf = (place: number) => `${place} ${"x".repeat([0, 2000, 70_000][place % 3] ?? 0)}`

const placeOf = (run: number, which: number) => (run * 3 + which) % places

const logOf = (run: number) => `logs/run-${run}`

const readLog = ({ gateway }: Ground, run: number): ReadonlyArray<string> => {
  const path = join(gateway.workspace, logOf(run))
  return fs.existsSync(path) ? fs.readFileSync(path, "utf8").split("\n").slice(0, -1) : []
}

/** Makes a call, and says what is wrong with its answer; undefined where nothing is. */
const perform = (run: number, token: string, { kind, timeout, which }: ScheduledCall) =>
  Effect.flatMap(Capabilities, ({ invoke }): Effect.Effect<string | undefined, CallFailure> => {
    const log = `/workspace/${logOf(run)}`
    const place = placeOf(run, which)
    const options = { timeout }
    const unless = (right: boolean, answer: unknown) => right ? undefined : JSON.stringify(answer).slice(0, 200)
    switch (kind) {
      case "append":
        return Effect.map(
          invoke("filesystem.append", { path: log, content: `${token}\n` }, options),
          (answer) => unless(answer.path === log, answer)
        )
      case "read":
        return Effect.map(
          invoke("filesystem.read", { path: `/workspace/file-${place}` }, options),
          (answer) => unless(answer.content === contentOf(place), answer)
        )
      case "list":
        return Effect.map(
          invoke("filesystem.list", { path: `/workspace/folder-${place}` }, options),
          (answer) => unless(answer.entries.length === 1 && answer.entries[0]?.name === `item-${place}`, answer)
        )
      case "time":
        return Effect.map(invoke("system.time", {}, options), (answer) => unless(answer.unix_epoch > 0, answer))
    }
  })

/** Makes a call when it is time, and waits until it has settled. */
const make = (run: number, call: ScheduledCall, index: number) =>
  Effect.gen(function*() {
    const token = `${run}-${index}`
    yield* Effect.sleep(call.at)
    const start = yield* Clock.currentTimeMillis
    const fiber = yield* Effect.fork(perform(run, token, call))
    if (call.interruptAfter !== null) {
      yield* Effect.raceFirst(Effect.sleep(call.interruptAfter), Fiber.await(fiber))
      yield* Fiber.interruptFork(fiber)
    }
    const exit = yield* Effect.timeoutFail(Fiber.await(fiber), {
      duration: call.timeout + slack,
      onTimeout: () => violation(`call ${index} never settled`)
    })
    const made: Made = { index, call, token, exit, took: (yield* Clock.currentTimeMillis) - start }
    return made
  })

// Longer and longer, so that many clients who come too fast for the machine do not keep it from serving anybody.
const soon = Schedule.exponential("5 millis").pipe(Schedule.union(Schedule.spaced("1 second")))

const clientLayer = ({ connectTimeout, heartbeat }: FaultSchedule, url: string, key: string) =>
  NodeGateway.layer({
    host: url,
    apiKey: Redacted.make(key),
    heartbeat,
    requestTimeout: connectTimeout,
    reconnect: soon
  })

/** Connects however often that takes; None where the key is refused. */
const connected = (layer: Layer.Layer<GatewayServices, { readonly _tag: string }>, { connectTimeout }: FaultSchedule) =>
  Layer.build(layer).pipe(
    // One deadline for the socket, one for the session.
    Effect.timeoutFail({
      duration: 2 * connectTimeout + slack,
      onTimeout: () => violation("a connection was neither made nor given up")
    }),
    Effect.retry({
      while: ({ _tag }) => _tag === "ConnectionFailed",
      schedule: soon,
      times: 100
    }),
    Effect.map(Option.some),
    Effect.catchIf(({ _tag }) => _tag === "AuthenticationFailed", () => Effect.succeedNone),
    Effect.mapError((error) =>
      error instanceof Violation ? error : violation(`the first connection failed with ${String(error)}`)
    )
  )

const patience = Duration.seconds(30)

/** After all faults a call succeeds again, unless the key has been refused. */
const recovers = (run: number, proxy: FaultProxy.FaultProxy) =>
  Effect.gen(function*() {
    const { invoke } = yield* Capabilities
    const { status } = yield* Gateway
    const answer = yield* Effect.either(
      invoke("filesystem.read", { path: `/workspace/file-${placeOf(run, 0)}` }, { timeout: 1000 }).pipe(
        Effect.retry({ while: ({ _tag }) => _tag !== "AuthenticationFailed", schedule: Schedule.spaced("10 millis") })
      )
    )
    if (answer._tag === "Left") {
      if (proxy.refusals() === 0) return yield* violation("the key was refused, which nobody did")
      const last = Option.getOrThrow(yield* Stream.runHead(status))
      if (last._tag !== "Closed") return yield* violation(`the key was refused, and the status is ${last._tag}`)
      return
    }
    if (answer.right.content !== contentOf(placeOf(run, 0))) {
      return yield* violation("the last answer is somebody else's")
    }
    yield* status.pipe(Stream.filter(({ _tag }) => _tag === "Connected"), Stream.runHead)
  }).pipe(
    Effect.timeoutFail({ duration: patience, onTimeout: () => violation("the connection did not recover") })
  )

const failOn = (violations: ReadonlyArray<string>) =>
  violations.length === 0 ? Effect.void : Effect.fail(violation(violations.join("\n")))

const runClients = (ground: Ground, schedule: FaultSchedule, run: number, proxy: FaultProxy.FaultProxy) =>
  Effect.gen(function*() {
    const clients = yield* Effect.forEach(
      ground.agents.slice(0, schedule.clients),
      ({ key }) => connected(clientLayer(schedule, proxy.url, key), schedule),
      { concurrency: "unbounded" }
    )
    const made = yield* Effect.forEach(schedule.calls, (call, index) => {
      const client = Option.flatten(Option.fromNullable(clients[call.client % schedule.clients]))
      return Option.isNone(client)
        ? Effect.succeed([])
        : Effect.map(Effect.provide(make(run, call, index), client.value), (one) => [one])
    }, { concurrency: "unbounded" })
    proxy.heal()
    for (const client of clients) {
      if (Option.isSome(client)) yield* Effect.provide(recovers(run, proxy), client.value)
    }
    return made.flat()
  })

const goesAway = (what: string, isGone: () => boolean) =>
  Effect.sync(isGone).pipe(
    Effect.repeat({ until: (gone) => gone, schedule: Schedule.spaced("10 millis") }),
    Effect.timeoutFail({ duration: patience, onTimeout: () => violation(what) })
  )

const settledOutcome = (agent: Agent, key: string): ReturnType<typeof agent.outcome> =>
  Effect.flatMap(
    agent.outcome(key),
    (found) => found._tag === "Running" ? Effect.delay(settledOutcome(agent, key), "20 millis") : Effect.succeed(found)
  )

/** Asks the gateway what has become of the appends that do not know it, and compares. */
const checkOutcomes = (ground: Ground, schedule: FaultSchedule, run: number, made: ReadonlyArray<Made>) =>
  Effect.forEach(made.filter((one) => keyOf(one) !== undefined), (one) =>
    Effect.gen(function*() {
      const times = () => readLog(ground, run).filter((line) => line === one.token).length
      // What is there already must be on record; what is on record must be there afterwards.
      const before = times()
      const agent = ground.agents[one.call.client % schedule.clients === 0 ? 0 : 1]
      const found = yield* settledOutcome(agent, keyOf(one) ?? "").pipe(
        Effect.timeoutFail({
          duration: patience,
          onTimeout: () => violation(`call ${one.index} is running for ever`)
        }),
        Effect.mapError((error) => error instanceof Violation ? error : violation(`no outcome: ${error.message}`))
      )
      const contradiction = contradictsOutcome(found, before, times())
      if (contradiction !== undefined) {
        return yield* violation(`call ${one.index}, with the outcome ${found._tag}: ${contradiction}`)
      }
      return `outcome ${found._tag}`
    }))

/** Counts of what has happened, by name. */
export type Counts = { readonly [name: string]: number }

/**
 * Runs a schedule over the gateway, with a number that no other run has, and fails with a Violation where something happened that must not. Says how often
 * what has happened.
 */
export const runSchedule = (
  ground: Ground,
  schedule: FaultSchedule,
  run: number
): Effect.Effect<Counts, Violation> =>
  Effect.gen(function*() {
    const { connections, made } = yield* Effect.scoped(Effect.gen(function*() {
      const proxy = yield* FaultProxy.make(ground.gateway.port, {
        steps: schedule.steps,
        hides: schedule.hides ?? undefined
      })
      const made = yield* Effect.scoped(runClients(ground, schedule, run, proxy)).pipe(
        Effect.timeoutFail({ duration: "60 seconds", onTimeout: () => violation("the schedule did not end") })
      )
      yield* goesAway("a client left its socket open", () => proxy.clients() === 0)
      return { made, connections: proxy.connections.length }
    }))
    yield* failOn(violationsIn(made, readLog(ground, run), { slack, isKeyed: schedule.hides === null }))
    const outcomes = yield* checkOutcomes(ground, schedule, run, made)
    yield* failOn(violationsIn(made, readLog(ground, run), { slack, isKeyed: schedule.hides === null }))
    return { ...countsOf(made, outcomes), reconnects: Math.max(0, connections - schedule.clients) }
  }).pipe(
    Effect.catchAllCause((cause) =>
      Option.match(Cause.failureOption(cause), {
        onSome: Effect.fail,
        onNone: () => Effect.fail(violation(`a defect: ${Cause.pretty(cause)}`))
      })
    )
  )
