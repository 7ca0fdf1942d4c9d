import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import * as Catalogue from "../../src/catalogue/Catalogue.js"
import * as catalogue from "../../src/catalogue/process.js"
import { codecOf } from "../../src/services/codec.js"
import { describeCategory } from "./categorySuite.js"
import { process as reference } from "./reference/process.js"
import { process as samples } from "./samples/process.js"

describeCategory("process", {
  reference,
  samples,
  wrong: {
    "process.run": { input: { args: "-l" }, output: { exit_code: "0" } },
    "process.monitor": { input: { process_id: 7 }, output: { started_at: "this morning" } },
    "process.kill": { input: { force_after: -1 }, output: { killed: "yes" } },
    "process.list": { input: { state_filter: "asleep" }, output: { processes: [{ process_id: "proc-1" }] } },
    "process.logs": { input: { stream: "stdin" }, output: { stdout_size: 0.5 } }
  },
  newer: {
    "process.run": { state: "suspended" },
    "process.monitor": { state: "suspended" },
    "process.kill": { state: "zombie" },
    "process.list": {
      processes: [{ ...samples["process.list"].output.processes[0], state: "suspended", threads: 2 }]
    },
    "process.logs": { state: "suspended" }
  }
})

describe("process.run", () => {
  const takes = (input: unknown) => Schema.is(catalogue.run.inputSchema)(input)

  it.each([[0, false], [1, true], [3600, true], [3601, false]])("may take %d seconds: %s", (timeout, fits) => {
    expect(takes({ command: "make", timeout })).toBe(fits)
  })

  it.each([{ cpu_limit: 0 }, { cpu_limit: Number.POSITIVE_INFINITY }, { memory_limit: 0 }, { stdout_lines: -1 }])(
    "refuses %j",
    (input) => {
      expect(takes({ command: "make" })).toBe(true)
      expect(takes({ command: "make", ...input })).toBe(false)
    }
  )

  const codec = codecOf(Catalogue.make(catalogue.run), "process.run")

  const { stderr, stderr_summary, stdout, stdout_summary, ...others } = samples["process.run"].output

  it.each([
    ["the guide", { stdout, stderr }, { stdout, stdout_summary: stdout, stderr, stderr_summary: stderr }],
    [
      "the reference",
      { stdout_summary, stderr_summary },
      { stdout: stdout_summary, stdout_summary, stderr: stderr_summary, stderr_summary }
    ],
    ["both", { stdout, stderr, stdout_summary, stderr_summary }, { stdout, stderr, stdout_summary, stderr_summary }]
  ])("fills the output of a gateway that spells it like %s", (_, spelled, expected) => {
    expect(codec?.decode({ ...others, ...spelled })).toEqual(Either.right({ ...others, ...expected }))
  })

  it("does not make up an output that is missing", () => {
    expect(codec?.decode(others)).toMatchObject({ _tag: "Left", left: { _tag: "OutputMismatch" } })
  })

  it("reads an output of what has no exit code yet", () => {
    const running = { ...samples["process.run"].output, exit_code: null, state: "running" }
    expect(codec?.decode(running)).toEqual(Either.right(running))
  })
})

describe("process.kill", () => {
  it("takes any signal, and proposes the usual ones", () => {
    expect(Schema.is(catalogue.kill.inputSchema)({ process_id: "proc-1", signal: "SIGWINCH", force_after: 0 })).toBe(
      true
    )
  })
})
