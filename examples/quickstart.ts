/**
 * The first agent program: it starts a gateway of its own, connects to it over a WebSocket as any client would, reads this
 * repository's Markdown files, writes a report of them, and meets the errors that a beginner meets first.
 *
 * Run it with `npm start`. It needs no flags and no network, and leaves nothing behind.
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Capabilities, type CapabilityFailure, Gateway } from "kruxos"
import { LocalGateway } from "kruxos/local"
import { NodeGateway } from "kruxos/node"
import * as assert from "node:assert/strict"

const heading = (text: string) => Console.log(`\n${text}`)

const showError = (error: CapabilityFailure) =>
  Console.log([
    `  ${error._tag}: ${error.message}`,
    ...error.recovery.map(({ action, capability, description }) =>
      `    try ${action}${capability === undefined ? "" : ` (${capability})`} — ${description}`
    )
  ].join("\n"))

const countLines = (content: string) => content.split("\n").length

/** The agent. It says what it needs (`Gateway`, `Capabilities`); which gateway that is, it does not know. */
const agent = Effect.gen(function*() {
  const gateway = yield* Gateway
  const capabilities = yield* Capabilities

  const session = yield* gateway.session
  yield* heading(`Connected to ${session.serverName} ${session.serverVersion} as agent "${session.agent}"`)

  const all = yield* capabilities.list()
  const safe = yield* capabilities.list({ tag: "safe" })
  yield* heading(`It lists ${all.length} capabilities, ${safe.length} of them safe. Those for files:`)
  for (const { name, permissionTier, purpose } of yield* capabilities.list({ category: "filesystem" })) {
    yield* Console.log(`  ${name.padEnd(26)} ${(permissionTier ?? "").padEnd(18)} ${purpose}`)
  }

  const definition = yield* capabilities.describe("filesystem.read")
  yield* heading(`${definition.name} takes`)
  for (const { default: value, description, name, required, type } of definition.inputs) {
    const presence = required
      ? "required"
      : value === undefined
      ? "optional"
      : `optional, else ${JSON.stringify(value)}`
    yield* Console.log(`  ${name}: ${type} (${presence}) — ${description}`)
  }

  const found = yield* capabilities.invoke("filesystem.search", { path: "/workspace", pattern: "**/*.md" })
  const files = yield* Effect.forEach(
    found.matches ?? [],
    ({ path }) =>
      Effect.map(
        capabilities.invoke("filesystem.read", { path }),
        ({ content, size }) => ({ path, size, lines: countLines(content) })
      ),
    { concurrency: 8 }
  )
  const rows = files.map(({ lines, path, size }) => `| ${path} | ${lines} | ${size} |`)
  const report = ["| file | lines | bytes |", "|---|---|---|", ...rows, ""].join("\n")
  const written = yield* capabilities.invoke("filesystem.write", {
    path: "/workspace/reports/markdown.md",
    content: report,
    create_parents: true
  })
  yield* heading(`Read ${files.length} Markdown files and wrote ${written.path} (${written.size} bytes):`)
  const kept = yield* capabilities.invoke("filesystem.read", { path: written.path })
  yield* Console.log(kept.content.trimEnd())

  yield* heading("A file that is not there:")
  const missing = yield* Effect.flip(capabilities.invoke("filesystem.read", { path: "/workspace/MISSING.md" })).pipe(
    Effect.filterOrFail((error) => error._tag === "FileNotFound"),
    Effect.tap(showError)
  )

  yield* heading("A path that leads out of the workspace:")
  const outside = yield* Effect.flip(capabilities.invoke("filesystem.read", { path: "../../etc/passwd" })).pipe(
    Effect.filterOrFail((error) => error._tag === "PathOutOfScope"),
    Effect.tap(showError)
  )

  yield* heading("Something that a human has to approve:")
  const waiting = yield* Effect.flip(capabilities.invoke("filesystem.delete", { path: written.path })).pipe(
    Effect.filterOrFail((error) => error._tag === "ApprovalRequired"),
    Effect.tap(showError)
  )

  return { files, report, kept: kept.content, missing, outside, waiting }
})

/** A workspace with copies of this repository's Markdown files; it is removed at the end. */
const workspace = Effect.gen(function*() {
  const fileSystem = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  const repository = yield* paths.fromFileUrl(new URL("..", import.meta.url))
  const directory = yield* fileSystem.makeTempDirectoryScoped({ prefix: "kruxos-quickstart-" })
  yield* fileSystem.makeDirectory(paths.join(directory, "docs"))
  const names = [
    ...(yield* fileSystem.readDirectory(repository)),
    ...(yield* fileSystem.readDirectory(paths.join(repository, "docs"))).map((name) => paths.join("docs", name))
  ]
  yield* Effect.forEach(
    names.filter((name) => name.endsWith(".md")),
    (name) => fileSystem.copyFile(paths.join(repository, name), paths.join(directory, name))
  )
  return directory
})

/** A gateway of our own on a free port, and a connection to it. With a KruxOS appliance it is `NodeGateway.layerConfig`. */
const connection = Layer.unwrapScoped(Effect.gen(function*() {
  const served = yield* LocalGateway.serve({ workspace: yield* workspace, dataDirectory: ":memory:", port: 0 })
  yield* Console.log(`A gateway listens at ${served.url}`)
  return NodeGateway.layer({ host: served.url, apiKey: served.apiKey, agentName: "quickstart" })
}))

const program = Effect.gen(function*() {
  const { files, kept, missing, outside, report, waiting } = yield* agent
  assert.ok(files.some(({ path }) => path === "/workspace/README.md"))
  assert.equal(kept, report)
  assert.ok(missing.recovery.length > 0)
  assert.equal(outside.path, "../../etc/passwd")
  assert.match(waiting.approvalId, /^apr-/)
  yield* heading("All as expected.")
})

program.pipe(Effect.provide(connection), Effect.provide(NodeContext.layer), NodeRuntime.runMain)
