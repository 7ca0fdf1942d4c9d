import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import * as filesystem from "../../../../src/catalogue/filesystem.js"
import { search } from "../../../../src/local/capabilities/filesystem/search.js"
import { parameters } from "../../../support/runs.js"
import { writeTree } from "./tree.js"
import { invocationFixture } from "./workspaceSupport.js"

const inputOf = Schema.decodeUnknownSync(filesystem.search.handlerInputSchema)
const encode = Schema.encodeSync(filesystem.search.outputSchema)
const sha256 = (content: string) => createHash("sha256").update(content).digest("hex")

const prepared = (files: { readonly [path: string]: string }) =>
  Effect.map(invocationFixture, (made) => {
    writeTree(made.root, files)
    return {
      ...made,
      run: (input: object) =>
        Effect.tap(search(inputOf({ path: "/workspace", ...input }), made.invocation), (output) => {
          encode(output)
        })
    }
  })

const tree = {
  "b.ts": "12",
  "a.TS": "1",
  "src/c.ts": "123",
  "src/deep/d.ts": "1234",
  "src/README": "12",
  ".hidden/e.ts": "1",
  ".env": "12345"
}

describe("filesystem.search", () => {
  it.scopedLive("finds files sorted by path, hidden ones when asked", () =>
    Effect.gen(function*() {
      const { host, run } = yield* prepared(tree)
      const found = yield* run({ pattern: "*.ts" })
      assert.deepStrictEqual(found.matches?.map(({ path, size }) => [path, size]), [
        ["/workspace/b.ts", 2],
        ["/workspace/src/c.ts", 3],
        ["/workspace/src/deep/d.ts", 4]
      ])
      assert.strictEqual(found.total_matches, 3)
      assert.isFalse(found.truncated)
      const [first] = found.matches ?? []
      assert.deepStrictEqual(first?.modified, DateTime.unsafeMake(Math.trunc(fs.statSync(host("b.ts")).mtimeMs)))
      const hidden = yield* run({ pattern: "**", include_hidden: true })
      assert.deepStrictEqual(hidden.matches?.map(({ path }) => path), [
        "/workspace/.env",
        "/workspace/.hidden/e.ts",
        "/workspace/a.TS",
        "/workspace/b.ts",
        "/workspace/src/README",
        "/workspace/src/c.ts",
        "/workspace/src/deep/d.ts"
      ])
      const below = yield* run({ path: "src", pattern: "deep/*" })
      assert.deepStrictEqual(below.matches?.map(({ path }) => path), ["/workspace/src/deep/d.ts"])
    }))

  it.scopedLive("gives the first of the sorted files, and counts all", () =>
    Effect.gen(function*() {
      const names = Array.from({ length: 2_500 }, (_, index) => `f${String(index * 7919 % 2_500).padStart(4, "0")}`)
      const { run } = yield* prepared(Object.fromEntries(names.map((name) => [`${name.slice(-1)}/${name}`, ""])))
      const found = yield* run({ pattern: "f*", max_results: 2 })
      assert.deepStrictEqual(found.matches?.map(({ path }) => path), ["/workspace/0/f0000", "/workspace/0/f0010"])
      assert.strictEqual(found.total_matches, 2_500)
      assert.isTrue(found.truncated)
    }))

  it.scopedLive("finds neither links nor what they lead to", () =>
    Effect.gen(function*() {
      const { host, outside, run } = yield* prepared({ "real/a.txt": "" })
      fs.symlinkSync(outside, host("out"))
      fs.symlinkSync(host("real/a.txt"), host("link.txt"))
      fs.symlinkSync("real", host("inner"))
      const found = yield* run({ pattern: "*.txt" })
      assert.deepStrictEqual(found.matches?.map(({ path }) => path), ["/workspace/real/a.txt"])
      const through = yield* run({ path: "inner", pattern: "*" })
      assert.deepStrictEqual(through.matches?.map(({ path }) => path), ["/workspace/inner/a.txt"])
      const error = yield* Effect.flip(run({ path: "out", pattern: "*" }))
      assert.strictEqual(error._tag, "PathOutOfScope")
    }))

  it.scopedLive("adds checksums, not of large files", () =>
    Effect.gen(function*() {
      const { run } = yield* prepared({ a: "one", b: "larger" })
      const found = yield* run({ pattern: "*", include_hash: true, max_hash_bytes: 5 })
      assert.deepStrictEqual(found.matches?.map(({ checksum }) => checksum), [sha256("one"), undefined])
      assert.strictEqual(found.large_files_skipped, 1)
      const without = yield* run({ pattern: "*" })
      assert.deepStrictEqual(without.matches?.map(({ checksum }) => checksum), [undefined, undefined])
      assert.notProperty(without, "large_files_skipped")
    }))

  it.scopedLive("refuses what it cannot do", () =>
    Effect.gen(function*() {
      const { run } = yield* prepared(tree)
      const failing = (input: object) =>
        Effect.map(Effect.flip(run(input)), (error) => "field" in error ? [error._tag, error.field] : [error._tag])
      assert.deepStrictEqual(yield* failing({ path: "nowhere", pattern: "*" }), ["DirectoryNotFound"])
      assert.deepStrictEqual(yield* failing({ path: "b.ts", pattern: "*" }), ["InvalidInput", "path"])
      assert.deepStrictEqual(yield* failing({ path: "../..", pattern: "*" }), ["PathOutOfScope"])
      assert.deepStrictEqual(yield* failing({ pattern: "{a" }), ["InvalidPattern"])
      assert.deepStrictEqual(yield* failing({ pattern: "*", max_results: 10_001 }), ["InvalidInput", "max_results"])
      const aggregating = (aggregate: object) =>
        failing({ pattern: "*", aggregate: { group_by: "none", ...aggregate } })
      assert.deepStrictEqual(yield* aggregating({ dedupe: true }), ["InvalidInput", "aggregate.dedupe"])
      assert.deepStrictEqual(yield* aggregating({ metrics: [] }), ["InvalidInput", "aggregate.metrics"])
      assert.deepStrictEqual(yield* aggregating({ max_groups: 10_001 }), ["InvalidInput", "aggregate.max_groups"])
    }))

  it.scopedLive("stops when it is cancelled", () =>
    Effect.gen(function*() {
      const { invocation } = yield* prepared({ a: "" })
      const [file] = yield* Stream.runCollect(invocation.workspace.walk(yield* invocation.workspace.resolve("."), {
        includeHidden: false
      }))
      assert.isDefined(file)
      let walked = 0
      const endless = Stream.tap(Stream.forever(Stream.make(file)), () => Effect.sync(() => walked++))
      const workspace = { ...invocation.workspace, walk: () => endless }
      const fiber = yield* Effect.fork(search(inputOf({ path: ".", pattern: "x" }), { ...invocation, workspace }))
      yield* Effect.repeat(Effect.sleep(1), { until: () => walked >= 5_000 })
      yield* Fiber.interrupt(fiber)
      const after = walked
      yield* Effect.sleep(20)
      assert.strictEqual(walked, after)
    }))
})

