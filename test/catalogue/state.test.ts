import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import * as archive from "../../src/catalogue/stateArchive.js"
import * as persistent from "../../src/catalogue/statePersistent.js"
import * as session from "../../src/catalogue/stateSession.js"
import * as shared from "../../src/catalogue/stateShared.js"
import { describeCategory } from "./categorySuite.js"
import { state as reference } from "./reference/state.js"
import { state as samples } from "./samples/state.js"
import { thereAndBack } from "./values.js"

describeCategory("state", {
  reference,
  samples,
  wrong: {
    "state.session.get": { output: { found: null } },
    "state.session.set": { input: { value: undefined } },
    "state.session.delete": { output: { deleted: 1 } },
    "state.session.list": { input: { prefix: ["task."] }, output: { keys: [1] } },
    "state.session.clear": { output: { removed_count: 1.5 } },
    "state.persistent.get": { input: { version: -1 }, output: { updated_at: "yesterday" } },
    "state.persistent.set": { input: { key: null }, output: { previous_version: null } },
    "state.persistent.delete": { output: { deleted: "true" } },
    "state.persistent.list": { output: { entries: [{ key: "a", version: 1, size_bytes: 1 }] } },
    "state.persistent.query": { output: { entries: [{ key: "a", version: 1 }] } },
    "state.persistent.history": { input: { limit: 0 } },
    "state.shared.get": { output: { owner_agent: 5 } },
    "state.shared.set": { input: { expected_version: -1 } },
    "state.shared.delete": { input: { key: 5 } },
    "state.shared.list": { output: { entries: {} } },
    "state.shared.watch": { input: { prefix: 5 } },
    "state.snapshot.create": { output: { timestamp: "20250131T080000 o'clock" } },
    "state.snapshot.list": { output: { snapshots: [{ snapshot_id: "snap-20250131T080000" }] } },
    "state.snapshot.load": { output: { snapshot: { agents: [] } } },
    "state.briefing.generate": { input: { detail_level: "verbose" }, output: { briefing: { summary: "Nothing" } } },
    "state.backup.create": { input: { agent: null } },
    "state.backup.list": { output: { backups: [{ backup_id: "bkp-20250131T080000", scope: "full" }] } },
    "state.backup.restore": { output: { agents_restored: "researcher" } },
    "state.backup.export": { input: { path: 7 } }
  },
  newer: {
    "state.backup.create": { scope: "team:research" }
  }
})

describe("a missing key", () => {
  it.each([session.get, persistent.get, shared.get])(
    "may leave out what has no meaning ($name)",
    ({ outputSchema }) => {
      expect(thereAndBack(outputSchema, { found: false })).toEqual({ found: false })
    }
  )

  it.each([
    [session.get.outputSchema, { value: null, found: false }, { value: null, found: false }],
    [
      persistent.get.outputSchema,
      { value: null, version: null, found: false, created_at: null, updated_at: null },
      { value: null, found: false }
    ],
    [
      shared.get.outputSchema,
      { value: null, version: 0, found: false, owner_agent: null, updated_at: null },
      { value: null, version: 0, found: false }
    ]
  ])("may have null in its place", (schema, output, expected) => {
    expect(thereAndBack(schema, output)).toEqual(expected)
  })

  it("has no value before", () => {
    expect(thereAndBack(session.set.outputSchema, { overwritten: false })).toEqual({ overwritten: false })
    expect(thereAndBack(session.remove.outputSchema, { deleted: false })).toEqual({ deleted: false })
  })
})

describe("a stored value", () => {
  const set = Schema.encodeUnknownSync(session.set.inputSchema)

  const nested = (depth: number): unknown => {
    let value: unknown = "leaf"
    for (let level = 0; level < depth; level++) value = [value]
    return value
  }

  it.each([[null], [false], [0], [""], [[]], [{}], [{ a: [{ b: null }] }], [{ a: undefined }], [nested(500)]])(
    "can be %j",
    (value) => {
      for (const { inputSchema } of [session.set, persistent.set]) {
        const input = JSON.parse(JSON.stringify({ key: "k", value }))
        expect(thereAndBack(inputSchema, input)).toEqual(input)
      }
      expect(set({ key: "k", value })).toEqual({ key: "k", value })
    }
  )

  const cycle: { self?: unknown } = {}
  cycle.self = cycle

  it.each([
    ["undefined", undefined],
    ["a function", () => 1],
    ["a symbol", Symbol("s")],
    ["a big integer", 1n],
    ["NaN", Number.NaN],
    ["infinity", { a: [Number.POSITIVE_INFINITY] }],
    ["a gap in a list", [1, undefined]],
    ["a cycle", cycle],
    ["too deep", nested(501)],
    ["far too deep", nested(100_000)]
  ])("cannot be %s", (_, value) => {
    expect(() => set({ key: "k", value })).toThrow("a JSON value is needed")
  })
})

it("state.briefing.generate takes a time without a zone as UTC", () => {
  expect(thereAndBack(archive.generateBriefing.inputSchema, { since: "2025-01-31T08:00:00" })).toEqual({
    since: "2025-01-31T08:00:00.000Z"
  })
})
