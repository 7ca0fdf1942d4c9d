import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { join } from "node:path"
import type { ProgressReport } from "../../../../src/local/progress.js"
import { keptMemory } from "../../../support/garbage.js"
import { make, sandboxes, text } from "./support.js"

describe.each(sandboxes)("process.run in $sandbox", ({ sandbox }) => {
  it.scopedLive(
    "runs a line in the shell, in the workspace, and says how it went",
    () =>
      Effect.gen(function*() {
        const { invoke, workspace } = yield* make({ sandbox })
        fs.writeFileSync(join(workspace, "a.txt"), "hello")
        const answer = yield* invoke("process.run", { command: "cat a.txt; echo no >&2; echo made > b.txt; exit 3" })
        expect(answer).toMatchObject({
          exit_code: 3,
          stdout: "hello",
          stdout_summary: "hello",
          stderr: "no\n",
          state: "completed"
        })
        expect(fs.readFileSync(join(workspace, "b.txt"), "utf8")).toBe("made\n")
      })
  )

  it.scopedLive(
    "hands arguments on as they are, whatever a shell would make of them",
    () =>
      Effect.gen(function*() {
        const { invoke, workspace } = yield* make({ sandbox })
        const args = ["%s\\n", "$(touch x)", "; touch x", "`touch x`", "a b", "*", "--", "-n", "'\"", "\n", "$HOME", ""]
        const answer = yield* invoke("process.run", { command: "printf", args })
        expect(text(answer, "stdout").slice(0, -1)).toBe(args.slice(1).join("\n"))
        expect(fs.readdirSync(workspace)).toEqual([])
      })
  )

  it.scopedLive(
    "takes no builtin of the shell for a program, and says what cannot be run",
    () =>
      Effect.gen(function*() {
        const { invoke, workspace } = yield* make({ sandbox })
        fs.writeFileSync(join(workspace, "plain.sh"), "echo no")
        const failure = (command: string) => Effect.flip(invoke("process.run", { command, args: [] }))
        for (const command of ["no-such-program", "exit", "./missing", "exec", "-x", "a b"]) {
          expect(yield* failure(command)).toMatchObject({ _tag: "CommandNotFound", command })
        }
        expect(yield* failure("./plain.sh")).toMatchObject({ _tag: "SpawnFailed", command: "./plain.sh" })
        expect(yield* failure("./")).toMatchObject({ _tag: "SpawnFailed" })
      })
  )

  it.scopedLive(
    "gives a clean environment, to which may be added and nothing be changed",
    () =>
      Effect.gen(function*() {
        const { invoke } = yield* make({ sandbox })
        process.env["KRUXOS_TEST_SECRET"] = "of the gateway"
        process.env["SOME_TEST_TOKEN"] = "of the gateway"
        const answer = yield* invoke("process.run", { command: "env", args: [], environment: { ADDED: "x=y z" } })
        delete process.env["KRUXOS_TEST_SECRET"]
        delete process.env["SOME_TEST_TOKEN"]
        expect(text(answer, "stdout")).toContain("ADDED=x=y z\n")
        expect(text(answer, "stdout")).not.toContain("of the gateway")
        const names = text(answer, "stdout").trim().split("\n").map((line) => line.split("=")[0])
        const own = ["ADDED", "HOME", "LANG", "LOGNAME", "PATH", "PWD", "SHELL", "TERM", "TMPDIR", "USER"]
        const found = names.filter((name) => !["KRUXOS_PROCESS", "OLDPWD", "_"].includes(name ?? ""))
        expect(new Set(found)).toEqual(new Set(own))
        for (const name of ["PATH", "LD_PRELOAD", "KRUXOS_API_KEY", "BASH_ENV", "A B", "A=B", "", "BASH_FUNC_x"]) {
          const refused = yield* Effect.flip(
            invoke("process.run", { command: "env", environment: { [name]: "the value" } })
          )
          expect(refused).toMatchObject({ _tag: "InvalidInput", field: "environment" })
          expect(refused.message).not.toContain("the value")
        }
      })
  )

  it.scopedLive("reads standard input, and nothing where none is given", () =>
    Effect.gen(function*() {
      const { invoke } = yield* make({ sandbox })
      const stdin = "ünï\n".repeat(100_000)
      expect(yield* invoke("process.run", { command: "wc -c", stdin })).toMatchObject({ stdout: "600000\n" })
      expect(yield* invoke("process.run", { command: "cat" })).toMatchObject({ stdout: "", exit_code: 0 })
      // Nobody reads it.
      expect(yield* invoke("process.run", { command: "true", stdin })).toMatchObject({ exit_code: 0 })
    }))

  it.scopedLive(
    "works in a directory of the workspace, wherever links lead",
    () =>
      Effect.gen(function*() {
        const { folder, invoke, workspace } = yield* make({ sandbox })
        fs.mkdirSync(join(workspace, "a/b"), { recursive: true })
        fs.symlinkSync("a/b", join(workspace, "link"))
        fs.symlinkSync(folder, join(workspace, "out"))
        fs.writeFileSync(join(workspace, "file"), "")
        const run = (working_directory: string) => invoke("process.run", { command: "touch here", working_directory })
        yield* run("/workspace/link")
        expect(fs.readdirSync(join(workspace, "a/b"))).toEqual(["here"])
        for (const path of ["/etc", "..", "out", "/workspace/.kruxos"]) {
          expect(yield* Effect.flip(run(path))).toMatchObject({ _tag: "PathOutOfScope" })
        }
        for (const path of ["missing", "file"]) {
          expect(yield* Effect.flip(run(path))).toMatchObject({ _tag: "InvalidInput", field: "working_directory" })
        }
        expect(fs.existsSync(join(folder, "here"))).toBe(false)
      })
  )

  it.scopedLive("stops what takes too long, with the output so far", () =>
    Effect.gen(function*() {
      const { invoke } = yield* make({ sandbox })
      expect(yield* invoke("process.run", { command: "echo begun; sleep 60", timeout: 1 })).toMatchObject({
        state: "timed_out",
        exit_code: null,
        stdout: "begun\n"
      })
      const stubborn = yield* invoke("process.run", {
        command: "trap '' TERM; echo begun; sleep 60 & wait; sleep 60",
        timeout: 1
      })
      expect(stubborn).toMatchObject({ state: "timed_out", exit_code: null, stdout: "begun\n" })
      expect(Number(stubborn["duration_ms"])).toBeLessThan(30_000)
    }), 40_000)

  it.scopedLive(
    "keeps the first MiB of output and its last lines, however much comes",
    () =>
      Effect.gen(function*() {
        const { invoke } = yield* make({ sandbox })
        const before = yield* keptMemory
        const answer = yield* invoke("process.run", {
          command: "yes | head -c 1000000000; echo; echo the end",
          stdout_lines: 2,
          timeout: 110,
          cpu_limit: 2
        })
        expect(answer).toMatchObject({ exit_code: 0, stdout_summary: "\nthe end\n" })
        const stdout = text(answer, "stdout")
        expect(stdout.length).toBe(1024 * 1024 + "\n[truncated]".length)
        expect(stdout.endsWith("y\n\n[truncated]")).toBe(true)
        const after = yield* keptMemory
        expect(after.heapUsed + after.external - before.heapUsed - before.external).toBeLessThan(10 * 1024 * 1024)
        const logs = { process_id: answer["process_id"] }
        expect(yield* invoke("process.logs", { ...logs, offset: 2, limit: 4 })).toMatchObject({
          stdout: "y\ny\n",
          stdout_size: 1_000_000_009,
          truncated: true
        })
      }),
    120_000
  )

  it.scopedLive("tells each line as it comes", () =>
    Effect.gen(function*() {
      const { invoke } = yield* make({ sandbox })
      const reports: Array<ProgressReport> = []
      yield* invoke("process.run", { command: "echo one; echo two >&2; printf three" }, {
        progress: (report) => void reports.push(report)
      })
      expect(new Set(reports.map(({ message }) => message))).toEqual(new Set(["one", "two", "three"]))
      expect(reports.map(({ progress }) => progress)).toEqual([1, 2, 3])
    }))

  it.scopedLive("counts what it takes", () =>
    Effect.gen(function*() {
      const { invoke } = yield* make({ sandbox })
      const { resource_usage } = yield* invoke("process.run", {
        command: "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done"
      })
      expect(resource_usage).toMatchObject({ cpu_ms: expect.any(Number) })
      expect(Object.values(Object(resource_usage))[0]).toBeGreaterThan(20)
    }))

  it.scopedLive("sets limits however much is asked for", () =>
    Effect.gen(function*() {
      const { invoke } = yield* make({ sandbox })
      const limits = { cpu_limit: 1e30, memory_limit: Number.MAX_SAFE_INTEGER }
      const { stdout } = yield* invoke("process.run", { command: "ulimit -t; ulimit -d", ...limits })
      expect(stdout).toMatch(/^\d+\n\d+\n$/)
    }))

  it.scopedLive("tells an exit code of a program's own from the gateway's signal", () =>
    Effect.gen(function*() {
      const { invoke } = yield* make({ sandbox })
      for (const [command, exit_code] of [["exit 137", 137], ["exit 143", 143], ["sh -c 'kill -9 $$'", 137]] as const) {
        expect(yield* invoke("process.run", { command })).toMatchObject({ state: "completed", exit_code })
      }
    }))

  it.scopedLive("refuses what no program can be given", () =>
    Effect.gen(function*() {
      const { invoke } = yield* make({ sandbox })
      const inputs = [
        [{ command: " " }, "command"],
        [{ command: "a\0b" }, "command"],
        [{ command: "x".repeat(131_072) }, "command"],
        [{ command: "true", args: ["\0"] }, "args"],
        [{ command: "true", args: Array.from({ length: 20 }, () => "x".repeat(100_000)) }, "args"],
        [{ command: "true", memory_limit: 1024 }, "memory_limit"],
        [{ command: "true", timeout: 3601 }, "timeout"],
        [{ command: "true", timeout: 0 }, "timeout"],
        [{ command: "true", cpu_limit: 0 }, "cpu_limit"]
      ] as const
      for (const [input, field] of inputs) {
        expect(yield* Effect.flip(invoke("process.run", input))).toMatchObject({ _tag: "InvalidInput", field })
      }
      expect(yield* invoke("process.run", { command: "true", args: ["x".repeat(131_071)] })).toMatchObject({
        exit_code: 0
      })
    }))
})
