import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { Gateway } from "kruxos"
import { NodeGateway } from "kruxos/node"
import * as fs from "node:fs"
import { dirname, join } from "node:path"
import { inspect, isDeepStrictEqual } from "node:util"
import { Agents } from "../../src/local/store/Agents.js"
import * as FaultProxy from "../support/faultProxy.js"
import { folders } from "../support/gateway.js"
import { type GatewayProcess, startProcess } from "../support/gatewayProcess.js"
import { program, sources, type Told } from "./programAgent.js"
import { disturb, gone, type Journey, type Killer, makeKiller } from "./programFaults.js"
import { byName, differences, look, type Result } from "./programResult.js"
import { type ProgramSchedule, type Schedule as FaultSchedule, undisturbed } from "./programSchedule.js"
import { approving, requestsOf } from "./programSupervisor.js"

/** What a run must never show. */
export class Violation extends Data.TaggedError("Violation")<{ readonly message: string }> {}

/** Where schedules are run, one at a time. */
export interface Ground {
  readonly gateway: GatewayProcess
  /** What a program does that nothing disturbs: what it leaves, and how much it says for it. */
  readonly expected: Result
  readonly handshake: number
  readonly way: number
}

/** Counts of what has happened, by name. */
export type Counts = { readonly [name: string]: number }

const policy = `
name: looks
version: "1.0"
defaults: { tier: autonomous }
capabilities:
  filesystem.delete: { tier: approval_required, reason: "deletions are looked at" }
  filesystem.append:
    tier: autonomous
    rules:
      - condition: { path_prefix: /workspace/published }
        tier: approval_required
        reason: "what is published is looked at"
`

// Of a program that was cut off so often, at a gateway that it shares, on a machine that does other things besides.
const patience = "3 minutes"

/** An agent with a workspace of its own, in which there is what the program needs. */
const makeAgent = (gateway: GatewayProcess, name: string) =>
  Effect.gen(function*() {
    const workspace = join(dirname(gateway.workspace), name)
    for (const folder of ["", "sources", "published"]) fs.mkdirSync(join(workspace, folder))
    for (const [path, content] of Object.entries(sources)) fs.writeFileSync(join(workspace, path), content)
    const { apiKey } = yield* Effect.flatMap(Agents, (agents) => agents.create({ name, workspace })).pipe(
      gateway.inStore,
      Effect.orDie
    )
    return { name, workspace, apiKey }
  })

// A gateway that is away is not kept from coming back by those who look for it.
const soon = Schedule.exponential("10 millis").pipe(Schedule.union(Schedule.spaced("100 millis")))

const connect = (host: string, apiKey: Redacted.Redacted<string>) =>
  Layer.build(NodeGateway.layer({
    host,
    apiKey,
    heartbeat: "1 second",
    requestTimeout: "5 seconds",
    reconnect: soon
  })).pipe(Effect.orDie)

/** A program that has its connection, and has not begun. */
const prepare = (gateway: GatewayProcess, name: string) =>
  Effect.gen(function*() {
    const agent = yield* makeAgent(gateway, name)
    const proxy = yield* FaultProxy.make(gateway.port)
    const context = yield* connect(proxy.url, agent.apiKey)
    const counts: Record<string, number> = {}
    const count = (what: string) => {
      counts[what] = (counts[what] ?? 0) + 1
    }
    yield* Stream.runForEach(
      Effect.provide(Gateway, context).pipe(Effect.map(({ status }) => status), Stream.unwrap),
      (status) =>
        Effect.sync(() => {
          if (status._tag === "Connected") count(status.lost === undefined ? "same session" : "new session")
        })
    ).pipe(Effect.forkScoped)
    return { agent, proxy, context, counts, count }
  })

type Prepared = Effect.Effect.Success<ReturnType<typeof prepare>>

const violation = (message: string) => new Violation({ message })

/** Runs a program to its end, and looks at what it has left. */
const toItsEnd = (gateway: GatewayProcess, { agent, context, count }: Prepared) =>
  Effect.gen(function*() {
    const told: Told = []
    const seen = yield* program(told, agent.name).pipe(
      Effect.provide(context),
      Effect.mapError((error) => violation(`the program failed: ${inspect(error, { depth: 6 })}`)),
      Effect.timeoutFail({
        duration: patience,
        onTimeout: () => violation(`the program did not end; it was told ${told.join(", ")}`)
      })
    )
    told.forEach((what) => count(`told ${what}`))
    return seen
  }).pipe(
    Effect.catchTag("Violation", ({ message }) =>
      Effect.flatMap(requestsOf(gateway, agent.name), (requests) =>
        violation(`${message}\nIts requests for approval: ${requests}`)))
  )

