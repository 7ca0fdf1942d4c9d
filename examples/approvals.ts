/**
 * An agent that asks a human first: deleting a file needs approval by default. It waits for the decision as for any other effect; the
 * gateway runs what was approved, and what was refused is an error that says why.
 *
 * Run it with `npx tsx examples/approvals.ts`. It needs no network and leaves nothing behind. With a gateway of your own, the human
 * decides by `kruxos approvals list`, `approve` and `reject`.
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { Approvals, Capabilities } from "kruxos"
import { LocalGateway } from "kruxos/local"
import { NodeGateway } from "kruxos/node"
import * as assert from "node:assert/strict"
import { type Judge, supervise } from "./support/supervisor.js"

/** What needs approval fails with a handle of the request, which can be waited on, now or later. */
const ask = Effect.gen(function*() {
  const { invoke } = yield* Capabilities
  const approvals = yield* Approvals
  const handle = yield* Effect.flip(invoke("filesystem.delete", { path: "/workspace/draft.txt" })).pipe(
    Effect.filterOrFail((error) => error._tag === "ApprovalRequired")
  )
  yield* Console.log(`\n${handle.message}`)
  const outcome = yield* approvals.wait(handle, { timeout: "30 seconds" })
  yield* Console.log(`  ${outcome.status}`)
  return outcome
})

/** Inside `awaitApproval` it does not fail: it waits where it stands, and ApprovalRequired is no longer among the errors. */
const wait = Effect.gen(function*() {
  const { invoke } = yield* Capabilities
  yield* Console.log("\nDeleting an old file")
  const deleted = yield* invoke("filesystem.delete", { path: "/workspace/old.txt" })
  yield* Console.log(`  deleted; it can be restored from ${deleted.trash_path}`)

  yield* Console.log("\nDeleting the report")
  const refused = yield* Effect.flip(invoke("filesystem.delete", { path: "/workspace/report.txt" })).pipe(
    Effect.filterOrFail((error) => error._tag === "ApprovalRejected")
  )
  yield* Console.log(`  ${refused._tag}: ${refused.reason}`)
  return { deleted, refused }
}).pipe(Approvals.awaitApproval({ timeout: "30 seconds" }))

/** The human: old files may go, nothing else. */
const judge: Judge = ({ arguments: given }) =>
  given?.["path"] === "/workspace/report.txt" ? { reject: "the report is still needed" } : { approve: true }

const program = Effect.gen(function*() {
  const files = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  const workspace = yield* files.makeTempDirectoryScoped({ prefix: "kruxos-approvals-" })
  const names = ["draft.txt", "old.txt", "report.txt"]
  for (const name of names) yield* files.writeFileString(paths.join(workspace, name), name)

  const served = yield* LocalGateway.serve({ workspace, dataDirectory: ":memory:", port: 0 })
  yield* Console.log(`A gateway listens at ${served.url}; its supervisor decides at ${served.api}`)
  yield* supervise(served, judge)

  const [outcome, { deleted, refused }] = yield* Effect.provide(
    Effect.all([ask, wait]),
    NodeGateway.layer({ host: served.url, apiKey: served.apiKey, agentName: "approvals" })
  )
  assert.equal(outcome.status, "approved")
  assert.ok(deleted.trash_path)
  assert.equal(refused.reason, "the report is still needed")
  const left = yield* Effect.forEach(names, (name) => files.exists(paths.join(workspace, name)))
  assert.deepEqual(left, [false, false, true])
  yield* Console.log("\nAll as expected.")
}).pipe(Effect.scoped)

program.pipe(Effect.provide(NodeContext.layer), NodeRuntime.runMain)