describe("filesystem.search with aggregate", () => {
  const groupsOf = (aggregate: object, more: object = {}) =>
    Effect.flatMap(prepared(tree), ({ run }) => run({ pattern: "*", aggregate, ...more }))

  it.scopedLive("groups by extension, the largest group first", () =>
    Effect.gen(function*() {
      const output = yield* groupsOf({ group_by: "extension" })
      assert.deepStrictEqual(output, {
        total_matches: 5,
        truncated: false,
        groups: [{ key: "ts", count: 4, total_size: 10 }, { key: "<none>", count: 1, total_size: 2 }],
        groups_truncated: false
      })
    }))

  it.scopedLive("takes a dot at the start of a name for no extension", () =>
    Effect.gen(function*() {
      const output = yield* groupsOf({ group_by: "extension", metrics: ["count"], sort_by: "key" }, {
        include_hidden: true
      })
      assert.deepStrictEqual(output.groups, [{ key: "<none>", count: 2 }, { key: "ts", count: 5 }])
    }))

  it.scopedLive("groups by top directory and by nothing", () =>
    Effect.gen(function*() {
      const byDirectory = yield* groupsOf({ group_by: "dir", metrics: ["total_size"], sort_by: "key" })
      assert.deepStrictEqual(byDirectory.groups, [{ key: ".", total_size: 3 }, { key: "src", total_size: 9 }])
      const all = yield* groupsOf({ group_by: "none" })
      assert.deepStrictEqual(all.groups, [{ key: "<all>", count: 5, total_size: 12 }])
    }))

  it.scopedLive("groups by the day of the last change in UTC", () =>
    Effect.gen(function*() {
      const { host, run } = yield* prepared({ a: "", b: "", c: "" })
      fs.utimesSync(host("a"), 0, Date.UTC(2024, 1, 29, 23, 59, 59) / 1000)
      fs.utimesSync(host("b"), 0, Date.UTC(2024, 2, 1) / 1000)
      fs.utimesSync(host("c"), 0, Date.UTC(2024, 2, 1, 12) / 1000)
      const output = yield* run({ pattern: "*", aggregate: { group_by: "mtime-bucket", metrics: ["count"] } })
      assert.deepStrictEqual(output.groups, [{ key: "2024-03-01", count: 2 }, { key: "2024-02-29", count: 1 }])
    }))

  it.scopedLive("sorts every way, and folds the rest together", () =>
    Effect.gen(function*() {
      const { run } = yield* prepared({ "a.x": "1234", "a.y": "12", "b.y": "1", "c.z": "12" })
      const keys = (aggregate: object) =>
        Effect.map(run({ pattern: "*", aggregate: { group_by: "extension", ...aggregate } }), ({ groups }) =>
          groups?.map(({ key }) => key))
      assert.deepStrictEqual(yield* keys({ sort_by: "key" }), ["x", "y", "z"])
      assert.deepStrictEqual(yield* keys({ sort_by: "-key" }), ["z", "y", "x"])
      assert.deepStrictEqual(yield* keys({ sort_by: "count" }), ["x", "z", "y"])
      assert.deepStrictEqual(yield* keys({ sort_by: "-count" }), ["y", "x", "z"])
      assert.deepStrictEqual(yield* keys({ sort_by: "total_size" }), ["z", "y", "x"])
      assert.deepStrictEqual(yield* keys({ sort_by: "-total_size" }), ["x", "y", "z"])
      const folded = yield* run({ pattern: "*", aggregate: { group_by: "extension", max_groups: 1 } })
      assert.deepStrictEqual(folded.groups, [
        { key: "y", count: 2, total_size: 3 },
        { key: "<other>", count: 2, total_size: 6 }
      ])
      assert.isTrue(folded.groups_truncated)
    }))

  it.scopedLive("finds duplicates, those first that take the most room", () =>
    Effect.gen(function*() {
      const { run } = yield* prepared({
        "small/1": "ab",
        "small/2": "ab",
        "small/3": "ab",
        "big/1": "abcdefgh",
        "big/2": "abcdefgh",
        "same size": "zzzzzzzz",
        "huge/1": "x".repeat(100),
        "huge/2": "x".repeat(100)
      })
      const input = { pattern: "*", include_hash: true, max_hash_bytes: 50 }
      const output = yield* run({ ...input, aggregate: { group_by: "none", dedupe: true } })
      assert.deepStrictEqual(output.duplicates, [
        { checksum: sha256("abcdefgh"), size: 8, paths: ["/workspace/big/1", "/workspace/big/2"] },
        { checksum: sha256("ab"), size: 2, paths: ["/workspace/small/1", "/workspace/small/2", "/workspace/small/3"] }
      ])
      assert.strictEqual(output.large_files_skipped, 2)
      assert.isFalse(output.truncated)
      const cut = yield* run({ ...input, max_results: 1, aggregate: { group_by: "none", dedupe: true } })
      assert.strictEqual(cut.duplicates?.length, 1)
      assert.isTrue(cut.truncated)
    }))

  it.scopedLive("counts every file once, whatever the groups", () =>
    Effect.gen(function*() {
      const { invocation } = yield* prepared(tree)
      const [model] = yield* Stream.runCollect(
        invocation.workspace.walk(yield* invocation.workspace.resolve("."), { includeHidden: false })
      )
      assert.isDefined(model)
      const name = FastCheck.constantFrom("a", "b.x", "c/d.y", "c/e.X", "f/g/h", "i/.j", "k.z")
      const file = FastCheck.record({ relative: name, size: FastCheck.nat(1_000) })
      yield* Effect.promise(() =>
        FastCheck.assert(
          FastCheck.asyncProperty(
            FastCheck.array(file),
            FastCheck.constantFrom("extension", "dir", "mtime-bucket", "none"),
            FastCheck.integer({ min: 1, max: 5 }),
            async (files, group_by, max_groups) => {
              const walk = () => Stream.fromIterable(files.map((each) => ({ ...model, ...each })))
              const output = await Effect.runPromise(
                search(inputOf({ path: ".", pattern: "**", aggregate: { group_by, max_groups } }), {
                  ...invocation,
                  workspace: { ...invocation.workspace, walk }
                })
              )
              const sum = (numbers: ReadonlyArray<number | undefined> = []) =>
                numbers.reduce<number>((total, number) => total + (number ?? Number.NaN), 0)
              assert.strictEqual(sum(output.groups?.map(({ count }) => count)), files.length)
              assert.strictEqual(output.total_matches, files.length)
              assert.strictEqual(
                sum(output.groups?.map(({ total_size }) => total_size)),
                sum(files.map(({ size }) => size))
              )
            }
          ),
          parameters(500)
        )
      )
    }))
})
