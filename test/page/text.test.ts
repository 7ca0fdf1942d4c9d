import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as FastCheck from "effect/FastCheck"
import { duration, milliseconds, relative } from "../../src/page/format/time.js"
import { beginning, hasRightToLeft, pieces, visibleText } from "../../src/page/format/visible.js"
import { parameters } from "../support/runs.js"

const characterOf = (code: string) => String.fromCodePoint(Number.parseInt(code.slice(2), 16))

const anyText = FastCheck.oneof(
  FastCheck.string({ unit: "binary" }),
  FastCheck.array(
    FastCheck.constantFrom("a", " ", "\n", "\t", "\u202e", "\u200b", "\u0000", "\u00a0", "\ud83d\ude00", "א")
  )
    .map((parts) => parts.join(""))
)

describe("a text that anybody may have written", () => {
  it("is shown whole, with every hidden character by its name", () => {
    FastCheck.assert(
      FastCheck.property(anyText, (text) => {
        const shown = pieces(text)
        const whole = shown.map((piece) => typeof piece === "string" ? piece : characterOf(piece.code)).join("")
        assert.strictEqual(whole, text)
        for (const piece of shown) {
          if (typeof piece === "string") assert.notMatch(piece, /[^\P{C}\n\t]|[\u2028\u2029\u00a0]/u)
        }
      }),
      parameters(1000)
    )
  })

  it("has no more marks than a page can bear, and still nothing hidden", () => {
    const shown = pieces("\u202e".repeat(100_000))
    assert.isBelow(shown.length, 400)
    assert.notInclude(shown.filter((piece) => typeof piece === "string").join(""), "\u202e")
  })

  it("is one line where it is a notification", () => {
    assert.strictEqual(visibleText("a\nb\u202ec"), "a b[U+202E]c")
  })

  it("is folded without cutting a character", () => {
    assert.strictEqual(beginning("ab\ud83d\ude00", 3, 10), "ab")
    assert.strictEqual(beginning("ab\ud83d\ude00", 4, 10), "ab\ud83d\ude00")
    assert.strictEqual(beginning("1\n2\n3\n", 100, 2), "1\n2\n")
    assert.strictEqual(beginning("1\n2", 100, 2), "1\n2")
    FastCheck.assert(
      FastCheck.property(anyText, FastCheck.integer({ min: 1, max: 20 }), (text, length) => {
        const first = beginning(text, length, 3)
        assert.isTrue(text.startsWith(first))
        assert.isAtMost(first.length, length)
        assert.isFalse(first.length < text.length && /[\ud800-\udbff]$/.test(first))
      }),
      parameters(500)
    )
  })

  it("is known to run from right to left", () => {
    assert.deepStrictEqual(["abc", "אבג", "مرحبا", "日本"].map(hasRightToLeft), [false, true, true, false])
  })
})

describe("a time", () => {
  it("is told as people do", () => {
    const at = DateTime.unsafeMake(1_000_000_000)
    const seen = [0, 1000, 61_000, 600_000, -90_000].map((later) => relative(at, 1_000_000_000 + later))
    assert.deepStrictEqual(seen, ["just now", "just now", "61 s ago", "10 min ago", "in 2 min"])
    assert.deepStrictEqual([0, 89, 3600, 7500, 86_400, 200_000, 2_000_000].map(duration), [
      "0 s",
      "89 s",
      "1 h",
      "2 h 5 min",
      "24 h",
      "2 d 7 h",
      "23 d"
    ])
    assert.deepStrictEqual([0.44, 12.3, 1540, 240_000].map(milliseconds), ["0.4 ms", "12 ms", "1.5 s", "4 min"])
  })
})
