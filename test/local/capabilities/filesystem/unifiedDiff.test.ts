import { assert, describe, it } from "@effect/vitest"
import { applyPatch } from "diff"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import { replaceText } from "../../../../src/local/capabilities/filesystem/replaceText.js"
import { makeTextPattern } from "../../../../src/local/capabilities/filesystem/TextPattern.js"
import { unifiedDiff } from "../../../../src/local/capabilities/filesystem/unifiedDiff.js"
import { makePacer } from "../../../../src/local/letOthersRun.js"
import { parameters } from "../../../support/runs.js"

const replaced = (text: string, source: string, replacement: string) =>
  Effect.runSync(Effect.gen(function*() {
    const pattern = yield* makeTextPattern(source, { regex: true })
    return yield* replaceText(text, "f", { pattern, source, replacement: () => replacement, pacer: makePacer() })
  }))

const diffOf = (text: string, source: string, replacement: string): string => {
  const { spans, text: after } = replaced(text, source, replacement)
  return unifiedDiff("src/f", text, after, spans)
}

describe("a unified diff", () => {
  it("shows the changed lines with three lines around them", () => {
    assert.strictEqual(
      diffOf("1\n2\n3\n4\nx\n6\n7\n8\n9\n", "x", "y"),
      "--- a/src/f\n+++ b/src/f\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-x\n+y\n 6\n 7\n 8\n"
    )
  })

  it("joins what is near, and parts what is not", () => {
    const lines = (between: number) => `x\n${"-\n".repeat(between)}x\n`
    assert.strictEqual(diffOf(lines(6), "x", "y").split("\n@@ ").length - 1, 1)
    assert.strictEqual(diffOf(lines(7), "x", "y").split("\n@@ ").length - 1, 2)
  })

  it("says where the end of the last line is missing", () => {
    assert.strictEqual(
      diffOf("a\nx", "x", "y\n"),
      "--- a/src/f\n+++ b/src/f\n@@ -1,2 +1,2 @@\n a\n-x\n\\ No newline at end of file\n+y\n"
    )
  })

  it("shows what comes into and goes out of an empty file", () => {
    assert.strictEqual(diffOf("", "^", "a\nb\n"), "--- a/src/f\n+++ b/src/f\n@@ -0,0 +1,2 @@\n+a\n+b\n")
    assert.strictEqual(diffOf("a\nb\n", "(?s).+", ""), "--- a/src/f\n+++ b/src/f\n@@ -1,2 +0,0 @@\n-a\n-b\n")
  })

  it("is empty where nothing changed", () => {
    assert.strictEqual(diffOf("x\n", "x", "x"), "")
    assert.strictEqual(diffOf("x\n", "y", "x"), "")
  })

  it("leads from the old text to the new one", () => {
    const piece = FastCheck.constantFrom("a", "b", "x", "\n", "\r\n", "xx", "\n\n", "line\n", "end")
    const text = FastCheck.array(piece, { maxLength: 60 }).map((pieces) => pieces.join(""))
    const pattern = FastCheck.constantFrom(
      "x",
      "\\n",
      "a\\n",
      "x*",
      "^",
      "$",
      "\\na",
      "b|x",
      "(?s)x.*?a",
      "e",
      "\\n+",
      "$\\n"
    )
    const replacement = FastCheck.constantFrom("", "y", "\n", "y\n", "\ny", "1\n2\n3\n", "x")
    FastCheck.assert(
      FastCheck.property(text, pattern, replacement, (before, source, by) => {
        const { spans, text: after } = replaced(before, source, by)
        const diff = unifiedDiff("f", before, after, spans)
        if (before === after) assert.strictEqual(diff, "")
        else assert.strictEqual(applyPatch(before, diff, { autoConvertLineEndings: false }), after, diff)
      }),
      parameters(20_000)
    )
  })

  it("takes time linear in the length of the text", () => {
    const text = "x\n".repeat(500_000)
    const spans = Array.from({ length: 500_000 }, (_, index) => ({ start: 2 * index, end: 2 * index + 1, length: 1 }))
    assert.isTrue(unifiedDiff("f", text, text.replaceAll("x", "y"), spans).endsWith("+y\n"))
  })
})

describe("a text pattern", () => {
  it.effect("is refused with a reason", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(makeTextPattern("a**", { regex: true }))
      assert.strictEqual(error._tag, "InvalidPattern")
      assert.include(error.message, "**")
      assert.isTrue(Either.isRight(yield* Effect.either(makeTextPattern("a**", { regex: false }))))
    }))
})
