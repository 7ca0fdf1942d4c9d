import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import { changeJson, changeLines, keysTable, versionsTable } from "../../../src/cli/state/text.js"
import { StateChange } from "../../../src/schema/StateEntry.js"

const now = DateTime.unsafeMake("2026-01-31T12:00:00Z")

const hostile = "a\u001b[2J\u202e"

const changed = StateChange.Changed({
  key: hostile,
  version: 3,
  ownerAgent: "bob",
  deleted: false,
  value: Option.some({ n: 1 })
})

const deleted = StateChange.Changed({
  key: "k",
  version: 4,
  ownerAgent: undefined,
  deleted: true,
  value: Option.none()
})

const resynced = StateChange.Resynced({
  entries: [
    { key: "a", version: 1, ownerAgent: "bob", updatedAt: DateTime.unsafeMake("2026-01-01T00:00:00Z"), value: null },
    { key: "b", version: 2, ownerAgent: undefined, updatedAt: undefined, value: "x" }
  ]
})

describe("state as text", () => {
  it("says a change on a line", () => {
    assert.deepStrictEqual([changed, deleted, resynced].flatMap((change) => changeLines(now, change)), [
      "2026-01-31T12:00:00.000Z  a\\x1b[2J\\u202e  version 3  bob  {\"n\":1}",
      "2026-01-31T12:00:00.000Z  k  version 4  -  deleted",
      "2026-01-01T00:00:00.000Z  a  version 1  bob  null",
      "2026-01-31T12:00:00.000Z  b  version 2  -  \"x\""
    ])
    const lines = [changed, deleted, resynced].map(changeJson)
    assert.include(lines[0], "\"a\\u001b[2J\\u202e\"")
    assert.deepStrictEqual(lines.map((line): unknown => JSON.parse(line)), [
      { type: "changed", key: hostile, version: 3, owner_agent: "bob", deleted: false, value: { n: 1 } },
      { type: "changed", key: "k", version: 4, deleted: true },
      {
        type: "resynced",
        entries: [
          { key: "a", version: 1, owner_agent: "bob", updated_at: "2026-01-01T00:00:00.000Z", value: null },
          { key: "b", version: 2, value: "x" }
        ]
      }
    ])
  })

  it("has tables of keys and of versions", () => {
    const entry = { key: "k", version: 1, size_bytes: 2, updated_at: now }
    const row = ["k", "1", "2", "2026-01-31T12:00:00.000Z"]
    assert.deepStrictEqual(keysTable([entry]), [["KEY", "VERSION", "BYTES", "UPDATED"], row])
    assert.deepStrictEqual(keysTable([{ ...entry, owner_agent: "bob" }]), [
      ["KEY", "VERSION", "BYTES", "UPDATED", "OWNER"],
      [...row, "bob"]
    ])
    const [, [, , value] = []] = versionsTable([{ value: "x".repeat(1000), version: 1, updated_at: now }])
    assert.isBelow(value?.length ?? 1000, 200)
  })
})
