import { assert, describe, it } from "@effect/vitest"
import { applyPatch } from "diff"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as fs from "node:fs"
import { performance } from "node:perf_hooks"
import { parameters } from "../../../support/runs.js"
import { snapshot } from "../../workspace/support.js"
import { prepared } from "./editSupport.js"

const failing = (run: (input: object) => Effect.Effect<unknown, { readonly _tag: string }>) => (input: object) =>
  Effect.map(
    Effect.flip(run({ path: "f", pattern: "x", replace: "y", replace_all: true, ...input })),
    (error) => "field" in error ? [error._tag, error.field] : [error._tag]
  )

describe("filesystem.edit of a file", () => {
  it.scopedLive("replaces what is expected, and shows it", () =>
    Effect.gen(function*() {
      const { run, text } = yield* prepared({ "src/f.txt": "one\ntwo two\nthree\n" })
      const output = yield* run({ path: "src/f.txt", pattern: "two", replace: "2", expected_replacements: 2 })
      assert.deepStrictEqual(output, {
        applied: "full",
        total_replacements: 2,
        files_changed: 1,
        per_file: [{ path: "/workspace/src/f.txt", replacements: 2 }],
        skipped: [],
        diff: "--- a/src/f.txt\n+++ b/src/f.txt\n@@ -1,3 +1,3 @@\n one\n-two two\n+2 2\n three\n"
      })
      assert.strictEqual(text("src/f.txt"), "one\n2 2\nthree\n")
    }))

  it.scopedLive("writes nothing when the count is another one", () =>
    Effect.gen(function*() {
      const { root, run } = yield* prepared({ f: "x x x" })
      const before = snapshot(root)
      const error = yield* Effect.flip(run({ path: "f", pattern: "x", replace: "y", expected_replacements: 2 }))
      assert(error._tag === "ReplacementCountMismatch")
      assert.deepStrictEqual([error.expected, error.actual], [2, 3])
      assert.deepStrictEqual(snapshot(root), before)
    }))

  it.scopedLive("only shows what it would do in a dry run, whatever is expected", () =>
    Effect.gen(function*() {
      const { root, run } = yield* prepared({ f: "x x x" })
      const before = snapshot(root)
      const input = { path: "f", pattern: "x", replace: "y", dry_run: true }
      const output = yield* run({ ...input, replace_all: true })
      assert.strictEqual(output.applied, "preview")
      assert.strictEqual(output.total_replacements, 3)
      assert.strictEqual(output.files_changed, 1)
      assert.strictEqual(applyPatch("x x x", output.diff), "y y y")
      assert.deepStrictEqual(yield* run({ ...input, expected_replacements: 1 }), output)
      assert.deepStrictEqual(snapshot(root), before)
    }))

  it.scopedLive("replaces nothing where there is nothing, without an error", () =>
    Effect.gen(function*() {
      const { root, run } = yield* prepared({ f: "x" })
      const before = snapshot(root)
      const nothing = { total_replacements: 0, files_changed: 0, per_file: [], skipped: [], diff: "" }
      const input = { path: "f", pattern: "y", replace: "z" }
      assert.deepStrictEqual(yield* run({ ...input, replace_all: true }), { applied: "full", ...nothing })
      assert.deepStrictEqual(yield* run({ ...input, expected_replacements: 0 }), { applied: "full", ...nothing })
      const same = yield* run({ path: "f", pattern: "x", replace: "x", replace_all: true })
      assert.deepStrictEqual(same, { applied: "full", ...nothing, total_replacements: 1 })
      assert.deepStrictEqual(snapshot(root), before)
    }))

  it.scopedLive("takes a literal replacement as it is", () =>
    Effect.gen(function*() {
      const { run, text } = yield* prepared({ f: "a.b axb" })
      yield* run({ path: "f", pattern: "a.b", replace: "$1 ${0} $$ $& \\n", expected_replacements: 1 })
      assert.strictEqual(text("f"), "$1 ${0} $$ $& \\n axb")
    }))

  it.scopedLive("replaces over the ends of lines, and at them", () =>
    Effect.gen(function*() {
      const { run, text } = yield* prepared({ f: "a\nb\nc\n" })
      yield* run({ path: "f", pattern: "a\nb", replace: "ab", expected_replacements: 1 })
      assert.strictEqual(text("f"), "ab\nc\n")
      yield* run({ path: "f", pattern: "^(.)", replace: "> ${1}", regex: true, expected_replacements: 2 })
      assert.strictEqual(text("f"), "> ab\n> c\n")
    }))

  it.scopedLive("puts groups into a replacement", () =>
    Effect.gen(function*() {
      const { run, text } = yield* prepared({ f: "key=value\nflag\n" })
      yield* run({
        path: "f",
        pattern: "^(?P<key>\\w+)(?:=(\\w+))?$",
        replace: "${2}${key} $${1} ${0}$",
        regex: true,
        expected_replacements: 2
      })
      assert.strictEqual(text("f"), "valuekey ${1} key=value$\nflag ${1} flag$\n")
    }))

  it.scopedLive("leaves line ends and the byte order mark as they are", () =>
    Effect.gen(function*() {
      const { run, text } = yield* prepared({ f: "\ufeffx\r\ny\nz\r\n" })
      const output = yield* run({ path: "f", pattern: "^x", replace: "ä", regex: true, expected_replacements: 1 })
      assert.strictEqual(text("f"), "\ufeffä\r\ny\nz\r\n")
      assert.strictEqual(applyPatch("x\r\ny\nz\r\n", output.diff, { autoConvertLineEndings: false }), "ä\r\ny\nz\r\n")
    }))

  it.scopedLive("skips what is no text, and says so", () =>
    Effect.gen(function*() {
      const { root, run } = yield* prepared({
        nul: "x\0",
        latin: new Uint8Array([0x78, 0xe9]),
        large: "x".repeat(2 * 1024 * 1024 + 1)
      })
      const before = snapshot(root)
      for (const [path, reason] of [["nul", "binary"], ["latin", "binary"], ["large", "too large"]] as const) {
        const input = { path, pattern: "x", replace: "y" }
        const output = yield* run({ ...input, replace_all: true })
        assert.deepStrictEqual([output.applied, output.skipped], ["full", [{ path: `/workspace/${path}`, reason }]])
        const error = yield* Effect.flip(run({ ...input, expected_replacements: 1 }))
        assert.strictEqual(error._tag, "ReplacementCountMismatch")
        assert.include(error.message, reason)
      }
      assert.deepStrictEqual(snapshot(root), before)
    }))

  it.scopedLive("refuses what it cannot do", () =>
    Effect.gen(function*() {
      const { host, outside, root, run } = yield* prepared({ f: "x", "d/f": "x" })
      fs.symlinkSync(outside, host("out"))
      const before = snapshot(root)
      const fails = failing(run)
      assert.deepStrictEqual(yield* fails({ replace_all: false }), ["InvalidInput", "expected_replacements"])
      assert.deepStrictEqual(yield* fails({ expected_replacements: 1 }), ["InvalidInput", "expected_replacements"])
      assert.deepStrictEqual(yield* fails({ path: "nowhere" }), ["FileNotFound"])
      assert.deepStrictEqual(yield* fails({ path: "nowhere", include_glob: "*" }), ["FileNotFound"])
      assert.deepStrictEqual(yield* fails({ path: "../f" }), ["PathOutOfScope"])
      assert.deepStrictEqual(yield* fails({ path: "out/secret.txt" }), ["PathOutOfScope"])
      assert.deepStrictEqual(yield* fails({ path: "d" }), ["InvalidInput", "include_glob"])
      assert.deepStrictEqual(yield* fails({ include_glob: "*" }), ["InvalidInput", "include_glob"])
      assert.deepStrictEqual(yield* fails({ path: "d", include_glob: "{" }), ["InvalidPattern"])
      assert.deepStrictEqual(yield* fails({ pattern: "" }), ["InvalidPattern"])
      assert.deepStrictEqual(yield* fails({ pattern: "(", regex: true }), ["InvalidPattern"])
      assert.deepStrictEqual(yield* fails({ replace: "$1", regex: true }), ["InvalidInput", "replace"])
      assert.deepStrictEqual(yield* fails({ replace: "${1}", regex: true }), ["InvalidInput", "replace"])
      assert.deepStrictEqual(yield* fails({ replace: "${name}", regex: true }), ["InvalidInput", "replace"])
      assert.deepStrictEqual(yield* fails({ replace: "\ud800" }), ["InvalidInput", "replace"])
      assert.deepStrictEqual(snapshot(root), before)
    }))

  it.scopedLive("refuses to make a file that is too long", () =>
    Effect.gen(function*() {
      const { root, run } = yield* prepared({ f: "x".repeat(100_000) })
      const before = snapshot(root)
      assert.deepStrictEqual(yield* failing(run)({ replace: "y".repeat(1_000) }), ["ResourceExhausted"])
      assert.deepStrictEqual(snapshot(root), before)
    }))

  it.scopedLive("takes no exponential time, and cuts the diff", () =>
    Effect.gen(function*() {
      const { run, text } = yield* prepared({ f: "x\n".repeat(1_000_000), g: `${"a".repeat(500_000)}b` })
      const start = performance.now()
      const output = yield* run({ path: "f", pattern: "x", replace: "y", replace_all: true })
      assert.strictEqual(output.total_replacements, 1_000_000)
      assert.isTrue(output.diff.endsWith("\n[diff truncated]\n"))
      assert.isAtMost(output.diff.length, 1024 * 1024 + 100)
      assert.strictEqual(text("f"), "y\n".repeat(1_000_000))
      const none = yield* run({ path: "g", pattern: "(a+)+$", regex: true, replace: "", replace_all: true })
      assert.strictEqual(none.total_replacements, 0)
      assert.isBelow(performance.now() - start, 15_000)
    }))

  it.scopedLive("is cancelled before anything is written", () =>
    Effect.gen(function*() {
      const { root, run } = yield* prepared({ f: "a".repeat(200_000) })
      const before = snapshot(root)
      const fiber = yield* Effect.fork(
        run({ path: "f", pattern: "a*b|a", regex: true, replace: "", replace_all: true })
      )
      yield* Effect.sleep(100)
      assert.isNull(fiber.unsafePoll())
      yield* Effect.timeout(Fiber.interrupt(fiber), "5 seconds")
      assert.deepStrictEqual(snapshot(root), before)
    }))

  it.scopedLive("can be taken back by the reverse edit", () =>
    Effect.gen(function*() {
      const { host, run, text } = yield* prepared({})
      const content = FastCheck.array(FastCheck.constantFrom("a", "b", "\n", "\r\n", "$1", "é", "😀", " "), {
        maxLength: 60
      }).map((pieces) => pieces.join(""))
      const pattern = FastCheck.constantFrom("a", "ab", "\n", "$1", "😀", "\r")
      yield* Effect.promise(() =>
        FastCheck.assert(
          FastCheck.asyncProperty(content, pattern, async (before, source) => {
            fs.writeFileSync(host("f"), before)
            const count = before.split(source).length - 1
            const to = (from: string, by: string) =>
              Effect.runPromise(run({ path: "f", pattern: from, replace: by, expected_replacements: count }))
            const there = await to(source, "<new>")
            const after = text("f")
            assert.strictEqual(after, before.split(source).join("<new>"))
            if (count > 0) {
              assert.strictEqual(applyPatch(before, there.diff, { autoConvertLineEndings: false }), after)
            }
            await to("<new>", source)
            assert.strictEqual(text("f"), before)
          }),
          parameters(500)
        )
      )
    }))
})
