import { describe, expect, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as fs from "node:fs"
import { join } from "node:path"
import { mostRunning } from "../../../../src/local/capabilities/process/ProcessTable.js"
import { until } from "../../../support/deadline.js"
import { make, runningWith, sandboxes, text, type World } from "./support.js"

const start = ({ invoke }: World, command: string) =>
  Effect.map(invoke("process.run", { command, background: true }), (answer) => text(answer, "process_id"))

const stateOf = ({ invoke }: World, process_id: string) =>
  Effect.map(invoke("process.monitor", { process_id }), ({ state }) => state)

const untilState = (world: World, id: string, state: string) =>
  until(`${id} is ${state}`, Effect.map(stateOf(world, id), (found) => found === state))

const untilOutput = ({ invoke }: World, process_id: string, output: string) =>
  until(
    "its output",
    Effect.map(invoke("process.logs", { process_id }), (logs) => text(logs, "stdout").includes(output))
  )

// A word that is in the command line of a process of this test and in no other.
let words = 0
const uniqueSeconds = () => `${3600 + ++words}.${process.pid}`

describe.each(sandboxes)("processes in the background in $sandbox", ({ sandbox }) => {
  it.scopedLive(
    "answers at once; its output can be followed from byte to byte, up to its end",
    () =>
      Effect.gen(function*() {
        const world = yield* make({ sandbox })
        const { invoke, workspace } = world
        const command = "echo no >&2; sleep 0.1; echo ünï; until [ -e go ]; do sleep 0.02; done; echo over; exit 4"
        const started = yield* invoke("process.run", { command, background: true, stdin: "not read" })
        expect(started).toMatchObject({ state: "running", exit_code: null })
        const process_id = text(started, "process_id")
        yield* untilOutput(world, process_id, "ünï\n")
        expect(yield* invoke("process.logs", { process_id })).toMatchObject({
          stdout: "ünï\n",
          stdout_size: 6,
          stderr_size: 3,
          truncated: false,
          state: "running"
        })
        expect(yield* invoke("process.logs", { process_id, stream: "stderr" })).toMatchObject({
          stdout: "",
          stderr: "no\n"
        })
        expect(yield* invoke("process.logs", { process_id, limit: 2, stream: "stdout" })).toMatchObject({
          stdout: "ü",
          stderr: "",
          truncated: true
        })
        expect(yield* invoke("process.monitor", { process_id })).toMatchObject({
          process_id,
          command,
          state: "running"
        })
        fs.writeFileSync(join(workspace, "go"), "")
        yield* untilState(world, process_id, "completed")
        expect(yield* invoke("process.monitor", { process_id })).toMatchObject({ state: "completed", exit_code: 4 })
        expect(yield* invoke("process.logs", { process_id, offset: 6 })).toMatchObject({
          stdout: "over\n",
          stdout_size: 11,
          truncated: false
        })
        expect(yield* invoke("process.logs", { process_id, offset: 100 })).toMatchObject({
          stdout: "",
          truncated: false
        })
      })
  )

  it.scopedLive("are listed, the newest first, by their state", () =>
    Effect.gen(function*() {
      const world = yield* make({ sandbox })
      const { invoke } = world
      const ended = yield* start(world, "exit 7")
      yield* untilState(world, ended, "completed")
      const running = yield* start(world, "sleep 60")
      const list = (input: object) =>
        Effect.map(invoke("process.list", { ...input }), ({ processes, total }) => {
          const ids = Array.isArray(processes) ? processes.map(({ process_id }) => process_id) : undefined
          return { ids, total }
        })
      expect(yield* list({})).toEqual({ ids: [running, ended], total: 2 })
      expect(yield* list({ limit: 1 })).toEqual({ ids: [running], total: 2 })
      expect(yield* list({ state_filter: "running" })).toEqual({ ids: [running], total: 1 })
      expect(yield* list({ state_filter: "completed" })).toEqual({ ids: [ended], total: 1 })
      expect(yield* list({ state_filter: "timed_out" })).toEqual({ ids: [], total: 0 })
      expect(yield* Effect.flip(invoke("process.list", { state_filter: "gone" }))).toMatchObject({
        type: "InvalidFilter"
      })
    }))

  it.scopedLive(
    "are nobody else's, and unknown ids and streams are refused",
    () =>
      Effect.gen(function*() {
        const world = yield* make({ sandbox })
        const process_id = yield* start(world, "sleep 60")
        const other = {
          agent: {
            name: "other",
            purpose: "",
            policyGroup: "default",
            workspace: Option.none(),
            status: "active" as const,
            keyGeneration: 1,
            createdAt: DateTime.unsafeMake(0)
          }
        }
        for (const name of ["process.monitor", "process.logs", "process.kill"] as const) {
          expect(yield* Effect.flip(world.invoke(name, { process_id }, other))).toMatchObject({
            _tag: "ProcessNotFound"
          })
          expect(yield* Effect.flip(world.invoke(name, { process_id: "proc-x" }))).toMatchObject({
            _tag: "ProcessNotFound",
            processId: "proc-x"
          })
        }
        expect(yield* world.invoke("process.list", {}, other)).toEqual({ processes: [], total: 0 })
        expect(yield* Effect.flip(world.invoke("process.logs", { process_id, stream: "all" }))).toMatchObject({
          type: "InvalidStream"
        })
      })
  )

  it.scopedLive(
    "are killed by the signal that is asked for, with all their children",
    () =>
      Effect.gen(function*() {
        const world = yield* make({ sandbox })
        const seconds = uniqueSeconds()
        const process_id = yield* start(world, `sleep ${seconds} & (sleep ${seconds} &); echo up; wait`)
        yield* untilOutput(world, process_id, "up")
        yield* until("its children", Effect.sync(() => runningWith(seconds).length > 1))
        expect(yield* world.invoke("process.kill", { process_id })).toEqual({
          killed: true,
          signal_sent: "SIGTERM",
          process_id,
          state: "killed"
        })
        expect(yield* world.invoke("process.monitor", { process_id })).toMatchObject({
          state: "killed",
          exit_code: null
        })
        expect(yield* world.invoke("process.logs", { process_id })).toMatchObject({ stdout: "up\n", stderr: "" })
        yield* until("their end", Effect.sync(() => runningWith(`sleep\0${seconds}`).length === 0))
        expect(yield* Effect.flip(world.invoke("process.kill", { process_id }))).toMatchObject({
          _tag: "ProcessAlreadyExited",
          processId: process_id
        })
      })
  )

  it.scopedLive("lose no signal that comes at the very moment they have begun", () =>
    Effect.gen(function*() {
      const world = yield* make({ sandbox })
      const startedAndTold = Effect.gen(function*() {
        const process_id = yield* start(world, "sleep 20 & sleep 20; wait")
        const { signal_sent } = yield* world.invoke("process.kill", { process_id, force_after: 8 })
        return signal_sent
      })
      const sent = yield* Effect.replicateEffect(startedAndTold, sandbox === "none" ? 200 : 40, { concurrency: 8 })
      expect(new Set(sent)).toEqual(new Set(["SIGTERM"]))
    }), 60_000)

  it.scopedLive("that are killed see nothing of it, so that none ends in its own way", () =>
    Effect.gen(function*() {
      const world = yield* make({ sandbox })
      const startedAndKilled = Effect.gen(function*() {
        const process_id = yield* start(world, "echo up; while sleep 0.01; do :; done; echo over; exit 3")
        yield* untilOutput(world, process_id, "up")
        const { state } = yield* world.invoke("process.kill", { process_id, signal: "SIGKILL" })
        return [state, text(yield* world.invoke("process.logs", { process_id }), "stdout")].join()
      })
      const ends = yield* Effect.replicateEffect(startedAndKilled, 40, { concurrency: 8 })
      expect(new Set(ends)).toEqual(new Set(["killed,up\n"]))
    }), 60_000)

  it.scopedLive("may end in order when they are told to", () =>
    Effect.gen(function*() {
      const world = yield* make({ sandbox })
      const process_id = yield* start(world, "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.02; done")
      yield* untilOutput(world, process_id, "up")
      expect(yield* world.invoke("process.kill", { process_id })).toMatchObject({ killed: true, state: "completed" })
      expect(yield* world.invoke("process.logs", { process_id })).toMatchObject({ stdout: "up\nbye\n" })
    }))

  it.scopedLive(
    "are killed for good after force_after, and never where that is 0",
    () =>
      Effect.gen(function*() {
        const world = yield* make({ sandbox })
        const process_id = yield* start(
          world,
          "trap '' TERM; trap 'echo got it' USR1; echo up; while :; do sleep 0.02; done"
        )
        yield* untilOutput(world, process_id, "up")
        const kill = (input: object) => world.invoke("process.kill", { process_id, ...input })
        expect(yield* kill({ signal: "SIGUSR1", force_after: 0 })).toMatchObject({ killed: false, state: "running" })
        yield* untilOutput(world, process_id, "got it")
        expect(yield* Effect.flip(kill({ force_after: 0 }))).toMatchObject({
          _tag: "KillFailed",
          processId: process_id,
          signal: "SIGTERM"
        })
        expect(yield* Effect.flip(kill({ signal: "SIGSTOP" }))).toMatchObject({ _tag: "InvalidInput", field: "signal" })
        expect(yield* kill({ force_after: 1 })).toMatchObject({ killed: true, signal_sent: "SIGKILL", state: "killed" })
      }),
    20_000
  )

  it.scopedLive(
    "end with their session, and the foreground with its invocation",
    () =>
      Effect.gen(function*() {
        const world = yield* make({ sandbox })
        const seconds = uniqueSeconds()
        const session = yield* Scope.make()
        const { process_id } = yield* world.invoke(
          "process.run",
          { command: `sleep ${seconds}`, background: true },
          { sessionScope: session }
        )
        const own = yield* start(world, "sleep 60")
        yield* Scope.close(session, Exit.void)
        expect(runningWith(`sleep\0${seconds}`)).toEqual([])
        yield* untilState(world, String(process_id), "killed")
        expect(yield* stateOf(world, own)).toBe("running")

        const inFront = yield* Effect.fork(world.invoke("process.run", { command: `sleep ${seconds}; :`, stdin: "x" }))
        yield* until("its start", Effect.sync(() => runningWith(`sleep\0${seconds}`).length === 1))
        yield* Fiber.interrupt(inFront)
        expect(runningWith(`sleep\0${seconds}`)).toEqual([])
        const killed = Effect.map(world.invoke("process.list", { state_filter: "killed" }), ({ total }) => total)
        yield* until("both to be told of", Effect.map(killed, (total) => total === 2))
      })
  )

  it.scopedLive("end with the gateway, whatever scope they had", () =>
    Effect.gen(function*() {
      const seconds = uniqueSeconds()
      yield* Effect.scoped(Effect.gen(function*() {
        const world = yield* make({ sandbox })
        const { approvalId } = { approvalId: "approval" }
        yield* world.invoke("process.run", { command: `sleep ${seconds}`, background: true }, { approvalId })
        yield* until("its start", Effect.sync(() => runningWith(`sleep\0${seconds}`).length === 1))
      }))
      expect(runningWith(`sleep\0${seconds}`)).toEqual([])
    }))

  it.scopedLive("are only so many at a time, and not all are remembered", () =>
    Effect.gen(function*() {
      const world = yield* make({ sandbox })
      const all = yield* Effect.all(
        Array.from({ length: mostRunning + 4 }, () => Effect.either(start(world, "sleep 60"))),
        { concurrency: "unbounded" }
      )
      const failures = all.flatMap((one) => one._tag === "Left" ? [one.left] : [])
      expect(failures).toHaveLength(4)
      expect(failures[0]).toMatchObject({ _tag: "ResourceExhausted", resource: "processes", limit: mostRunning })
      const [first] = all.flatMap((one) => one._tag === "Right" ? [one.right] : [])
      yield* world.invoke("process.kill", { process_id: first, signal: "SIGKILL" })
      yield* Effect.forEach(
        Array.from({ length: 55 }),
        () => world.invoke("process.run", { command: "true", args: [] })
      )
      const { total } = yield* world.invoke("process.list", {})
      expect(total).toBe(50 + mostRunning - 1)
      expect(yield* Effect.flip(world.invoke("process.monitor", { process_id: first }))).toMatchObject({
        _tag: "ProcessNotFound"
      })
    }), 60_000)
})
