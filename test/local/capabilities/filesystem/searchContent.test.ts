import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as fs from "node:fs"
import * as filesystem from "../../../../src/catalogue/filesystem.js"
import { searchContent } from "../../../../src/local/capabilities/filesystem/searchContent.js"
import type { Workspace } from "../../../../src/local/workspace/Workspace.js"
import { parameters } from "../../../support/runs.js"
import { writeTree } from "./tree.js"
import { invocationFixture } from "./workspaceSupport.js"

const inputOf = Schema.decodeUnknownSync(filesystem.searchContent.handlerInputSchema)
const encode = Schema.encodeSync(filesystem.searchContent.outputSchema)

const prepared = (files: { readonly [path: string]: string | Uint8Array }) =>
  Effect.map(invocationFixture, (made) => {
    writeTree(made.root, files)
    return {
      ...made,
      run: (input: object) =>
        Effect.tap(searchContent(inputOf({ path: "/workspace", ...input }), made.invocation), (output) => {
          encode(output)
        })
    }
  })

const tree = {
  "a.txt": "one fish\ntwo fish fish\n",
  "b.md": "red fish\r\nblue\r\nfish",
  "sub/c.txt": "no such thing\nfish"
}

describe("filesystem.search_content", () => {
  it.scopedLive("ranks lines: the file with the most of them first, then path, then line", () =>
    Effect.gen(function*() {
      const { run } = yield* prepared({ ...tree, "sub/d.txt": "fish\nfish\nfish" })
      const found = yield* run({ pattern: "fish", context_lines: 0 })
      assert.deepStrictEqual(found.matches?.map(({ column, line, path }) => [path, line, column]), [
        ["/workspace/sub/d.txt", 1, 1],
        ["/workspace/sub/d.txt", 2, 1],
        ["/workspace/sub/d.txt", 3, 1],
        ["/workspace/a.txt", 1, 5],
        ["/workspace/a.txt", 2, 5],
        ["/workspace/b.md", 1, 5],
        ["/workspace/b.md", 3, 1],
        ["/workspace/sub/c.txt", 2, 1]
      ])
      assert.strictEqual(found.total, 8)
      assert.isFalse(found.truncated)
      assert.notProperty(found, "files")
      assert.notProperty(found, "counts")
    }))

  it.scopedLive("gives the line with the lines around it, without their ends", () =>
    Effect.gen(function*() {
      const { run } = yield* prepared({ f: "\ufeff1\r\n2\r\n😀 x3\r\n4\r\n5\r\n6\r\n" })
      const found = yield* run({ pattern: "x3" })
      assert.deepStrictEqual(found.matches, [
        { path: "/workspace/f", line: 3, column: 4, text: "😀 x3", enclosing_snippet: "1\n2\n😀 x3\n4\n5" }
      ])
      const first = yield* run({ pattern: "1", context_lines: 1 })
      assert.deepStrictEqual(first.matches?.map(({ column, enclosing_snippet }) => [column, enclosing_snippet]), [
        [1, "1\n2"]
      ])
    }))

  it.scopedLive("cuts long lines, not through a character", () =>
    Effect.gen(function*() {
      const { run } = yield* prepared({ f: `x${"😀".repeat(400)}` })
      const found = yield* run({ pattern: "x" })
      assert.strictEqual(found.matches?.[0]?.text, `x${"😀".repeat(249)}`)
    }))

  it.scopedLive("gives only the best, and says how many there are", () =>
    Effect.gen(function*() {
      const many = Object.fromEntries(
        Array.from({ length: 300 }, (_, index) => [`f${String(index).padStart(3, "0")}`, "x\n".repeat(index % 7 + 1)])
      )
      const { run } = yield* prepared(many)
      const found = yield* run({ pattern: "x", max_results: 10 })
      assert.deepStrictEqual(
        found.matches?.map(({ line, path }) => [path.slice(-4), line]),
        [...[1, 2, 3, 4, 5, 6, 7].map((line) => ["f006", line]), ["f013", 1], ["f013", 2], ["f013", 3]]
      )
      assert.strictEqual(found.total, Object.values(many).join("").length / 2)
      assert.isTrue(found.truncated)
    }))

  it.scopedLive("holds only so many characters of snippets", () =>
    Effect.gen(function*() {
      const { run } = yield* prepared({ f: `${"x".repeat(500)}\n`.repeat(3_000) })
      const found = yield* run({ pattern: "x", context_lines: 20, max_results: 10_000 })
      assert.isTrue(found.truncated)
      assert.strictEqual(found.total, 3_000)
      const length = found.matches?.reduce((sum, match) => sum + match.enclosing_snippet.length, 0) ?? 0
      assert.isTrue(length > 3 * 1024 * 1024 && length <= 4 * 1024 * 1024, String(length))
    }))

  it.scopedLive("lists files with the number of matching lines", () =>
    Effect.gen(function*() {
      const { run } = yield* prepared(tree)
      const found = yield* run({ pattern: "fish", files_only: true, max_results: 2 })
      assert.deepStrictEqual(found, {
        files: [{ path: "/workspace/a.txt", match_count: 2 }, { path: "/workspace/b.md", match_count: 2 }],
        total: 5,
        truncated: true
      })
    }))

  it.scopedLive("counts occurrences, and by what a group holds", () =>
    Effect.gen(function*() {
      const { run } = yield* prepared(tree)
      assert.deepStrictEqual(yield* run({ pattern: "fish", total_only: true }), { total: 6, truncated: false })
      const counted = { counts: { "two ": 1, "red ": 1, "one ": 1 }, total: 3, truncated: false }
      assert.deepStrictEqual(
        yield* run({ pattern: "(?P<colour>\\w+ )fish", regex: true, count_by: "colour" }),
        counted
      )
      assert.deepStrictEqual(yield* run({ pattern: "(\\w+ )fish", regex: true, count_by: "1" }), counted)
      const cut = yield* run({ pattern: "(fish|red|blue)", regex: true, count_by: "1", max_results: 1 })
      assert.deepStrictEqual(cut, { counts: { fish: 6 }, total: 8, truncated: true })
      const partly = yield* run({ pattern: "(red)|fish", regex: true, count_by: "1" })
      assert.deepStrictEqual(partly.counts, { red: 1 })
    }))

  it.scopedLive("counts even a value that is a name of every object", () =>
    Effect.gen(function*() {
      const { run } = yield* prepared({ f: "__proto__ constructor __proto__" })
      const { counts = {} } = yield* run({ pattern: "(\\w+)", regex: true, count_by: "1" })
      assert.deepStrictEqual(Object.entries(counts), [["__proto__", 2], ["constructor", 1]])
    }))

  it.scopedLive("takes the total before the groups before the files before the lines", () =>
    Effect.gen(function*() {
      const { run } = yield* prepared(tree)
      const input = { pattern: "(fish)", regex: true }
      const keys = (more: object) => Effect.map(run({ ...input, ...more }), (output) => Object.keys(output).sort())
      assert.deepStrictEqual(yield* keys({ total_only: true, count_by: "1", files_only: true }), ["total", "truncated"])
      assert.deepStrictEqual(yield* keys({ count_by: "1", files_only: true }), ["counts", "total", "truncated"])
      assert.deepStrictEqual(yield* keys({ files_only: true }), ["files", "total", "truncated"])
      assert.deepStrictEqual(yield* keys({}), ["matches", "total", "truncated"])
    }))

  it.scopedLive("takes a text as it is, and case matters", () =>
    Effect.gen(function*() {
      const { run } = yield* prepared({ f: "a.c abc A.C" })
      const total = (input: object) => Effect.map(run({ total_only: true, ...input }), (output) => output.total)
      assert.strictEqual(yield* total({ pattern: "a.c" }), 1)
      assert.strictEqual(yield* total({ pattern: "a.c", regex: true }), 2)
      assert.strictEqual(yield* total({ pattern: "(?i)a.c", regex: true }), 3)
      assert.strictEqual(yield* total({ pattern: "^a.c", regex: true }), 1)
    }))

  it.scopedLive("leaves out what is hidden, installed, binary or too large, and what the glob does not cover", () =>
    Effect.gen(function*() {
      const limit = 2 * 1024 * 1024
      const { host, outside, run } = yield* prepared({
        "src/a.ts": "needle",
        "src/b.md": "needle",
        ".env": "needle",
        ".git/config": "needle",
        "node_modules/x/index.js": "needle",
        "src/node_modules/y.js": "needle",
        binary: new Uint8Array([...Buffer.from("needle"), 0]),
        "late NUL": `needle${" ".repeat(8_192)}\0`,
        "large enough": `needle${" ".repeat(limit - 6)}`,
        "too large": `needle${" ".repeat(limit - 5)}`,
        "latin-1": new Uint8Array([0xe9, ...Buffer.from("needle")])
      })
      fs.symlinkSync(outside, host("out"))
      fs.symlinkSync(host(".env"), host("link"))
      const files = (input: object) =>
        Effect.map(
          run({ pattern: "needle", files_only: true, ...input }),
          (output) => output.files?.map(({ path }) => path.slice("/workspace/".length))
        )
      assert.deepStrictEqual(yield* files({}), ["large enough", "late NUL", "latin-1", "src/a.ts", "src/b.md"])
      assert.deepStrictEqual(yield* files({ include_glob: "*.ts" }), ["src/a.ts"])
      assert.deepStrictEqual(yield* files({ include_glob: "src/*.{md,ts}" }), ["src/a.ts", "src/b.md"])
      assert.deepStrictEqual(yield* files({ path: "node_modules" }), ["node_modules/x/index.js"])
      assert.deepStrictEqual(yield* files({ path: ".git" }), [".git/config"])
      assert.deepStrictEqual(yield* files({ path: ".env" }), [".env"])
    }))

  it.scopedLive("refuses what it cannot do", () =>
    Effect.gen(function*() {
      const { outside, host, run } = yield* prepared(tree)
      fs.symlinkSync(outside, host("out"))
      const failing = (input: object) =>
        Effect.map(
          Effect.flip(run({ pattern: "x", ...input })),
          (error) => "field" in error ? [error._tag, error.field] : [error._tag]
        )
      assert.deepStrictEqual(yield* failing({ path: "nowhere" }), ["DirectoryNotFound"])
      assert.deepStrictEqual(yield* failing({ path: "/etc" }), ["PathOutOfScope"])
      assert.deepStrictEqual(yield* failing({ path: "out" }), ["PathOutOfScope"])
      assert.deepStrictEqual(yield* failing({ pattern: "" }), ["InvalidPattern"])
      assert.deepStrictEqual(yield* failing({ pattern: "a\nb" }), ["InvalidPattern"])
      assert.deepStrictEqual(yield* failing({ pattern: "\ud800" }), ["InvalidPattern"])
      assert.deepStrictEqual(yield* failing({ pattern: "(", regex: true }), ["InvalidPattern"])
      assert.deepStrictEqual(yield* failing({ pattern: "(?=a)", regex: true }), ["InvalidPattern"])
      assert.deepStrictEqual(yield* failing({ pattern: "(a)\\1", regex: true }), ["InvalidPattern"])
      assert.deepStrictEqual(yield* failing({ pattern: "a".repeat(1_001), regex: true }), ["InvalidPattern"])
      assert.deepStrictEqual(yield* failing({ pattern: "(?:a{1,900}){3}", regex: true }), ["InvalidPattern"])
      assert.deepStrictEqual(yield* failing({ pattern: "a".repeat(65_537) }), ["InvalidPattern"])
      assert.deepStrictEqual(yield* failing({ include_glob: "[" }), ["InvalidPattern"])
      assert.deepStrictEqual(yield* failing({ max_results: 10_001 }), ["InvalidInput", "max_results"])
      assert.deepStrictEqual(yield* failing({ context_lines: 21 }), ["InvalidInput", "context_lines"])
      assert.deepStrictEqual(yield* failing({ count_by: "1" }), ["InvalidInput", "count_by"])
      assert.deepStrictEqual(yield* failing({ pattern: "(a)", regex: true, count_by: "2" }), [
        "InvalidInput",
        "count_by"
      ])
      assert.deepStrictEqual(yield* failing({ pattern: "(a)", regex: true, count_by: "0" }), [
        "InvalidInput",
        "count_by"
      ])
      assert.deepStrictEqual(yield* failing({ pattern: "(a)", regex: true, count_by: "n" }), [
        "InvalidInput",
        "count_by"
      ])
      assert.deepStrictEqual(yield* failing({ path: "a.txt", include_glob: "*" }), ["InvalidInput", "include_glob"])
    }))

  it.scopedLive("passes over files that vanish or may not be read", () =>
    Effect.gen(function*() {
      const { host, invocation } = yield* prepared(tree)
      const workspace: Workspace = {
        ...invocation.workspace,
        read: (path, range) => {
          fs.rmSync(host("b.md"), { force: true })
          return invocation.workspace.read(path, range)
        }
      }
      const found = yield* searchContent(inputOf({ path: ".", pattern: "fish", files_only: true }), {
        ...invocation,
        workspace
      })
      assert.deepStrictEqual(found.files?.map(({ path }) => path), ["/workspace/a.txt", "/workspace/sub/c.txt"])
    }))

  it.scopedLive("takes no exponential time", () =>
    Effect.gen(function*() {
      const { run } = yield* prepared({ f: `${"a".repeat(1_000_000)}b` })
      const found = yield* Effect.timeout(run({ pattern: "(a+)+$", regex: true, total_only: true }), "10 seconds")
      assert.strictEqual(found.total, 0)
    }))

  it.scopedLive("refuses a pattern that is too complex for a line", () =>
    Effect.gen(function*() {
      const { run } = yield* prepared({ "d/f": "ab".repeat(500_000) })
      const error = yield* Effect.flip(run({ pattern: "(a|b)*?a(a|b){100}c", regex: true }))
      assert.strictEqual(error._tag, "InvalidPattern")
      assert.include(error.message, "/workspace/d/f")
    }))

  it.scopedLive("stops when it is cancelled between files", () =>
    Effect.gen(function*() {
      const count = 1_000
      const { invocation } = yield* prepared(
        Object.fromEntries(Array.from({ length: count }, (_, index) => [`f${index}`, "x"]))
      )
      let reads = 0
      const workspace: Workspace = {
        ...invocation.workspace,
        read: (path, range) => {
          reads++
          return invocation.workspace.read(path, range)
        }
      }
      const input = inputOf({ path: ".", pattern: "x" })
      const fiber = yield* Effect.fork(searchContent(input, { ...invocation, workspace }))
      yield* Effect.repeat(Effect.sleep(1), { until: () => reads >= 10 })
      yield* Fiber.interrupt(fiber)
      const after = reads
      assert.isBelow(after, count)
      yield* Effect.sleep(50)
      assert.strictEqual(reads, after)
    }))

  it.scopedLive("stops when it is cancelled within a line", () =>
    Effect.gen(function*() {
      const { run } = yield* prepared({ f: "a".repeat(200_000) })
      const fiber = yield* Effect.fork(run({ pattern: "a*b|a", regex: true, total_only: true }))
      yield* Effect.sleep(100)
      assert.isNull(fiber.unsafePoll())
      yield* Effect.timeout(Fiber.interrupt(fiber), "5 seconds")
    }))

  it.scopedLive("counts in all the same as by group, and finds every line that has an occurrence", () =>
    Effect.gen(function*() {
      const { host, run } = yield* prepared({})
      const text = FastCheck.array(FastCheck.constantFrom("a", "b", "ab", "\n", "\r\n", " ", "é", "😀"), {
        maxLength: 40
      })
        .map((pieces) => pieces.join(""))
      const pattern = FastCheck.constantFrom("(a)", "(ab?)", "(.*)", "(\\w+)", "(^.)", "(b*)", "(a|😀)", "(.$)")
      const searching = (input: object) => Effect.runPromise(run({ regex: true, max_results: 10_000, ...input }))
      yield* Effect.promise(() =>
        FastCheck.assert(
          FastCheck.asyncProperty(text, text, pattern, async (one, other, expression) => {
            writeTree(host(""), { one, other })
            const { total } = await searching({ pattern: expression, total_only: true })
            const { counts = {} } = await searching({ pattern: expression, count_by: "1" })
            assert.strictEqual(Object.values(counts).reduce((sum, count) => sum + count, 0), total)
            const lines = await searching({ pattern: expression })
            const files = await searching({ pattern: expression, files_only: true })
            assert.strictEqual(lines.matches?.length, lines.total)
            assert.strictEqual(files.files?.reduce((sum, file) => sum + file.match_count, 0), files.total)
            assert.strictEqual(files.total, lines.total)
            assert.isAtMost(lines.total, total)
          }),
          parameters(300)
        )
      )
    }))
})