/** What a program that has ended has left, and has seen. */
const leftBy = (gateway: GatewayProcess, { agent, context }: Prepared, seen: ReadonlyMap<string, number>) =>
  Effect.gen(function*() {
    const direct = yield* connect(gateway.url, agent.apiKey)
    const left = yield* look(gateway, agent, direct, context)
    const followed = Effect.sync(() =>
      [...seen].map(([key, value]) => ({ name: key.slice(agent.name.length + 1), value })).toSorted(byName)
    )
    // What has changed last may still be on its way.
    const last = left.shared.map(({ name, value }) => ({ name, value }))
    yield* followed.pipe(
      Effect.repeat({ until: (now) => isDeepStrictEqual(now, last), schedule: Schedule.spaced("10 millis") }),
      Effect.timeoutOption("30 seconds")
    )
    const result: Result = { ...left, followed: yield* followed }
    return result
  })

/** Starts a gateway, and lets a program run there that nothing disturbs. */
export const makeGround = Effect.gen(function*() {
  const used = yield* folders
  const policyFile = join(used.dataDirectory, "policy.yaml")
  fs.writeFileSync(policyFile, policy)
  const gateway = yield* startProcess({ folders: used, asksHumans: true, args: ["--policy", policyFile] })
  const { expected, handshake, way } = yield* Effect.scoped(Effect.gen(function*() {
    const prepared = yield* prepare(gateway, "agent-0-0")
    const { proxy } = prepared
    const handshake = proxy.connections[0]?.forwarded("toServer") ?? 0
    yield* approving(gateway, () => undisturbed)
    const seen = yield* toItsEnd(gateway, prepared)
    const way = gone({ proxy, handshake, way: 0 })
    return { expected: yield* leftBy(gateway, prepared, seen), handshake, way }
  }))
  const ground: Ground = { gateway, expected, handshake, way }
  return ground
})

const disturbed = (
  ground: Ground,
  prepared: Prepared,
  program: number,
  schedule: ProgramSchedule,
  killer: Killer
) =>
  Effect.gen(function*() {
    const { count, proxy } = prepared
    const { expected, gateway, handshake, way } = ground
    const journey: Journey = { proxy, handshake, way }
    let lost = 0
    const disturbing = disturb(journey, program, schedule, killer, (how) => {
      lost++
      count(`socket lost: ${how}`)
    })
    // A gateway that does not come back is told at once.
    const seen = yield* Effect.raceFirst(toItsEnd(gateway, prepared), Effect.zipRight(disturbing, Effect.never))
    const suffered = killer.kills()
    if (lost !== schedule.cuts.length || suffered !== killer.coming.length) {
      yield* violation(`it ended after ${lost} cuts and ${suffered} kills, which is too soon to show anything`)
    }
    const sessions = prepared.counts["new session"] ?? 0
    if (sessions > suffered) {
      yield* violation(`it has lost ${sessions} sessions, and its gateway only ${suffered} times`)
    }
    const differing = differences(yield* leftBy(gateway, prepared, seen), expected)
    if (differing.length > 0) yield* violation(differing.join("\n"))
  })

/**
 * Runs the programs of a schedule, which has a number that no other one has on this ground. Fails with a Violation where something happened
 * that must not; says how often what has happened.
 */
export const runSchedule = (ground: Ground, schedule: FaultSchedule, run: number): Effect.Effect<Counts, Violation> =>
  Effect.gen(function*() {
    const { gateway } = ground
    const named = new Map<string, ProgramSchedule>(
      schedule.programs.map((program, index) => [`agent-${run}-${index}`, program])
    )
    yield* approving(gateway, (agent) => named.get(agent))
    const prepared = yield* Effect.forEach(named.keys(), (name) => prepare(gateway, name), { concurrency: "unbounded" })
    const killer = yield* makeKiller(gateway, schedule.kills)
    yield* Effect.forEach(prepared, (one, index) => {
      const each = schedule.programs[index] ?? undisturbed
      return Effect.mapError(
        disturbed(ground, one, index, each, killer),
        ({ message }) => violation(`program ${index}: ${message}`)
      )
    }, { concurrency: "unbounded", discard: true })
    return total(prepared.map(({ counts }) => counts))
  }).pipe(
    Effect.scoped,
    Effect.catchAllCause((cause) =>
      Option.match(Cause.failureOption(cause), {
        onSome: Effect.fail,
        onNone: () => Effect.fail(violation(`a defect: ${Cause.pretty(cause)}`))
      })
    )
  )

/** All counts together. */
export const total = (counts: ReadonlyArray<Counts>): Counts => {
  const sum: Record<string, number> = {}
  for (const one of counts) {
    for (const [name, count] of Object.entries(one)) sum[name] = (sum[name] ?? 0) + count
  }
  return sum
}
