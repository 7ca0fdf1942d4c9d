import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { compareBytes, endOfPrefix } from "../../../src/local/store/prefixes.js"
import { parameters } from "../../support/runs.js"

const character = FastCheck.oneof(
  FastCheck.constantFrom(
    "a",
    "b",
    "\u007f",
    "\ud7ff",
    "\ue000",
    "\uffff",
    "\u{10000}",
    "\u{103ff}",
    "\u{10400}",
    "\u{10ffff}"
  ),
  FastCheck.string({ unit: "binary", minLength: 1, maxLength: 1 })
)

const text = FastCheck.array(character, { maxLength: 4 }).map((characters) => characters.join(""))

describe("prefixes", () => {
  it("end where what begins with them ends", () => {
    FastCheck.assert(
      FastCheck.property(text, text, (prefix, other) => {
        const end = endOfPrefix(prefix)
        const isWithin = Buffer.compare(Buffer.from(other), Buffer.from(prefix)) >= 0 &&
          (end === undefined || Buffer.compare(Buffer.from(other), Buffer.from(end)) < 0)
        assert.strictEqual(isWithin, other.startsWith(prefix))
      }),
      { ...parameters(5000), examples: [["\ud7ff", "\ud7ffa"], ["\u{10ffff}", "\u{10ffff}"], ["a\u{10ffff}", "b"]] }
    )
  })

  it("are ordered by their bytes", () => {
    FastCheck.assert(
      FastCheck.property(text, text, (one, other) => {
        assert.strictEqual(
          Math.sign(compareBytes(one, other)),
          Math.sign(Buffer.compare(Buffer.from(one), Buffer.from(other)))
        )
      }),
      parameters(5000)
    )
  })
})
