import { assert, describe, it } from "@effect/vitest"
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as fs from "node:fs"
import { store } from "../capabilities/filesystem/workspaceSupport.js"
import { type Call, comparable, prepared, treeOf } from "./support.js"

interface Case {
  readonly title: string
  readonly files: { readonly [path: string]: string }
  /** Makes what else has to be there. */
  readonly arrange?: (host: (path: string) => string) => void
  /** What is deleted before the call, which gets its path in the trash. */
  readonly remove?: string
  /** What is written to the place of the deleted file. */
  readonly occupy?: string
  readonly call: (trashPath: string) => Call
  /** What is found, from the crash before the first step to the one after the last; equal ones once. */
  readonly found: ReadonlyArray<string>
  /** How many entries are in the trash in the end; any number where it is left out. */
  readonly trashed?: number
}

const text = "line one\nline two\n"

const cases: ReadonlyArray<Case> = [
  {
    title: "write over a file",
    files: { "a.txt": "old" },
    call: () => ({ name: "filesystem.write", input: { path: "a.txt", content: text } }),
    found: ["NotDone", "Done"]
  },
  {
    title: "write a file and the directories for it",
    files: {},
    call: () => ({ name: "filesystem.write", input: { path: "a/b/c.txt", content: text, create_parents: true } }),
    found: ["NotDone", "Done"]
  },
  {
    title: "write what a link leads to",
    files: { "real.txt": "old" },
    arrange: (host) => fs.symlinkSync("real.txt", host("link")),
    call: () => ({ name: "filesystem.write", input: { path: "link", content: text, encoding: "latin1" } }),
    found: ["NotDone", "Done"]
  },
  {
    title: "append to a file",
    files: { "log": "first\n" },
    call: () => ({ name: "filesystem.append", input: { path: "log", content: "zweite Zeile: äöü\n" } }),
    found: ["NotDone", "PartlyDone", "Done"]
  },
  {
    title: "append to a file that is not there",
    files: {},
    call: () => ({ name: "filesystem.append", input: { path: "log", content: text } }),
    found: ["NotDone", "PartlyDone", "Done"]
  },
  {
    title: "copy",
    files: { "a.txt": text },
    call: () => ({ name: "filesystem.copy", input: { source: "a.txt", destination: "b.txt" } }),
    found: ["NotDone", "Done"]
  },
  {
    title: "copy over a file",
    files: { "a.txt": text, "b.txt": "old" },
    call: () => ({ name: "filesystem.copy", input: { source: "a.txt", destination: "b.txt", overwrite: true } }),
    found: ["NotDone", "Done"]
  },
  {
    title: "move a file",
    files: { "a.txt": text },
    call: () => ({ name: "filesystem.move", input: { source: "a.txt", destination: "b.txt" } }),
    found: ["NotDone", "PartlyDone", "Done"]
  },
  {
    title: "move over a file of the same size",
    files: { "a.txt": "one", "b.txt": "two" },
    call: () => ({ name: "filesystem.move", input: { source: "a.txt", destination: "b.txt", overwrite: true } }),
    found: ["NotDone", "Done"]
  },
  {
    title: "move over another name of the same file",
    files: { "a.txt": "one" },
    arrange: (host) => fs.linkSync(host("a.txt"), host("b.txt")),
    call: () => ({ name: "filesystem.move", input: { source: "a.txt", destination: "b.txt", overwrite: true } }),
    found: ["NotDone", "Done"]
  },
  {
    title: "move a directory",
    files: { "a/x": "x", "a/y/z": "z" },
    call: () => ({ name: "filesystem.move", input: { source: "a", destination: "b" } }),
    found: ["NotDone", "Done"]
  },
  {
    title: "edit a file",
    files: { "a.txt": "one two one" },
    call: () => ({
      name: "filesystem.edit",
      input: { path: "a.txt", pattern: "one", replace: "one one", expected_replacements: 2 }
    }),
    found: ["NotDone", "Done"]
  },
  {
    title: "edit the files of a directory",
    files: { "d/a.txt": "x1", "d/b.txt": "x2 x3", "d/c.txt": "nothing", "d/e.txt": "x4", "d/f.txt": "x\0" },
    call: () => ({
      name: "filesystem.edit",
      input: {
        path: "d",
        pattern: "x(\\d)",
        replace: "x${1}${1}",
        regex: true,
        include_glob: "*.txt",
        expected_replacements: 4
      }
    }),
    found: ["NotDone", "PartlyDone", "Done"]
  },
  {
    title: "delete a file",
    files: { "a.txt": text },
    call: () => ({ name: "filesystem.delete", input: { path: "a.txt" } }),
    found: ["NotDone", "PartlyDone", "Done"],
    trashed: 1
  },
  {
    title: "delete an empty directory",
    files: {},
    arrange: (host) => fs.mkdirSync(host("empty")),
    call: () => ({ name: "filesystem.delete", input: { path: "empty" } }),
    found: ["NotDone", "Done"],
    trashed: 1
  },
  {
    title: "restore a file",
    files: { "a/b.txt": text },
    remove: "a/b.txt",
    call: (trash_path) => ({ name: "filesystem.restore", input: { trash_path } }),
    found: ["NotDone", "Unknown", "Done"],
    trashed: 0
  },
  {
    title: "restore a file in the place of another",
    files: { "a.txt": text },
    remove: "a.txt",
    occupy: "something else",
    call: (trash_path) => ({ name: "filesystem.restore", input: { trash_path, overwrite: true } }),
    found: ["NotDone", "Unknown", "Done"]
  }
]

