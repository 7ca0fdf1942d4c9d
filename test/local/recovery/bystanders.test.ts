import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as fs from "node:fs"
import { store } from "../capabilities/filesystem/workspaceSupport.js"
import { type Call, prepared, treeOf } from "./support.js"

type Host = (path: string) => string

/** What somebody else does: before the handler could run, or after it has run. */
interface Case {
  readonly title: string
  readonly files: { readonly [path: string]: string }
  readonly call: Call
  readonly ran: boolean
  readonly change: (host: Host) => void
  readonly found?: string
}

// As if some time had passed.
const later = (path: string) => fs.utimesSync(path, 5_000_000_000, 5_000_000_000)

const put = (path: string, content: string) => (host: Host) => {
  fs.writeFileSync(host(path), content)
  later(host(path))
}

const write: Call = { name: "filesystem.write", input: { path: "a", content: "new" } }
const append: Call = { name: "filesystem.append", input: { path: "a", content: "+ more\n" } }
const copy: Call = { name: "filesystem.copy", input: { source: "a", destination: "b", overwrite: true } }
const move: Call = { name: "filesystem.move", input: { source: "a", destination: "b" } }
const moveOver: Call = { name: "filesystem.move", input: { source: "a", destination: "b", overwrite: true } }
const edit: Call = {
  name: "filesystem.edit",
  input: { path: "a", pattern: "o", replace: "oo", replace_all: true }
}
const editAll: Call = {
  name: "filesystem.edit",
  input: { path: ".", pattern: "o", replace: "oo", replace_all: true, include_glob: "*" }
}
const remove: Call = { name: "filesystem.delete", input: { path: "a" } }

const files = { a: "old\n" }
const two = { a: "one o", b: "two" }

const cases: ReadonlyArray<Case> = [
  { title: "wrote before a write", files, call: write, ran: false, change: put("a", "theirs") },
  { title: "wrote after a write", files, call: write, ran: true, change: put("a", "theirs") },
  { title: "took a write back", files, call: write, ran: true, change: put("a", "old\n") },
  { title: "deleted what was written", files, call: write, ran: true, change: (host) => fs.unlinkSync(host("a")) },
  { title: "made the file", files: {}, call: write, ran: false, change: put("a", "theirs") },
  { title: "wrote the same", files, call: write, ran: false, change: put("a", "new"), found: "Done" },
  { title: "made it a directory", files: {}, call: write, ran: false, change: (host) => fs.mkdirSync(host("a")) },
  { title: "appended before", files, call: append, ran: false, change: put("a", "old\ntheirs\n") },
  { title: "appended after", files, call: append, ran: true, change: put("a", "old\n+ more\ntheirs\n") },
  { title: "appended what begins so", files, call: append, ran: false, change: put("a", "old\n+ mine\n") },
  { title: "took an append back", files, call: append, ran: true, change: put("a", "old\n") },
  { title: "changed the file's beginning", files, call: append, ran: true, change: put("a", "OLD\n+ more\n") },
  { title: "emptied the file", files, call: append, ran: true, change: put("a", "") },
  { title: "emptied a file that was made", files: {}, call: append, ran: true, change: put("a", ""), found: "NotDone" },
  { title: "wrote the copy", files: two, call: copy, ran: true, change: put("b", "theirs") },
  { title: "wrote the source of a copy", files: two, call: copy, ran: true, change: put("a", "theirs"), found: "Done" },
  { title: "wrote where a copy goes", files: two, call: copy, ran: false, change: put("b", "theirs") },
  { title: "wrote the source of a move", files, call: move, ran: false, change: put("a", "theirs") },
  { title: "wrote where a move goes", files, call: move, ran: false, change: put("b", "theirs") },
  { title: "put the same where a move goes", files, call: move, ran: false, change: put("b", "old\n") },
  { title: "wrote what was moved", files, call: move, ran: true, change: put("b", "theirs") },
  { title: "moved it on", files, call: move, ran: true, change: (host) => fs.renameSync(host("b"), host("c")) },
  { title: "made a new file at the source", files, call: move, ran: true, change: put("a", "theirs"), found: "Done" },
  { title: "made a new source", files: two, call: moveOver, ran: true, change: put("a", "theirs"), found: "Done" },
  { title: "took an edit back", files, call: edit, ran: true, change: put("a", "old\n") },
  { title: "wrote before an edit", files, call: edit, ran: false, change: put("a", "theirs o") },
  { title: "wrote one of the edited files", files: two, call: editAll, ran: true, change: put("b", "theirs") },
  { title: "wrote one of the files to edit", files: two, call: editAll, ran: false, change: put("b", "theirs") },
  { title: "wrote before a delete", files, call: remove, ran: false, change: put("a", "theirs") },
  { title: "deleted it", files, call: remove, ran: false, change: (host) => fs.unlinkSync(host("a")) },
  { title: "made a new file after a delete", files, call: remove, ran: true, change: put("a", "theirs") },
  { title: "made the file to delete", files: {}, call: remove, ran: false, change: put("a", "theirs") }
]

describe("what somebody else changed is not taken for an effect, and stays", () => {
  for (const { call, change, files, found: expected = "Unknown", ran, title } of cases) {
    it.scoped(`somebody ${title} (${call.name})`, () =>
      Effect.gen(function*() {
        const { after, before, host, root, run } = yield* prepared(files)
        const known = yield* before(call)
        if (ran) yield* run(call)
        change(host)
        const changed = treeOf(root)
        const found = yield* after(call, known)
        assert.strictEqual(found._tag, expected)
        if (found._tag === "Unknown") assert.include(found.reason, "/workspace/")
        assert.deepStrictEqual(treeOf(root), changed)
      }).pipe(Effect.provide(store)))
  }

  it.scoped("a restored file that somebody changed, or took away", () =>
    Effect.gen(function*() {
      const { after, before, host, run } = yield* prepared(files)
      const { trash_path } = decodeDeleted(yield* run(remove))
      const call: Call = { name: "filesystem.restore", input: { trash_path } }
      const known = yield* before(call)
      put("a", "theirs")(host)
      assert.strictEqual((yield* after(call, known))._tag, "Unknown")
      fs.unlinkSync(host("a"))
      yield* run(call)
      assert.strictEqual((yield* after(call, known))._tag, "Done")
      put("a", "changed since")(host)
      assert.strictEqual((yield* after(call, known))._tag, "Unknown")
      fs.unlinkSync(host("a"))
      assert.strictEqual((yield* after(call, known))._tag, "Unknown")
    }).pipe(Effect.provide(store)))

  it.scoped("an edit that was cut off goes on with nothing that was changed since", () =>
    Effect.gen(function*() {
      const { after, before, host, killAt, root } = yield* prepared(two)
      const known = yield* before(editAll)
      for (let step = 1; fs.readFileSync(host("a"), "utf8") === two.a; step++) yield* killAt(step, editAll)
      const found = yield* after(editAll, known)
      if (found._tag !== "PartlyDone") return assert.fail(found._tag)
      put("b", "theirs o")(host)
      const changed = treeOf(root)
      assert.strictEqual((yield* Effect.flip(found.finish))._tag, "ServiceUnavailable")
      assert.deepStrictEqual(treeOf(root), changed)
    }).pipe(Effect.provide(store)))
})

const decodeDeleted = Schema.decodeUnknownSync(Schema.Struct({ trash_path: Schema.String }))
