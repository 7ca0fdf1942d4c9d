import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { Capabilities } from "kruxos"
import { LocalGateway } from "kruxos/local"
import { NodeGateway } from "kruxos/node"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Capability from "../../src/catalogue/Capability.js"
import * as Catalogue from "../../src/catalogue/Catalogue.js"
import { serve, type TestGateway } from "../../test/support/gateway.js"
import { asSupervisor } from "../../test/support/supervisor.js"

const release = Capability.make("deploy.release", {
  tier: "approval_required",
  tags: ["deploy"],
  inputs: {
    service: Schema.String,
    version: Schema.String,
    environment: Schema.String,
    replicas: Schema.Int,
    notes: Schema.String
  },
  outputs: { url: Schema.String },
  errors: {}
})

const deploy = LocalGateway.pack(Catalogue.make(release), {
  "deploy.release": () => Effect.succeed({ url: "https://billing.example" })
})

const policy = `name: northwind
version: "1.0"
rules:
  - capability: "filesystem.*"
    tier: notify
  - capability: filesystem.delete
    tier: approval_required
    reason: "Deletions are looked at by a human"
  - capability: filesystem.write
    tier: notify
  - capability: filesystem.write
    conditions: { path_prefix: /workspace/config }
    tier: approval_required
    reason: "Production configuration changes only with consent"
  - capability: deploy.release
    tier: approval_required
    reason: "Releases to production need the release manager"
  - capability: "network.*"
    tier: blocked
    reason: "Agents here do not reach the internet"
`

const notes = `Billing 4.12.0

- Invoices are rounded per line, as the auditors asked
- Retries of failed payments wait 1 h, 6 h and 24 h
- Migration 0093 adds invoices.rounding (backwards compatible)`

const configuration = `payments:
  provider: adyen
  retry_after_hours: [1, 6, 24]
  currencies: [EUR, CHF, SEK]
rounding: per_line
`

const clientOf = ({ url }: TestGateway, key: string, agentName: string) =>
  Effect.map(
    Layer.build(NodeGateway.layer({ host: url, apiKey: Redacted.make(key), agentName })),
    Context.get(Capabilities)
  )

const expected = new Set(["ApprovalRequired", "FileNotFound", "PathOutOfScope", "PolicyDenied"])

/** What agents try may fail, as it does in life; anything else is a mistake of this script. */
const quietly = (effect: Effect.Effect<unknown, { readonly _tag: string; readonly message: string }>) =>
  Effect.catchAll(
    effect,
    (error) => expected.has(error._tag) ? Effect.void : Effect.dieMessage(`${error._tag}: ${error.message}`)
  )

/** A gateway with three agents at work, some of whom wait for a human. */
export const scenario = Effect.gen(function*() {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => fs.mkdtempSync(join(tmpdir(), "kruxos-screenshots-"))),
    (path) => Effect.sync(() => fs.rmSync(path, { recursive: true, force: true }))
  )
  const file = join(folder, "policy.yaml")
  fs.writeFileSync(file, policy)
  const gateway = yield* serve({ agent: "release-bot", policy: { file }, packs: [deploy] })
  for (
    const [name, text] of Object.entries({ "README.md": "# Northwind", "sales.csv": "month,total\n2026-09,81200\n" })
  ) {
    fs.writeFileSync(join(gateway.workspace, name), text)
  }
  fs.mkdirSync(join(gateway.workspace, "handbook"))
  fs.mkdirSync(join(gateway.workspace, "exports/2024"), { recursive: true })
  fs.writeFileSync(join(gateway.workspace, "handbook/old-onboarding.md"), "# Old")

  const releaseBot = yield* clientOf(gateway, gateway.key, "claude-code")
  const docsWriter = yield* clientOf(gateway, yield* gateway.addAgent("docs-writer"), "cursor")
  const analyst = yield* clientOf(gateway, yield* gateway.addAgent("data-analyst"), "kruxos")

  yield* releaseBot.invoke("filesystem.list", { path: "/workspace" })
  yield* docsWriter.invoke("filesystem.write", { path: "/workspace/handbook/releases.md", content: "# Releases\n" })
  yield* analyst.invoke("filesystem.read", { path: "/workspace/sales.csv" })
  yield* quietly(analyst.invoke("filesystem.read", { path: "/workspace/sales-2025.csv" }))
  yield* quietly(analyst.invokeDynamic("network.http_request", { method: "GET", url: "https://rates.example/eur" }))
  yield* quietly(docsWriter.invoke("filesystem.read", { path: "/etc/passwd" }))
  yield* quietly(
    releaseBot.invoke("state.persistent.set", { key: "release/last", value: { service: "billing", version: "4.11.2" } })
  )
  yield* quietly(releaseBot.invoke("state.persistent.set", { key: "release/window", value: "Tue 09:00-11:00 UTC" }))
  yield* quietly(
    releaseBot.invoke("state.persistent.set", {
      key: "release/last",
      value: { service: "billing", version: "4.11.3", checks: ["smoke", "load"] }
    })
  )

  const decideAll = (verdict: "approve" | "reject", body: unknown) =>
    Effect.gen(function*() {
      const { body: list } = yield* asSupervisor(gateway, "/approvals?status=pending")
      const { approvals } = yield* Schema.decodeUnknown(
        Schema.Struct({ approvals: Schema.Array(Schema.Struct({ id: Schema.String })) })
      )(list)
      yield* Effect.forEach(approvals, ({ id }) =>
        asSupervisor(gateway, `/approvals/${id}/${verdict}`, { method: "POST", body }))
    })
  yield* quietly(docsWriter.invoke("filesystem.delete", { path: "/workspace/handbook/old-onboarding.md" }))
  yield* decideAll("approve", {})
  yield* quietly(analyst.invoke("filesystem.delete", { path: "/workspace/sales.csv" }))
  yield* decideAll("reject", { reason: "Finance still needs the September figures" })

  yield* quietly(releaseBot.invokeDynamic("deploy.release", {
    service: "billing",
    version: "4.12.0",
    environment: "production",
    replicas: 6,
    notes
  }))
  yield* quietly(
    releaseBot.invoke("filesystem.write", {
      path: "/workspace/config/billing.yaml",
      content: configuration,
      create_parents: true
    })
  )
  yield* quietly(analyst.invoke("filesystem.delete", { path: "/workspace/exports/2024" }))
  return gateway
})
