import { assert, expect } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { until } from "../../../support/deadline.js"
import { failing, type Row, type Table } from "../Row.js"
import type { World } from "../World.js"

const nothing = { process_id: "no-such-process" }

const unknown = { processId: nothing.process_id }

const started = ({ invoke }: World, command: string) =>
  Effect.map(invoke("process.run", { command, background: true }), ({ process_id }) => ({ process_id }))

const ended = ({ invoke }: World, which: { readonly process_id: string }) =>
  until("the end of the process", Effect.map(invoke("process.monitor", which), ({ state }) => state !== "running"))

const refusing = (input: object, field: string): Row => ({ invokeDynamic }) =>
  Effect.map(Effect.flip(invokeDynamic("process.run", { command: "true", ...input })), (error) => {
    expect(error).toMatchObject({ _tag: "InvalidInput", field })
  })

export const processes: Table<"process"> = {
  "process.run": {
    success: ({ directory, invoke, put, text }) =>
      Effect.gen(function*() {
        put(`${directory}/in.txt`, "from a file\n")
        const run = yield* invoke("process.run", {
          command: "cat in.txt - | tee out.txt; echo \"$WORD\" >&2; exit 3",
          working_directory: directory,
          environment: { WORD: "to the errors" },
          stdin: "from the caller\n"
        })
        expect(run).toMatchObject({
          exit_code: 3,
          stdout: "from a file\nfrom the caller\n",
          stderr: "to the errors\n",
          state: "completed"
        })
        assert.strictEqual(text(`${directory}/out.txt`), run.stdout)
      }),
    errors: {
      CommandNotFound: ({ invoke }) =>
        failing(invoke("process.run", { command: "no-such-program", args: [] }), { command: "no-such-program" }),
      ResourceLimitExceeded: ({ invoke }) =>
        failing(invoke("process.run", { command: "for one in $(seq 120); do sleep 20 & done; wait", timeout: 20 }), {
          resource: "processes",
          limit: 100
        }),
      PathOutOfScope: ({ invoke }) =>
        failing(invoke("process.run", { command: "true", working_directory: "/etc" }), { path: "/etc" }),
      SpawnFailed: ({ directory, host, invoke, put }) => {
        put(`${directory}/text`, "no program")
        fs.chmodSync(host(`${directory}/text`), 0o644)
        const command = "./text"
        return failing(invoke("process.run", { command, args: [], working_directory: directory }), { command })
      }
    },
    limits: {
      "runs no shell where there are arguments": ({ invoke }) =>
        Effect.gen(function*() {
          const run = yield* invoke("process.run", { command: "echo", args: ["$HOME; $(id) `id` | tee x"] })
          assert.strictEqual(run.stdout, "$HOME; $(id) `id` | tee x\n")
        }),
      "gives what there was when the time is over": ({ invoke }) =>
        Effect.gen(function*() {
          const run = yield* invoke("process.run", { command: "echo before; sleep 30", timeout: 1 })
          expect(run).toMatchObject({ state: "timed_out", exit_code: null, stdout: "before\n" })
        }),
      "runs for 3600 seconds at most": refusing({ timeout: 3601 }, "timeout"),
      "lets nobody set protected variables": refusing({ environment: { LD_PRELOAD: "x.so" } }, "environment"),
      "gives the last lines in the summary": ({ invoke }) =>
        Effect.gen(function*() {
          const run = yield* invoke("process.run", { command: "seq 5", stdout_lines: 2 })
          assert.deepStrictEqual([run.stdout, run.stdout_summary], ["1\n2\n3\n4\n5\n", "4\n5\n"])
        })
    }
  },
  "process.monitor": {
    success: (world) =>
      Effect.gen(function*() {
        const which = yield* started(world, "sleep 30")
        const seen = yield* world.invoke("process.monitor", which)
        expect(seen).toMatchObject({ ...which, command: "sleep 30", state: "running", exit_code: null })
      }),
    errors: { ProcessNotFound: ({ invoke }) => failing(invoke("process.monitor", nothing), unknown) },
    limits: {
      "shows nobody else's": (world) =>
        Effect.gen(function*() {
          const which = yield* started(world, "sleep 30")
          const other = yield* world.another({ name: which.process_id })
          assert.strictEqual((yield* Effect.flip(other.invoke("process.monitor", which)))._tag, "ProcessNotFound")
        })
    }
  },
  "process.kill": {
    success: (world) =>
      Effect.gen(function*() {
        const which = yield* started(world, "sleep 30 & sleep 30; wait")
        const killed = yield* world.invoke("process.kill", which)
        assert.deepStrictEqual(killed, { killed: true, signal_sent: "SIGTERM", ...which, state: "killed" })
        expect(yield* world.invoke("process.monitor", which)).toMatchObject({ state: "killed", exit_code: null })
      }),
    errors: {
      ProcessNotFound: ({ invoke }) => failing(invoke("process.kill", nothing), unknown),
      ProcessAlreadyExited: (world) =>
        Effect.gen(function*() {
          const which = yield* started(world, "exit 7")
          yield* ended(world, which)
          return yield* failing(world.invoke("process.kill", which), { processId: which.process_id, exitCode: 7 })
        }),
      KillFailed: (world) =>
        Effect.gen(function*() {
          const which = yield* started(world, "trap '' TERM; echo ready; while :; do sleep 1; done")
          yield* until(
            "the program",
            Effect.map(world.invoke("process.logs", which), ({ stdout }) => stdout === "ready\n")
          )
          const failed = yield* failing(world.invoke("process.kill", { ...which, force_after: 0 }), {
            processId: which.process_id,
            signal: "SIGTERM"
          })
          yield* world.invoke("process.kill", { ...which, signal: "SIGKILL" })
          return failed
        })
    },
    limits: {
      "sends SIGKILL after force_after": (world) =>
        Effect.gen(function*() {
          const which = yield* started(world, "trap '' TERM; echo ready; while :; do sleep 1; done")
          yield* until(
            "the program",
            Effect.map(world.invoke("process.logs", which), ({ stdout }) => stdout === "ready\n")
          )
          const killed = yield* world.invoke("process.kill", { ...which, force_after: 1 })
          expect(killed).toMatchObject({ killed: true, signal_sent: "SIGKILL", state: "killed" })
        })
    }
  },
  "process.list": {
    success: ({ another, directory: name }) =>
      Effect.gen(function*() {
        const world = yield* another({ name })
        yield* world.invoke("process.run", { command: "echo first" })
        const which = yield* started(world, "sleep 30")
        const { processes: all, total } = yield* world.invoke("process.list")
        expect(all).toMatchObject([{ ...which, state: "running" }, { command: "echo first", state: "completed" }])
        assert.strictEqual(total, 2)
        const running = yield* world.invoke("process.list", { state_filter: "running" })
        assert.deepStrictEqual(running.processes.map(({ process_id }) => process_id), [which.process_id])
      }),
    errors: {
      InvalidFilter: ({ invokeDynamic }) =>
        failing(invokeDynamic("process.list", { state_filter: "asleep" }), {
          _tag: "InvalidInput",
          field: "state_filter"
        })
    }
  },
  "process.logs": {
    success: (world) =>
      Effect.gen(function*() {
        const which = yield* started(world, "echo äbc; echo oops >&2")
        yield* ended(world, which)
        expect(yield* world.invoke("process.logs", which)).toMatchObject({
          stdout: "äbc\n",
          stderr: "oops\n",
          stdout_size: 5,
          stderr_size: 5,
          truncated: false,
          state: "completed"
        })
        const part = yield* world.invoke("process.logs", { ...which, stream: "stdout", offset: 2, limit: 2 })
        assert.deepStrictEqual([part.stdout, part.stderr], ["bc", ""])
      }),
    errors: {
      ProcessNotFound: ({ invoke }) => failing(invoke("process.logs", nothing), unknown),
      InvalidStream: ({ invokeDynamic }) =>
        failing(invokeDynamic("process.logs", { ...nothing, stream: "stdin" }), {
          _tag: "InvalidInput",
          field: "stream"
        })
    }
  }
}