const decodeDeleted = Schema.decodeUnknownSync(Schema.Struct({ trash_path: Schema.String }))

const arranged = ({ arrange, call, files, occupy, remove }: Case) =>
  Effect.gen(function*() {
    const made = yield* prepared(files)
    arrange?.(made.host)
    if (remove === undefined) return { ...made, call: call("") }
    const deleted = decodeDeleted(yield* made.run({ name: "filesystem.delete", input: { path: remove } }))
    if (occupy !== undefined) fs.writeFileSync(made.host(remove), occupy)
    return { ...made, call: call(deleted.trash_path) }
  })

const uninterrupted = (one: Case) =>
  Effect.gen(function*() {
    const { call, root, run } = yield* arranged(one)
    const output = yield* run(call)
    return { output: comparable(output), tree: treeOf(root) }
  })

const withoutDiff = (output: string) => output.replace(/"diff":".*"/, "")

/** Crashes at a step, looks what happened, and goes on from there. */
const crashedAt = (one: Case, step: number, expected: { readonly output: string; readonly tree: unknown }) =>
  Effect.gen(function*() {
    const { after, before, call, killAt, root, run, trashed } = yield* arranged(one)
    // As it comes back from where it was kept.
    const known: unknown = JSON.parse(JSON.stringify(yield* before(call)))
    const died = yield* killAt(step, call)
    const crashed = treeOf(root)
    const found = yield* after(call, known)
    const title = `${one.title}: step ${step}, ${JSON.stringify(found)}`
    assert.deepStrictEqual(treeOf(root), crashed, title)
    if (found._tag === "Unknown") return { died, tag: found._tag }
    const output = found._tag === "Done" ? found.output : yield* found._tag === "NotDone" ? run(call) : found.finish
    assert.strictEqual(withoutDiff(comparable(output)), withoutDiff(expected.output), title)
    assert.deepStrictEqual(treeOf(root), expected.tree, title)
    if (one.trashed !== undefined) assert.lengthOf(trashed(), one.trashed, title)
    return { died, tag: found._tag }
  }).pipe(Effect.scoped, Effect.provide(store))

describe("a gateway that is killed at any step has its effect exactly once", () => {
  for (const one of cases) {
    it.effect(one.title, () =>
      Effect.gen(function*() {
        const expected = yield* uninterrupted(one).pipe(Effect.scoped, Effect.provide(store))
        const tags: Array<string> = []
        for (let step = 1, died = true; died; step++) {
          assert.isBelow(step, 100)
          const crashed = yield* crashedAt(one, step, expected)
          died = crashed.died
          tags.push(crashed.tag)
        }
        assert.isAbove(tags.length, 1)
        assert.deepStrictEqual(Array.dedupeAdjacent(tags), one.found)
      }))
  }
})
