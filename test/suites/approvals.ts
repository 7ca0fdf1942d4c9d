import { assert, layer } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { ApprovalRequired, Approvals, Capabilities } from "kruxos"
import type { GatewayLayer } from "./GatewayLayer.js"

const path = "/workspace/notes/one.txt"

/** The handle of a deletion, which needs approval in the default policy. */
const askToDelete = Effect.gen(function*() {
  const { invoke } = yield* Capabilities
  const error = yield* Effect.flip(invoke("filesystem.delete", { path }))
  return error._tag === "ApprovalRequired" ? error : yield* Effect.dieMessage(`It failed with ${error._tag}`)
})

/** What holds for the Approvals of every layer while nobody decides anything. */
export const approvalsSuite = ({ layer: gateway, name }: GatewayLayer) =>
  layer(gateway, { excludeTestServices: true })(`Approvals (${name})`, (it) => {
    it.effect("tell where a request stands", () =>
      Effect.gen(function*() {
        const handle = yield* askToDelete
        const status = yield* (yield* Approvals).check(handle)
        assert.deepInclude(status, { approvalId: handle.approvalId, status: "pending", resolved: false })
      }))

    it.effect("say that there is no such request", () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip((yield* Approvals).check("apr-unknown"))
        assert.strictEqual(error._tag, "InvalidInput")
      }))

    it.effect("are waited for until the timeout, and the request stays in the queue", () =>
      Effect.gen(function*() {
        const approvals = yield* Approvals
        const handle = yield* askToDelete
        const error = yield* Effect.flip(approvals.wait(handle, { timeout: "300 millis" }))
        assert.strictEqual(error._tag, "ApprovalTimeout")
        assert.strictEqual((yield* approvals.check(handle.approvalId)).status, "pending")
      }))

    it.effect("are awaited inside awaitApproval, and nothing is done meanwhile", () =>
      Effect.gen(function*() {
        const { invoke } = yield* Capabilities
        const error = yield* invoke("filesystem.delete", { path }).pipe(
          Approvals.awaitApproval({ timeout: "300 millis" }),
          Effect.flip
        )
        assert.strictEqual(error._tag, "ApprovalTimeout")
        assert.strictEqual(error.capability, "filesystem.delete")
        assert.isTrue((yield* invoke("filesystem.stat", { path })).exists)
      }))

    it.effect("are listed, and can be taken back", () =>
      Effect.gen(function*() {
        const approvals = yield* Approvals
        const { approvalId } = yield* askToDelete
        const pending = yield* approvals.list({ status: "pending" })
        assert.include(pending.map((request) => request.approvalId), approvalId)
        assert.deepInclude(yield* approvals.withdraw(approvalId), { status: "withdrawn", resolved: true })
        assert.deepInclude(yield* approvals.wait(approvalId), { status: "withdrawn", approved: false })
        assert.deepInclude(yield* approvals.withdraw(approvalId), { status: "withdrawn" })
        const still = yield* approvals.list({ status: "pending" })
        assert.notInclude(still.map((request) => request.approvalId), approvalId)
      }))

    it.effect("end what waits for them when they end", () =>
      Effect.gen(function*() {
        const approvals = yield* Approvals
        const { invoke } = yield* Capabilities
        const pending = Effect.map(approvals.list({ status: "pending" }), (all) =>
          all.map(({ approvalId }) => approvalId))
        const before = new Set(yield* pending)
        const deleting = yield* invoke("filesystem.delete", { path: "notes/two.txt" }).pipe(
          Approvals.awaitApproval({ timeout: "10 seconds" }),
          Effect.flip,
          Effect.fork
        )
        const made = yield* pending.pipe(
          Effect.flatMap((all) =>
            Arr.findFirst(all, (approvalId) => !before.has(approvalId))
          ),
          Effect.retry({
            schedule: Schedule.spaced("20 millis"),
            while: ({ _tag }) => _tag === "NoSuchElementException",
            times: 200
          })
        )
        yield* approvals.withdraw(made)
        assert.strictEqual((yield* Fiber.join(deleting))._tag, "ApprovalExpired")
      }))

    it.effect("fail fast where they are told to", () =>
      Effect.gen(function*() {
        const { invoke } = yield* Capabilities
        const failed = Effect.flip(Approvals.failFast(invoke("filesystem.delete", { path })))
        assert.strictEqual((yield* Approvals.awaitApproval()(failed))._tag, "ApprovalRequired")
      }))

    it.effect("have handles that can be stored", () =>
      Effect.gen(function*() {
        const handle = yield* askToDelete
        const stored = yield* Schema.encode(Schema.parseJson(ApprovalRequired))(handle)
        const loaded = yield* Schema.decode(Schema.parseJson(ApprovalRequired.ofCapability("filesystem.delete")))(
          stored
        )
        assert.strictEqual(loaded.idempotencyKey, handle.idempotencyKey)
        assert.strictEqual((yield* (yield* Approvals).check(loaded)).approvalId, handle.approvalId)
      }))
  })
