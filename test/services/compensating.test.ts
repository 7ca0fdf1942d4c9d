import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { join } from "node:path"
import type { OpenTransaction } from "../../src/services/transaction/OpenTransaction.js"
import { withLogs } from "../support/logs.js"
import { type Gateway, gateway } from "./compensatingWorkspace.js"

const complete = (rolledBack: ReadonlyArray<string>) => ({ rolledBack, notReversible: [], conflicts: [] })

const fileSteps = ({ path, step }: Gateway): ReadonlyArray<
  readonly [string, (transaction: OpenTransaction) => Effect.Effect<unknown, unknown>]
> => [
  ["filesystem.write", (tx) => step(tx, "filesystem.write", { path: path("bytes.bin"), content: "text" })],
  ["filesystem.write", (tx) => step(tx, "filesystem.write", { path: "text.txt", content: "AAEC", encoding: "binary" })],
  [
    "filesystem.write",
    (tx) => step(tx, "filesystem.write", { path: path("text.txt"), content: "é", encoding: "latin1" })
  ],
  [
    "filesystem.write",
    (tx) => step(tx, "filesystem.write", { path: path("new/deep/file.txt"), content: "new", create_parents: true })
  ],
  ["filesystem.append", (tx) => step(tx, "filesystem.append", { path: path("bytes.bin"), content: "äöü" })],
  ["filesystem.append", (tx) => step(tx, "filesystem.append", { path: path("fresh.txt"), content: "fresh" })],
  [
    "filesystem.edit",
    (tx) => step(tx, "filesystem.edit", { path: "text.txt", pattern: "one", replace: "1", expected_replacements: 2 })
  ],
  [
    "filesystem.edit",
    (tx) =>
      step(tx, "filesystem.edit", {
        path: path(""),
        include_glob: "**/*.txt",
        pattern: "o(n)e",
        regex: true,
        replace: "${1}",
        replace_all: true
      })
  ],
  [
    "filesystem.copy",
    (tx) => step(tx, "filesystem.copy", { source: path("text.txt"), destination: path("bytes.bin"), overwrite: true })
  ],
  [
    "filesystem.copy",
    (tx) => step(tx, "filesystem.copy", { source: path("bytes.bin"), destination: path("copy.bin") })
  ],
  [
    "filesystem.move",
    (tx) => step(tx, "filesystem.move", { source: path("bytes.bin"), destination: path("moved.bin") })
  ],
  [
    "filesystem.move",
    (tx) => step(tx, "filesystem.move", { source: path("text.txt"), destination: path("bytes.bin"), overwrite: true })
  ],
  [
    "filesystem.move",
    (tx) => step(tx, "filesystem.move", { source: path("folder"), destination: path("hollow/folder") })
  ],
  ["filesystem.delete", (tx) => step(tx, "filesystem.delete", { path: path("bytes.bin") })],
  ["filesystem.delete", (tx) => step(tx, "filesystem.delete", { path: path("hollow") })]
]

