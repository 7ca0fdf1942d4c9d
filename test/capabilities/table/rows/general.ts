import { expect } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { Approvals, Capability, CapabilityError, Catalogue, type GeneralError, Transaction } from "kruxos"
import { LocalGateway } from "kruxos/local"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import { Agents } from "../../../../src/local/store/Agents.js"
import { until } from "../../../support/deadline.js"
import { smallDisk } from "../../../support/smallDisk.js"
import { decide } from "../../../support/supervisor.js"
import { failing, type FailureRow, mounting, needing } from "../Row.js"
import type { World } from "../World.js"

const capability = "filesystem.stat"

const stat = ({ invoke }: World) => invoke(capability, { path: "/workspace" })

const asking = ({ elsewhere }: World) => elsewhere({ policy: { tiers: { [capability]: "approval_required" } } })

/** Waits inside a region for approval, and meanwhile does something about the request. */
const whileWaiting = (world: World, act: (approvalId: string, world: World) => Effect.Effect<unknown, unknown>) =>
  Effect.gen(function*() {
    const own = yield* asking(world)
    const approvals = Context.get(own.services, Approvals)
    const waiting = yield* Effect.fork(approvals.awaitApproval({ timeout: "10 seconds" })(stat(own)))
    const pending = Effect.map(approvals.list(), ([first]) => first?.approvalId)
    yield* until("the request", Effect.map(pending, (id) => id !== undefined))
    const approvalId = (yield* pending) ?? ""
    yield* act(approvalId, own)
    return yield* failing(Fiber.join(waiting), { approvalId, capability })
  })

const broken = Capability.make("acme.break", { tier: "autonomous", tags: [], inputs: {}, outputs: {}, errors: {} })

const pack = LocalGateway.pack(Catalogue.make(broken), {
  "acme.break": () => Effect.fail(new CapabilityError({ type: "acme.broken", message: "It is broken" }))
})

/** One row for each of the errors that any capability can fail with. */
export const general: { readonly [Tag in GeneralError["_tag"]]?: FailureRow } = {
  PolicyDenied: ({ elsewhere }) =>
    Effect.gen(function*() {
      const world = yield* elsewhere({ policy: { tiers: { [capability]: "blocked" } } })
      return yield* failing(stat(world), { capability, rule: expect.stringContaining(capability) })
    }),
  ApprovalRequired: (world) =>
    Effect.gen(function*() {
      const { invoke } = yield* world.elsewhere({ policy: "team-moderate" })
      return yield* failing(invoke("filesystem.delete", { path: "a" }), {
        capability: "filesystem.delete",
        approvalId: expect.stringMatching(/^apr-/)
      })
    }),
  ApprovalRejected: (world) => whileWaiting(world, (id, { gateway }) => decide(gateway, id, "reject")),
  ApprovalExpired: (world) => whileWaiting(world, (id, { services }) => Context.get(services, Approvals).withdraw(id)),
  ApprovalTimeout: (world) =>
    Effect.gen(function*() {
      const own = yield* asking(world)
      const { awaitApproval } = Context.get(own.services, Approvals)
      return yield* failing(awaitApproval({ timeout: "50 millis" })(stat(own)), { capability })
    }),
  NotReversible: ({ invoke, services }) =>
    Effect.gen(function*() {
      const { run } = Context.get(services, Transaction)
      return yield* failing(run(invoke("process.run", { command: "true" })), { capability: "process.run" })
    }),
  TransactionClosed: ({ services }) =>
    Effect.gen(function*() {
      const transaction = yield* Context.get(services, Transaction).begin()
      yield* transaction.commit
      return yield* failing(transaction.invoke(capability, { path: "/workspace" }), {
        transactionId: transaction.id
      })
    }),
  InvalidInput: ({ invokeDynamic }) => failing(invokeDynamic(capability, {}), { capability, field: "path" }),
  PermissionDenied: needing(mounting, ({ elsewhere }) =>
    Effect.gen(function*() {
      const workspace = yield* smallDisk(1024 * 1024)
      const { another } = yield* elsewhere()
      const { invoke } = yield* another({ name: "reader", workspace })
      execFileSync("mount", ["-o", "remount,ro", workspace])
      return yield* failing(invoke("filesystem.append", { path: "a", content: "" }), { path: "/workspace/a" })
    })),
  ResourceExhausted: ({ another, directory: name }) =>
    Effect.gen(function*() {
      const { invoke } = yield* another({ name })
      const channels = Array.from({ length: 100 }, (_, index) => `${name}-${index}`)
      yield* Effect.forEach(channels, (channel) => invoke("comms.subscribe", { channel }), { concurrency: 16 })
      return yield* failing(invoke("comms.subscribe", { channel: name }), { resource: "subscriptions", limit: 100 })
    }),
  RateLimited: ({ directory, elsewhere, host }) =>
    Effect.gen(function*() {
      const file = join(host(directory), "policy.yaml")
      fs.writeFileSync(
        file,
        `capabilities:\n  ${capability}: { tier: autonomous, rate_limit: { max: 1, window: 3600 } }\n`
      )
      const world = yield* elsewhere({ policy: { file } })
      yield* stat(world)
      return yield* failing(stat(world), { capability, limit: 1, windowSeconds: 3600, retryable: true })
    }),
  ServiceUnavailable: ({ invoke }) => failing(invoke("slack.channels"), { service: "slack" }),
  SessionPaused: ({ another, directory: name, gateway }) =>
    Effect.gen(function*() {
      const world = yield* another({ name })
      yield* gateway.inStore(Effect.flatMap(Agents, (agents) => agents.pause(name)))
      return yield* failing(stat(world))
    }),
  OutputMismatch: ({ invokeDynamic }) =>
    failing(
      invokeDynamic(capability, { path: "/workspace" }, { output: Schema.Struct({ colour: Schema.String }) }),
      { raw: expect.objectContaining({ exists: true }) }
    ),
  CapabilityError: ({ elsewhere }) =>
    Effect.gen(function*() {
      const { invokeDynamic } = yield* elsewhere({ packs: [pack] })
      return yield* failing(invokeDynamic("acme.break"), { type: "acme.broken", capability: "acme.break" })
    })
}
