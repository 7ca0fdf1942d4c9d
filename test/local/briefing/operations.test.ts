import { assert, describe, it } from "@effect/vitest"
import { operationsOf, pathEventsOf } from "../../../src/local/briefing/operations.js"
import type { Entry } from "../../../src/local/store/AgentActivity.js"

let sequence = 0

const entry = (
  kind: string,
  capability: string | null,
  details: object | string,
  more: Partial<Entry> = {}
): Entry => ({
  sequence: ++sequence,
  at: sequence,
  kind,
  agent: "one",
  sessionId: "ses-1",
  capability,
  approvalId: null,
  details: typeof details === "string" ? details : JSON.stringify(details),
  ...more
})

const summary = (entries: ReadonlyArray<Entry>) =>
  operationsOf(entries).map(({ agent, arguments: input, capability, succeeded }) => [
    agent,
    capability,
    succeeded,
    input
  ])

describe("operationsOf", () => {
  it("joins the begin of something with its end, also where others come in between", () => {
    const started = (invocation: number, path: string, more?: Partial<Entry>) =>
      entry("invocation_started", "filesystem.write", { arguments: { path }, invocation }, more)
    const ended = (invocation: number, outcome: string, more?: Partial<Entry>) =>
      entry("invocation_ended", "filesystem.write", { invocation, outcome }, more)
    const other = { agent: "two", sessionId: "ses-2" }
    const approval = { sessionId: null, approvalId: "apr-1" }
    assert.deepStrictEqual(
      summary([
        started(1, "a"),
        started(1, "b", other),
        started(2, "c"),
        ended(2, "error"),
        ended(1, "success", other),
        ended(1, "success"),
        started(3, "d"),
        started(1, "e", approval),
        entry("approval_carried_out", "filesystem.write", { invocation: 1, outcome: "success" }, approval),
        ended(9, "success"),
        entry("invocation", "filesystem.read", { arguments: { path: "f" }, invocation: 4, outcome: "success" })
      ]),
      [
        ["one", "filesystem.write", true, { path: "a" }],
        ["two", "filesystem.write", true, { path: "b" }],
        ["one", "filesystem.write", false, { path: "c" }],
        ["one", "filesystem.write", undefined, { path: "d" }],
        ["one", "filesystem.write", true, { path: "e" }],
        ["one", "filesystem.write", true, {}],
        ["one", "filesystem.read", true, { path: "f" }]
      ]
    )
  })

  it("takes nothing from what did not run, and comes to no harm from entries that somebody changed", () => {
    for (const details of ["", "null", "[]", "1", "{", "{\"arguments\":[1],\"invocation\":\"x\"}"]) {
      operationsOf([entry("invocation", "filesystem.write", details)])
    }
    assert.deepStrictEqual(
      summary([
        entry("refused", "filesystem.write", { arguments: { path: "a" }, invocation: 1, outcome: "error" }),
        entry("approval_requested", "filesystem.write", { arguments: { path: "a" }, invocation: 2 }),
        entry("invocation", null, {}),
        entry("invocation", "filesystem.write", {}, { agent: null }),
        entry("agent_paused", "filesystem.write", {})
      ]),
      []
    )
  })
})

describe("pathEventsOf", () => {
  const of = (capability: string, input: { readonly [name: string]: unknown }) =>
    pathEventsOf({ at: 0, agent: "one", capability: `filesystem.${capability}`, succeeded: true, arguments: input })
      .map(({ event, path }) => `${event} ${path}`)

  it("says what an operation says of paths, as agents see them", () => {
    assert.deepStrictEqual(of("write", { path: "./a//b.txt" }), ["put /workspace/a/b.txt"])
    assert.deepStrictEqual(of("read", { path: "/workspace/a" }), ["seen /workspace/a"])
    assert.deepStrictEqual(of("append", { path: "a" }), ["appended /workspace/a"])
    assert.deepStrictEqual(of("delete", { path: "a" }), ["removed /workspace/a"])
    assert.deepStrictEqual(of("copy", { source: "a", destination: "b" }), ["seen /workspace/a", "made /workspace/b"])
    assert.deepStrictEqual(of("move", { source: "a", destination: "b", overwrite: true }), [
      "removed /workspace/a",
      "put /workspace/b"
    ])
    assert.deepStrictEqual(of("list", { path: "a" }), [])
  })

  it("says nothing of what is no path", () => {
    for (const path of [undefined, 1, { left_out: "text" }, "../a", "", "/etc/passwd", ".kruxos/x"]) {
      assert.deepStrictEqual(of("write", { path }), [])
    }
  })
})