describe("a transaction of a gateway without transactions", () => {
  it.scopedLive("undoes what was done to files, each alone and all in a row, byte for byte", () =>
    Effect.gen(function*() {
      const made = yield* gateway()
      const before = made.onDisk()
      const count = fileSteps(made).length
      for (let index = 0; index < count; index++) {
        const [name, act] = fileSteps(made)[index] ?? assert.fail()
        const transaction = yield* made.begin()
        yield* act(transaction)
        assert.notDeepEqual(made.onDisk(), before, `${index} ${name}`)
        assert.deepStrictEqual(yield* transaction.rollback, complete([name]), `${index} ${name}`)
        assert.deepStrictEqual(made.onDisk(), before, `${index} ${name}`)
      }
      const transaction = yield* made.begin()
      // What is not there any more is refused, and has changed nothing.
      yield* Effect.forEach(fileSteps(made), ([_, act]) => Effect.either(act(transaction)))
      const { conflicts, notReversible } = yield* transaction.rollback
      assert.deepStrictEqual({ conflicts, notReversible }, { conflicts: [], notReversible: [] })
      assert.deepStrictEqual(made.onDisk(), before)
    }))

  it.scopedLive("undoes what was restored", () =>
    Effect.gen(function*() {
      const made = yield* gateway()
      const { trash_path } = yield* made.invoke("filesystem.delete", { path: made.path("bytes.bin") })
      const before = made.onDisk()
      const transaction = yield* made.begin()
      const refused = made.step(transaction, "filesystem.restore", { trash_path, overwrite: true })
      assert.strictEqual((yield* Effect.flip(refused))._tag, "NotReversible")
      yield* made.step(transaction, "filesystem.restore", { trash_path })
      assert.notDeepEqual(made.onDisk(), before)
      assert.deepStrictEqual(yield* transaction.rollback, complete(["filesystem.restore"]))
      assert.deepStrictEqual(made.onDisk(), before)
    }))

  it.scopedLive("undoes what was done to the state, however often to a key", () =>
    Effect.gen(function*() {
      const { begin, invoke, state, step } = yield* gateway()
      yield* invoke("state.session.set", { key: "k", value: { a: 1, b: [null, 2] } })
      yield* invoke("state.session.set", { key: "other", value: 1 })
      yield* invoke("state.persistent.set", { key: "k", value: "before" })
      const { version } = yield* invoke("state.shared.set", { key: "k", value: ["before"], expected_version: 0 })
      const before = yield* state("k")
      const outer = yield* begin()
      yield* step(outer, "state.session.set", { key: "k", value: 1 })
      yield* step(outer, "state.persistent.set", { key: "k", value: 1 })
      yield* step(outer, "state.shared.set", { key: "k", value: 1, expected_version: version })
      const first = yield* state("k")

      const inner = yield* begin({ parent: outer })
      yield* step(inner, "state.session.clear", {})
      yield* step(inner, "state.session.set", { key: "k", value: 2 })
      yield* step(inner, "state.persistent.delete", { key: "k" })
      yield* step(inner, "state.persistent.set", { key: "k", value: 2 })
      yield* step(inner, "state.persistent.set", { key: "k", value: 3 })
      yield* step(inner, "state.shared.delete", { key: "k" })
      yield* step(inner, "state.shared.set", { key: "k", value: 2, expected_version: 0 })
      yield* step(inner, "state.shared.set", { key: "new", value: 2, expected_version: 0 })
      assert.notDeepEqual(yield* state("k"), first)
      const report = yield* inner.rollback
      assert.deepStrictEqual([report.notReversible, report.conflicts, report.rolledBack.length], [[], [], 8])
      assert.deepStrictEqual(yield* state("k"), first)
      assert.deepStrictEqual(yield* state("new"), [null, null, null])

      // The versions have gone on meanwhile.
      yield* step(outer, "state.persistent.set", { key: "k", value: 4 })
      const all = yield* outer.rollback
      assert.deepStrictEqual([all.notReversible, all.conflicts, all.rolledBack.length], [[], [], 4])
      assert.deepStrictEqual(yield* state("k"), before)
      assert.strictEqual((yield* invoke("state.session.get", { key: "other" })).value, 1)
    }))

  it.scopedLive("leaves alone what somebody else has changed since, keeps what was before, and undoes the rest", () =>
    Effect.gen(function*() {
      const { begin, invoke, path, read, step, write } = yield* gateway()
      yield* invoke("state.persistent.set", { key: "p", value: "before" })
      yield* invoke("state.shared.set", { key: "s", value: "before", expected_version: 0 })
      const transaction = yield* begin()
      yield* step(transaction, "filesystem.write", { path: path("empty.txt"), content: "ours" })
      yield* step(transaction, "filesystem.append", { path: "text.txt", content: "ours" })
      yield* step(transaction, "filesystem.write", { path: path("text.txt"), content: "ours again" })
      yield* step(transaction, "filesystem.delete", { path: path("folder/inner.txt") })
      yield* step(transaction, "filesystem.move", { source: path("bytes.bin"), destination: path("moved.bin") })
      yield* step(transaction, "state.persistent.set", { key: "p", value: "ours" })
      yield* step(transaction, "state.shared.set", { key: "s", value: "ours", expected_version: 1 })
      write("text.txt", "theirs")
      write("folder/inner.txt", "theirs")
      write("bytes.bin", "theirs")
      yield* invoke("state.persistent.set", { key: "p", value: "theirs" })
      yield* invoke("state.shared.set", { key: "s", value: "theirs", expected_version: 2 })
      const { conflicts, notReversible, rolledBack } = yield* transaction.rollback
      assert.deepStrictEqual({ notReversible, rolledBack }, { notReversible: [], rolledBack: ["filesystem.write"] })
      assert.deepStrictEqual(
        conflicts.map(({ resource }) => resource).toSorted(),
        [path("bytes.bin"), path("folder/inner.txt"), path("text.txt"), "p", "s"]
      )
      assert.strictEqual(read("empty.txt"), "")
      assert.strictEqual(read("text.txt"), "theirs")
      assert.strictEqual(read("folder/inner.txt"), "theirs")
      assert.strictEqual(read("bytes.bin"), "theirs")
      assert.strictEqual((yield* invoke("state.persistent.get", { key: "p" })).value, "theirs")
      assert.strictEqual((yield* invoke("state.shared.get", { key: "s" })).value, "theirs")
      const savedOf = (name: string) => conflicts.find(({ resource }) => resource === path(name))?.savedAs ?? ""
      assert.strictEqual((yield* invoke("filesystem.read", { path: savedOf("text.txt") })).content, "one\ntwo\none\n")
      yield* invoke("filesystem.restore", { trash_path: savedOf("folder/inner.txt"), overwrite: true })
      assert.strictEqual(read("folder/inner.txt"), "one inner\n")
    }))

  it.scopedLive("says that it cannot undo what a human would have to approve, and leaves no request for it", () =>
    withLogs((logs) =>
      Effect.gen(function*() {
        const { begin, path, read, step } = yield* gateway("team-moderate")
        const transaction = yield* begin()
        yield* step(transaction, "filesystem.write", { path: path("new.txt"), content: "new" })
        yield* step(transaction, "filesystem.write", { path: path("text.txt"), content: "new" })
        assert.deepStrictEqual(yield* transaction.rollback, {
          rolledBack: ["filesystem.write"],
          notReversible: ["filesystem.write"],
          conflicts: []
        })
        assert.strictEqual(read("text.txt"), "one\ntwo\none\n")
        const warning = logs.find((line) => line.includes("needs approval"))
        assert.match(warning ?? "", /withdrawn/)
        assert.match(warning ?? "", /approval_id/)
      })
    ))

  it.scopedLive("does not begin what it could not undo", () =>
    Effect.gen(function*() {
      const made = yield* gateway()
      fs.writeFileSync(join(made.workspace, "large.bin"), Buffer.alloc(8 * 1024 * 1024 + 1))
      fs.symlinkSync("text.txt", join(made.workspace, "link.txt"))
      const before = made.onDisk()
      const transaction = yield* made.begin()
      const refused = [
        made.step(transaction, "filesystem.write", { path: made.path("large.bin"), content: "" }),
        made.step(transaction, "filesystem.append", { path: made.path("large.bin"), content: "more" }),
        made.step(transaction, "filesystem.write", { path: made.path("link.txt"), content: "" }),
        made.step(transaction, "process.run", { command: "true" }),
        made.step(transaction, "alerts.send", { message: "no" }),
        made.step(transaction, "comms.subscribe", { channel: "no" }),
        made.step(transaction, "comms.receive", {}),
        made.step(transaction, "proxy.cancel_write", { write_id: "no" }),
        made.step(transaction, "scheduler.cron_delete", { cron_id: "no" })
      ]
      for (const step of refused) assert.strictEqual((yield* Effect.flip(step))._tag, "NotReversible")
      yield* made.step(transaction, "comms.receive", { acknowledge: false })
      yield* made.step(transaction, "filesystem.read", { path: made.path("text.txt") })
      // What is moved need not be kept, and what is too large to be compared has its size and time.
      yield* made.step(transaction, "filesystem.move", {
        source: made.path("large.bin"),
        destination: made.path("moved")
      })
      yield* made.step(transaction, "filesystem.copy", { source: made.path("moved"), destination: made.path("copied") })
      assert.deepStrictEqual(yield* transaction.rollback, complete(["filesystem.copy", "filesystem.move"]))
      assert.deepStrictEqual(made.onDisk(), before)
    }))

  it.scopedLive("undoes nothing of what is committed, nor of a savepoint that was undone before", () =>
    Effect.gen(function*() {
      const { begin, onDisk: disk, path, read, step } = yield* gateway()
      const before = disk()
      const outer = yield* begin()
      yield* step(outer, "filesystem.write", { path: path("text.txt"), content: "outer" })
      const undone = yield* begin({ parent: outer })
      yield* step(undone, "filesystem.write", { path: path("text.txt"), content: "undone" })
      assert.deepStrictEqual(yield* undone.rollback, complete(["filesystem.write"]))
      assert.strictEqual(read("text.txt"), "outer")
      const [one, other] = [yield* begin({ parent: outer }), yield* begin({ parent: outer })]
      yield* step(one, "filesystem.write", { path: path("text.txt"), content: "one" })
      yield* step(other, "filesystem.append", { path: path("text.txt"), content: " other" })
      yield* step(one, "filesystem.append", { path: path("text.txt"), content: " one" })
      yield* one.commit
      yield* one.commit
      assert.strictEqual((yield* Effect.flip(one.rollback))._tag, "TransactionClosed")
      const late = step(one, "filesystem.write", { path: path("text.txt"), content: "late" })
      assert.strictEqual((yield* Effect.flip(late))._tag, "TransactionClosed")
      // The other one is not over: it goes with the transaction around it, each step in its turn.
      const report = yield* outer.rollback
      assert.deepStrictEqual(
        report,
        complete(Array.from(["append", "append", "write", "write"], (each) => `filesystem.${each}`))
      )
      assert.deepStrictEqual(yield* outer.rollback, report)
      assert.deepStrictEqual((yield* other.rollback).rolledBack, ["filesystem.append"])
      assert.strictEqual((yield* Effect.flip(other.commit))._tag, "TransactionClosed")
      assert.strictEqual((yield* Effect.flip(other.cut))._tag, "TransactionClosed")
      assert.strictEqual((yield* Effect.flip(begin({ parent: outer })))._tag, "TransactionClosed")
      assert.deepStrictEqual(disk(), before)

      const kept = yield* begin()
      yield* step(kept, "filesystem.write", { path: path("text.txt"), content: "kept" })
      yield* kept.commit
      assert.strictEqual((yield* Effect.flip(kept.rollback))._tag, "TransactionClosed")
      assert.strictEqual(read("text.txt"), "kept")
    }))
})
