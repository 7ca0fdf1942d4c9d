import { describe, expect, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as FastCheck from "effect/FastCheck"
import { isDeepStrictEqual } from "node:util"
import { compare, describeDifferences } from "../../src/testing/script/difference.js"
import { show } from "../../src/testing/script/show.js"
import { runs } from "../support/runs.js"

const json = FastCheck.jsonValue({ maxDepth: 3 })

// What is nothing of the kind in JSON.
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

describe("compare", () => {
  it("finds a difference where there is one, and nowhere else", () => {
    FastCheck.assert(
      FastCheck.property(json, json, (one, other) => {
        expect(compare(one, structuredClone(one))).toEqual([])
        expect(compare(plain(one), plain(other)).length === 0).toBe(isDeepStrictEqual(plain(one), plain(other)))
      }),
      { numRuns: runs(2000) }
    )
  })

  it("takes a value that was changed in one place back to that place", () => {
    const before = { a: [1, { b: "x" }], c: null, at: DateTime.unsafeMake(0), bytes: Uint8Array.of(1, 2) }
    const after = { a: [1, { b: "y" }, 2], at: DateTime.unsafeMake(0), bytes: Uint8Array.of(1, 2), d: undefined }
    expect(compare(before, after)).toEqual([
      { path: ["a", 1, "b"], expected: "x", received: "y" },
      { path: ["a", 2], expected: undefined, received: 2 },
      { path: ["c"], expected: null, received: undefined }
    ])
    expect(compare({ bytes: Uint8Array.of(1), at: DateTime.unsafeMake(1) }, after, true)).toHaveLength(2)
  })

  it("asks of a subset for its fields alone, and for all that is within them", () => {
    expect(compare({ a: 1 }, { a: 1, b: 2 }, true)).toEqual([])
    expect(compare({ a: { b: 1 } }, { a: { b: 1, c: 2 } }, true)).toEqual([
      { path: ["a", "c"], expected: undefined, received: 2 }
    ])
    expect(compare({ a: undefined }, { a: 1 }, true)).toHaveLength(1)
  })
})

describe("a difference", () => {
  it("is shown by its place, and a text of several lines by those that differ", () => {
    expect(describeDifferences(compare({ a: [{ "b-c": 1 }], text: "one\ntwo" }, { a: [{ "b-c": 2 }], text: "one\n2" })))
      .toBe([
        "a[0].b-c",
        "  expected 1",
        "  received 2",
        "text",
        "  - two",
        "  + 2"
      ].join("\n"))
  })
})

describe("a value that is shown", () => {
  it("is TypeScript, in which no secret stands", () => {
    expect(show({ a: ["x", null], "b-c": true, at: DateTime.unsafeMake(0), none: undefined, bytes: Uint8Array.of(7) }))
      .toBe(
        `{ a: ["x", null], "b-c": true, at: DateTime.unsafeMake("1970-01-01T00:00:00.000Z"), bytes: Uint8Array.of(7) }`
      )
    expect(
      show({ password: "sesame", headers: { "X-Api-Key": "sesame", Accept: "*/*" }, inner: [{ token: "sesame" }] })
    )
      .toBe(
        `{ password: "[secret]", headers: { "X-Api-Key": "[secret]", Accept: "*/*" }, inner: [{ token: "[secret]" }] }`
      )
  })

  it("is cut off where it is very long", () => {
    expect(show("x".repeat(5000)).length).toBeLessThan(2100)
    expect(show(Array.from({ length: 1000 }, () => 1)).length).toBeLessThan(400)
  })
})
