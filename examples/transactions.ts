/**
 * An agent that writes two files, or none: the second write fails, and the first one is undone; then both succeed. What is on the disk
 * is printed each time.
 *
 * Run it with `npx tsx examples/transactions.ts`. It needs no network and leaves nothing behind.
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { Capabilities, Transaction } from "kruxos"
import { LocalGateway } from "kruxos/local"
import * as assert from "node:assert/strict"

/** Two files, or none. */
const writeBoth = (second: string) =>
  Transaction.run(Effect.gen(function*() {
    const { invoke } = yield* Capabilities
    yield* invoke("filesystem.write", { path: "/workspace/config.json", content: "{ \"version\": 2 }\n" })
    yield* invoke("filesystem.write", { path: second, content: "Version 2\n" })
  }))

const program = Effect.gen(function*() {
  const files = yield* FileSystem.FileSystem
  const workspace = yield* files.makeTempDirectoryScoped({ prefix: "kruxos-transactions-" })
  yield* files.writeFileString(`${workspace}/config.json`, "{ \"version\": 1 }\n")

  /** What is on the disk. */
  const look = Effect.gen(function*() {
    const names = (yield* files.readDirectory(workspace)).filter((name) => !name.startsWith(".")).toSorted()
    const contents = yield* Effect.forEach(
      names,
      (name) => Effect.map(files.readFileString(`${workspace}/${name}`), (content) => `${name}: ${content.trim()}`)
    )
    yield* Effect.forEach(contents, (line) => Console.log(`  ${line}`))
    return contents
  })

  yield* Effect.gen(function*() {
    yield* Console.log("Before:")
    const before = yield* look

    yield* Console.log("\nThe second file has no folder:")
    const error = yield* Effect.flip(writeBoth("/workspace/missing/notes.txt"))
    yield* Console.log(`  ${error._tag}: ${error.message}`)
    assert.equal(error._tag, "ParentNotFound")
    assert.deepEqual(yield* look, before)

    yield* Console.log("\nBoth can be written:")
    yield* writeBoth("/workspace/notes.txt")
    assert.deepEqual(yield* look, ["config.json: { \"version\": 2 }", "notes.txt: Version 2"])
  }).pipe(Effect.provide(LocalGateway.layer({ workspace, dataDirectory: ":memory:" })))

  yield* Console.log("\nAll as expected.")
}).pipe(Effect.scoped)

program.pipe(Effect.provide(NodeContext.layer), NodeRuntime.runMain)
