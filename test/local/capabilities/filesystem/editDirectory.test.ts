import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as fs from "node:fs"
import { DiskFull } from "../../../../src/errors/filesystem.js"
import { snapshot } from "../../workspace/support.js"
import { prepared } from "./editSupport.js"

describe("filesystem.edit of a directory", () => {
  const input = { path: ".", pattern: "x", replace: "y", include_glob: "**", replace_all: true }

  it.scopedLive("edits the files that the glob covers", () =>
    Effect.gen(function*() {
      const { run, text } = yield* prepared({
        "a.ts": "x",
        "d/b.ts": "xx",
        "d/c.md": "x",
        "d/none.ts": "z",
        bin: "x\0"
      })
      const output = yield* run({ ...input, include_glob: "*.ts" })
      assert.deepStrictEqual(
        { ...output, diff: "" },
        {
          applied: "full",
          total_replacements: 3,
          files_changed: 2,
          per_file: [{ path: "/workspace/a.ts", replacements: 1 }, { path: "/workspace/d/b.ts", replacements: 2 }],
          skipped: [],
          diff: ""
        }
      )
      assert.match(output.diff, /^--- a\/a\.ts\n[^]*\n--- a\/d\/b\.ts\n/)
      assert.deepStrictEqual([text("a.ts"), text("d/b.ts"), text("d/c.md")], ["y", "yy", "x"])
      const rest = yield* run({ ...input, pattern: "z" })
      assert.deepStrictEqual(rest.skipped, [{ path: "/workspace/bin", reason: "binary" }])
    }))

  it.scopedLive("counts over all files before it writes any", () =>
    Effect.gen(function*() {
      const { root, run } = yield* prepared({ a: "x", b: "xx" })
      const before = snapshot(root)
      const error = yield* Effect.flip(run({ ...input, replace_all: false, expected_replacements: 2 }))
      assert(error._tag === "ReplacementCountMismatch")
      assert.strictEqual(error.actual, 3)
      assert.deepStrictEqual(snapshot(root), before)
      const output = yield* run({ ...input, replace_all: false, expected_replacements: 3 })
      assert.strictEqual(output.files_changed, 2)
    }))

  const ignoring = {
    ".gitignore": "*.log\n/dist/\n!keep.log\n",
    "a.log": "x",
    "keep.log": "x",
    "dist/a": "x",
    "src/dist/a": "x",
    "src/.gitignore": "gen\n!special.log\n",
    "src/gen/a": "x",
    "src/special.log": "x",
    "src/other.log": "x",
    ".hidden": "x",
    ".git/config": "x",
    "node_modules/a/index.js": "x"
  }

  it.scopedLive("passes over what is hidden, installed or ignored", () =>
    Effect.gen(function*() {
      const { run } = yield* prepared(ignoring)
      const files = (more: object) =>
        Effect.map(run({ ...input, dry_run: true, ...more }), (output) =>
          output.per_file.map(({ path }) => path.slice("/workspace/".length)))
      assert.deepStrictEqual(yield* files({}), ["keep.log", "src/special.log", "src/dist/a"])
      assert.deepStrictEqual(yield* files({ path: "src" }), ["src/special.log", "src/dist/a"])
      assert.deepStrictEqual(yield* files({ path: "dist" }), ["dist/a"])
      assert.sameMembers(
        yield* files({ include_all: true }),
        Object.keys(ignoring).filter((path) =>
          !path.endsWith(".gitignore")
        )
      )
    }))

  it.scopedLive("edits neither through links nor in the trash", () =>
    Effect.gen(function*() {
      const { at, host, outside, run, workspace } = yield* prepared({ "d/real": "x", gone: "x" })
      fs.writeFileSync(`${outside}/x`, "x")
      fs.symlinkSync(outside, host("out"))
      fs.symlinkSync(`${outside}/x`, host("link"))
      yield* workspace.moveToTrash(yield* at("gone"), "entry")
      const output = yield* run({ ...input, include_all: true })
      assert.deepStrictEqual(output.per_file.map(({ path }) => path), ["/workspace/d/real"])
      assert.strictEqual(fs.readFileSync(`${outside}/x`, "utf8"), "x")
    }))

  it.scopedLive("says which files could not be written", () =>
    Effect.gen(function*() {
      const { runWith, text, workspace } = yield* prepared({ a: "x", b: "x", c: "xx" })
      const full = new DiskFull({ message: "no room" })
      const writingExcept = (name: string) =>
        runWith({
          write: (path, bytes, options) =>
            path.display.endsWith(name) ? Effect.fail(full) : workspace.write(path, bytes, options)
        })
      const first = yield* Effect.flip(writingExcept("a")(input))
      assert.strictEqual(first._tag, "ResourceExhausted")
      assert.deepStrictEqual([text("a"), text("b"), text("c")], ["x", "x", "xx"])
      const output = yield* writingExcept("b")(input)
      assert.strictEqual(output.applied, "partial")
      assert.deepStrictEqual(output.skipped, [{ path: "/workspace/b", reason: "no room" }])
      assert.strictEqual(output.total_replacements, 3)
      assert.strictEqual(output.files_changed, 2)
      assert.deepStrictEqual([text("a"), text("b"), text("c")], ["y", "x", "yy"])
    }))

  it.scopedLive("does not undo what somebody else writes meanwhile", () =>
    Effect.gen(function*() {
      const { host, runWith, text, workspace } = yield* prepared({ a: "x", b: "x" })
      const run = runWith({
        write: (path, bytes, options) => {
          fs.writeFileSync(host("b"), "x and more")
          return workspace.write(path, bytes, options)
        }
      })
      const output = yield* run(input)
      assert.strictEqual(output.applied, "partial")
      assert.deepStrictEqual(output.per_file, [{ path: "/workspace/a", replacements: 1 }])
      assert.deepStrictEqual(output.skipped.map(({ path }) => path), ["/workspace/b"])
      assert.deepStrictEqual([text("a"), text("b")], ["y", "x and more"])
    }))

  it.scopedLive("writes all files or none when it is cancelled", () =>
    Effect.gen(function*() {
      const { runWith, text, workspace } = yield* prepared({ a: "x", b: "x", c: "x" })
      let writes = 0
      const run = runWith({
        write: (path, bytes, options) =>
          Effect.suspend(() => {
            writes++
            return Effect.zipRight(Effect.sleep(20), workspace.write(path, bytes, options))
          })
      })
      const fiber = yield* Effect.fork(run(input))
      yield* Effect.repeat(Effect.sleep(1), { until: () => writes > 0 })
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual([text("a"), text("b"), text("c")], ["y", "y", "y"])
    }))
})
