import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Capabilities, Capability, Catalogue, Gateway } from "kruxos"
import { LocalGateway } from "kruxos/local"
import { NodeGateway } from "kruxos/node"
import * as fs from "node:fs"
import { join } from "node:path"
import { Agents } from "../../src/local/store/Agents.js"
import { Sessions as SessionRecords } from "../../src/local/store/Sessions.js"
import * as Store from "../../src/local/store/Store.js"
import { until, within } from "../support/deadline.js"
import { folders } from "../support/gateway.js"

const inStore = <A, E>(dataDirectory: string, use: Effect.Effect<A, E, Store.Store>) =>
  Effect.scoped(Effect.provide(use, Layer.orDie(Store.layer({ filename: join(dataDirectory, "gateway.db") }))))

const whoAmI = Effect.flatMap(Capabilities, ({ invoke }) => invoke("agent.whoami"))

describe("a gateway inside the process", () => {
  it.scopedLive("can be served later from the same data", () =>
    Effect.gen(function*() {
      const used = yield* folders
      yield* Effect.provide(whoAmI, LocalGateway.layer(used))
      const served = yield* LocalGateway.serve({ ...used, port: 0 })
      const me = yield* Effect.provide(whoAmI, NodeGateway.layer({ host: served.url, apiKey: served.apiKey }))
      assert.strictEqual(me.agent_name, "agent")
    }))

  it.scopedLive("goes on when the key of its agent is replaced, which it does not use", () =>
    Effect.gen(function*() {
      const used = yield* folders
      const { invoke } = yield* Capabilities.pipe(Effect.provide(yield* Layer.build(LocalGateway.layer(used))))
      yield* invoke("agent.whoami")
      yield* inStore(used.dataDirectory, Effect.flatMap(Agents, (agents) => agents.rotate("agent")))
      yield* until(
        "calls to succeed again",
        Effect.sleep("250 millis").pipe(
          Effect.zipRight(Effect.either(invoke("agent.whoami"))),
          Effect.map(({ _tag }) => _tag === "Right")
        )
      )
    }))

  it.scopedLive("is over when its agent is revoked", () =>
    Effect.gen(function*() {
      const used = yield* folders
      const services = yield* Layer.build(LocalGateway.layer({ ...used, reconnect: Schedule.spaced("20 millis") }))
      const { invoke } = yield* Effect.provide(Capabilities, services)
      const { status } = yield* Effect.provide(Gateway, services)
      yield* invoke("agent.whoami")
      yield* inStore(used.dataDirectory, Effect.flatMap(Agents, (agents) => agents.revoke("agent")))
      yield* Effect.sleep("250 millis")
      const refused = yield* Effect.flip(invoke("agent.whoami"))
      assert.strictEqual(refused._tag, "AuthenticationFailed")
      const last = yield* within("the end of the status", "5 seconds")(Stream.runLast(status))
      assert.deepInclude(last, { _tag: "Some" })
      assert.strictEqual(last._tag === "Some" ? last.value._tag : undefined, "Closed")
    }))

  it.scopedLive("runs beside another one on the same data without ending its sessions", () =>
    Effect.gen(function*() {
      const used = yield* folders
      const first = yield* Effect.provide(Gateway, yield* Layer.build(LocalGateway.layer(used)))
      yield* Effect.provide(whoAmI, LocalGateway.layer(used))
      const open = yield* inStore(
        used.dataDirectory,
        Effect.flatMap(SessionRecords, (sessions) => sessions.list())
      )
      const { id } = yield* first.session
      assert.deepStrictEqual(
        open.filter(({ endedAt }) => endedAt._tag === "None").map(({ sessionId }) => sessionId),
        [id ?? ""]
      )
    }))
})

describe("a gateway's own data", () => {
  it.scopedLive("is no workspace, nor is anything in it", () =>
    Effect.gen(function*() {
      const { dataDirectory } = yield* folders
      const keys = join(dataDirectory, "keys")
      fs.mkdirSync(keys)
      for (const workspace of [dataDirectory, keys]) {
        const error = yield* Effect.flip(LocalGateway.serve({ workspace, dataDirectory, port: 0 }))
        assert.strictEqual(error._tag === "WorkspaceUnavailable" ? error.reason : error._tag, "holds-data")
      }
    }))

  it.scopedLive("may lie in the folder of the workspace that no agent sees", () =>
    Effect.gen(function*() {
      const { workspace } = yield* folders
      const dataDirectory = join(workspace, ".kruxos")
      yield* Effect.gen(function*() {
        const { invoke } = yield* Capabilities
        const { entries } = yield* invoke("filesystem.list", { path: "/workspace", include_hidden: true })
        assert.deepStrictEqual(entries.map(({ name }) => name), [])
        for (const path of [".kruxos/gateway.db", ".KRUXOS/keys", "x/../.kruxos"]) {
          const error = yield* Effect.flip(invoke("filesystem.read", { path }))
          assert.strictEqual(error._tag, "PathOutOfScope", path)
        }
      }).pipe(Effect.provide(LocalGateway.layer({ workspace, dataDirectory })))
      const elsewhere = yield* Effect.flip(
        LocalGateway.serve({ workspace, dataDirectory: join(workspace, "data"), port: 0 })
      )
      assert.strictEqual(elsewhere._tag, "WorkspaceUnavailable")
    }))
})

describe("what waits for approval", () => {
  it.scopedLive("is asked for once, however often an agent tries", () =>
    Effect.gen(function*() {
      const used = yield* folders
      const { invoke } = yield* Effect.provide(Capabilities, yield* Layer.build(LocalGateway.layer(used)))
      const ids = yield* Effect.forEach(["a", "a", "b", "a"], (path) =>
        Effect.map(Effect.flip(invoke("filesystem.delete", { path }, { idempotencyKey: path })), (error) =>
          error._tag === "ApprovalRequired" ? error.approvalId : error._tag))
      assert.strictEqual(new Set(ids).size, 2)
      assert.strictEqual(ids[0], ids[3])
    }))

  it.scopedLive("is not asked for where the path can be none", () =>
    Effect.gen(function*() {
      const used = yield* folders
      const { invokeDynamic } = yield* Effect.provide(Capabilities, yield* Layer.build(LocalGateway.layer(used)))
      const tags = yield* Effect.forEach(
        ["../x", "/etc/passwd", "a\0b", "\ud800", "x".repeat(5000)],
        (path) => Effect.map(Effect.flip(invokeDynamic("filesystem.delete", { path })), ({ _tag }) => _tag)
      )
      assert.deepStrictEqual(tags, [
        "PathOutOfScope",
        "PathOutOfScope",
        "InvalidInput",
        "InvalidInput",
        "InvalidInput"
      ])
    }))
})

describe("a pack", () => {
  it.scopedLive("has names that are the same as tools of MCP", () =>
    Effect.gen(function*() {
      const used = yield* folders
      for (const name of ["weather", "a__b.c", "a_.b", "a b.c", ".a"]) {
        const declared = Capability.make(name, {
          tier: "autonomous",
          tags: [],
          inputs: {},
          outputs: { text: Schema.String },
          errors: {}
        })
        const pack = LocalGateway.pack(Catalogue.make(declared), { [name]: () => Effect.succeed({ text: "" }) })
        const error = yield* Effect.flip(LocalGateway.serve({ ...used, port: 0, packs: [pack] }))
        assert.strictEqual(error._tag, "InvalidCapabilityName", name)
      }
    }))
})
