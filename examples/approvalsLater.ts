/**
 * Asking now and finishing later: the first process asks for something that needs approval, stores the handle of its request as JSON
 * and ends. A human decides in their own time, and the gateway runs what was approved. A second process reads the handle and has the
 * result, with its type.
 *
 * Run it with `npx tsx examples/approvalsLater.ts`. It serves a gateway and starts both processes; it needs no network and leaves
 * nothing behind.
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Command from "@effect/platform/Command"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Console from "effect/Console"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { ApprovalRequired, Approvals, Capabilities } from "kruxos"
import { LocalGateway } from "kruxos/local"
import { NodeGateway } from "kruxos/node"
import * as assert from "node:assert/strict"
import { decideAll } from "./support/supervisor.js"

/** What is stored: it belongs to one capability, so that whoever waits on it knows the type of its data. */
const Handle = Schema.parseJson(ApprovalRequired.ofCapability("filesystem.delete"))

/** The first process. */
const ask = (file: string) =>
  Effect.gen(function*() {
    const files = yield* FileSystem.FileSystem
    const { invoke } = yield* Capabilities
    const handle = yield* Effect.flip(invoke("filesystem.delete", { path: "/workspace/old.txt" })).pipe(
      Effect.filterOrFail((error) => error._tag === "ApprovalRequired")
    )
    yield* files.writeFileString(file, yield* Schema.encode(Schema.parseJson(ApprovalRequired))(handle))
    yield* Console.log(`  asked for approval: ${handle.approvalId}`)
  })

/** The second process. */
const finish = (file: string) =>
  Effect.gen(function*() {
    const files = yield* FileSystem.FileSystem
    const approvals = yield* Approvals
    const handle = yield* Schema.decode(Handle)(yield* files.readFileString(file))
    const outcome = yield* approvals.wait(handle, { timeout: "30 seconds" })
    if (outcome.status !== "approved") return yield* Console.log(`  ${outcome.status}`)
    const { deleted_path, recoverable_until } = outcome.data
    yield* Console.log(`  deleted ${deleted_path}, recoverable until ${DateTime.formatIso(recoverable_until)}`)
  })

/** Runs this program again, in a process of its own, and gives what it printed. */
const inAnotherProcess = (role: "ask" | "finish", file: string, served: LocalGateway.Served) => {
  const [node = "", program = ""] = process.argv
  return Command.make(node, ...process.execArgv, program, role, file).pipe(
    Command.env({ KRUXOS_HOST: served.url, KRUXOS_API_KEY: Redacted.value(served.apiKey) }),
    Command.stderr("inherit"),
    Command.string,
    Effect.tap((printed) => Console.log(printed.trimEnd()))
  )
}

const everything = Effect.gen(function*() {
  const files = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  const folder = yield* files.makeTempDirectoryScoped({ prefix: "kruxos-approvals-later-" })
  const workspace = paths.join(folder, "workspace")
  yield* files.makeDirectory(workspace)
  const old = paths.join(workspace, "old.txt")
  yield* files.writeFileString(old, "old")
  const handleFile = paths.join(folder, "handle.json")

  const served = yield* LocalGateway.serve({ workspace, dataDirectory: ":memory:", port: 0 })
  yield* Console.log("The first process")
  const asked = yield* inAnotherProcess("ask", handleFile, served)
  assert.match(asked, /asked for approval: apr-/)
  yield* Console.log(`It has ended, and left ${yield* files.readFileString(handleFile)}`)
  assert.ok(yield* files.exists(old))

  yield* Console.log("\nA human looks at it")
  yield* decideAll(served, () => ({ approve: true }))

  yield* Console.log("\nThe second process")
  const finished = yield* inAnotherProcess("finish", handleFile, served)
  assert.match(finished, /deleted \/workspace\/old\.txt/)
  assert.ok(!(yield* files.exists(old)))
  yield* Console.log("\nAll as expected.")
}).pipe(Effect.scoped)

const [, , role, file = ""] = process.argv

const program: Effect.Effect<void, unknown, NodeContext.NodeContext> = role === "ask"
  ? Effect.provide(ask(file), NodeGateway.layerConfig)
  : role === "finish"
  ? Effect.provide(finish(file), NodeGateway.layerConfig)
  : everything

program.pipe(Effect.provide(NodeContext.layer), NodeRuntime.runMain)
