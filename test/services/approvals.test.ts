import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import { FileNotFound } from "../../src/errors/filesystem.js"
import { ApprovalRequired } from "../../src/errors/general.js"
import { at } from "../support/json.js"
import { parameters } from "../support/runs.js"
import { native, requests, settled } from "../support/scriptedGateway.js"
import { approvalGateway, servicesOf } from "./approvalsSupport.js"
import { failure, nativeGateway, success } from "./support.js"

const path = "/workspace/notes.txt"

const checksum = "0".repeat(64)

const written = success({ path, size: 5, checksum })

const write = (approvalId: string) =>
  new ApprovalRequired<"filesystem.write">({ message: "wait", approvalId, capability: "filesystem.write" })

const later = (milliseconds: number) => Effect.zipRight(TestClock.adjust(milliseconds), settled)

describe("check", () => {
  it.scoped("tells all that the gateway says", () =>
    Effect.gen(function*() {
      const gateway = approvalGateway({
        instead: ({ id }, server) => {
          server.answer(id, {
            approval_id: "apr-1",
            capability: "filesystem.write",
            status: "approved",
            decided_at: "2026-01-02T03:04:05Z",
            decided_by: "ada",
            expires_at: "2026-01-03T03:04:05",
            result: written
          })
          return true
        }
      })
      const { approvals } = yield* servicesOf(gateway)
      const status = yield* approvals.check(write("apr-1"))
      assert.deepStrictEqual(gateway.asked().map(({ method, params }) => [method, params]), [
        ["approvals.check", { approval_id: "apr-1" }]
      ])
      assert.strictEqual(status.decidedAt?.epochMillis, Date.UTC(2026, 0, 2, 3, 4, 5))
      assert.strictEqual(status.expiresAt?.epochMillis, Date.UTC(2026, 0, 3, 3, 4, 5))
      const { decidedAt: _, expiresAt: __, ...rest } = status
      assert.deepStrictEqual<unknown>(rest, {
        approvalId: "apr-1",
        capability: "filesystem.write",
        status: "approved",
        resolved: true,
        reason: undefined,
        decidedBy: "ada",
        result: Either.right(written.data)
      })
    }))

  it.scoped("reads every status, and says which are final", () =>
    Effect.gen(function*() {
      const gateway = approvalGateway()
      const { approvals } = yield* servicesOf(gateway)
      for (
        const [status, resolved] of [
          ["pending", false],
          ["running", false],
          ["approved", true],
          ["rejected", true],
          ["expired", true],
          ["withdrawn", true]
        ] as const
      ) {
        gateway.decide("apr-1", { status, result: written })
        assert.deepInclude(yield* approvals.check("apr-1"), { status, resolved })
      }
    }))

  it.scoped("gives a failure of what was approved with its types, by the handle", () =>
    Effect.gen(function*() {
      const gateway = approvalGateway()
      const { approvals } = yield* servicesOf(gateway)
      const missing = { error_type: "FileNotFound", description: "gone", context: { path } }
      gateway.decide("apr-1", { status: "approved", result: failure(missing) })
      const read = new ApprovalRequired<"filesystem.read">({
        message: "wait",
        approvalId: "apr-1",
        capability: "filesystem.read"
      })
      const { result } = yield* approvals.check(read)
      assert.instanceOf(result && Either.isLeft(result) ? result.left : undefined, FileNotFound)
      gateway.decide("apr-1", { status: "approved", result: success({ content: 5 }) })
      const odd = yield* approvals.check(read)
      assert.strictEqual(odd.result && Either.isLeft(odd.result) ? odd.result.left._tag : "", "OutputMismatch")
      const byId = yield* approvals.check("apr-1")
      assert.deepStrictEqual(byId.result, Either.right({ content: 5 }))
    }))

  it.scoped("asks a plain KruxOS in its own way, and takes what it says", () =>
    Effect.gen(function*() {
      const gateway = approvalGateway({ experimental: native })
      const { approvals } = yield* servicesOf(gateway)
      gateway.decide("apr-1", { status: "timed_out", result: written })
      assert.deepInclude(yield* approvals.check("apr-1"), { status: "expired", resolved: true, result: undefined })
      gateway.decide("apr-1", { status: "rejected", reason: "no" })
      assert.deepInclude(yield* approvals.check("apr-1"), { status: "rejected", reason: "no" })
      assert.deepStrictEqual(gateway.asked().map(({ method, params }) => [method, params]), [
        ["kruxos/checkApproval", { request_id: "apr-1" }],
        ["kruxos/checkApproval", { request_id: "apr-1" }]
      ])
    }))

  it.scoped("fails with InvalidInput for a request that there is not", () =>
    Effect.gen(function*() {
      for (const experimental of [undefined, native]) {
        const { approvals } = yield* servicesOf(approvalGateway(experimental && { experimental }))
        assert.strictEqual((yield* Effect.flip(approvals.check("apr-9")))._tag, "InvalidInput")
      }
    }))

  it.scoped.each([
    null,
    "approved",
    {},
    { status: "lost" },
    { status: 1 },
    { approval_id: "apr-1", status: "approved" },
    { approval_id: "apr-1", status: "approved", result: "yes" }
  ])("fails with ProtocolError where the answer is %j", (answer) =>
    Effect.gen(function*() {
      const gateway = approvalGateway({
        instead: ({ id }, server) => {
          server.answer(id, answer)
          return true
        }
      })
      const { approvals } = yield* servicesOf(gateway)
      assert.strictEqual((yield* Effect.flip(approvals.check("apr-1")))._tag, "ProtocolError")
    }))

  it.scoped("is not kept from telling the decision by a detail that cannot be read", () =>
    Effect.gen(function*() {
      const gateway = approvalGateway({
        instead: ({ id }, server) => {
          server.answer(id, {
            status: "rejected",
            decided_at: "yesterday",
            decided_by: 5,
            expires_at: null,
            reason: "no"
          })
          return true
        }
      })
      const { approvals } = yield* servicesOf(gateway)
      assert.deepInclude(yield* approvals.check("apr-1"), { status: "rejected", reason: "no", decidedAt: undefined })
    }))

  it("carries an id of any characters unharmed", () =>
    FastCheck.assert(
      FastCheck.asyncProperty(FastCheck.string({ unit: "binary", minLength: 1 }), (approvalId) =>
        Effect.gen(function*() {
          const gateway = approvalGateway({ ids: [approvalId] })
          const { approvals, capabilities } = yield* servicesOf(gateway)
          const handle = yield* Effect.flip(capabilities.invoke("filesystem.write", { path, content: "hello" }))
          assert.strictEqual(at(handle, "approvalId"), approvalId)
          gateway.decide(approvalId, { status: "rejected", reason: approvalId })
          const outcome = yield* approvals.wait(approvalId)
          assert.deepInclude(outcome, { approvalId, status: "rejected", reason: approvalId })
        }).pipe(Effect.scoped, Effect.runPromise)),
      parameters(200)
    ))

  it.scoped("takes an id that objects have a property of for an id", () =>
    Effect.gen(function*() {
      const { approvals } = yield* servicesOf(approvalGateway())
      for (const id of ["__proto__", "constructor", "toString"]) {
        assert.strictEqual((yield* Effect.flip(approvals.check(id)))._tag, "InvalidInput")
      }
    }))
})

describe("list and withdraw", () => {
  it.scoped("give the requests of this agent, or those with a status", () =>
    Effect.gen(function*() {
      const gateway = approvalGateway()
      const { approvals } = yield* servicesOf(gateway)
      gateway.decide("apr-1", { capability: "filesystem.write", status: "pending" })
      gateway.decide("apr-2", { capability: "filesystem.write", status: "approved", result: written })
      assert.deepStrictEqual((yield* approvals.list()).map(({ approvalId }) => approvalId), ["apr-1", "apr-2"])
      const [only, ...others] = yield* approvals.list({ status: "approved" })
      assert.deepInclude(only, { approvalId: "apr-2", result: Either.right(written.data) })
      assert.deepStrictEqual(others, [])
      assert.deepStrictEqual(gateway.asked().map(({ params }) => params), [{}, { status: "approved" }])
    }))

  it.scoped("take a request back, unless it is decided", () =>
    Effect.gen(function*() {
      const gateway = approvalGateway()
      const { approvals } = yield* servicesOf(gateway)
      gateway.decide("apr-1", { status: "pending" })
      gateway.decide("apr-2", { status: "rejected" })
      assert.strictEqual((yield* approvals.withdraw("apr-1")).status, "withdrawn")
      assert.strictEqual((yield* approvals.withdraw(write("apr-2"))).status, "rejected")
      assert.strictEqual((yield* Effect.flip(approvals.withdraw("apr-3")))._tag, "InvalidInput")
      assert.deepStrictEqual(yield* approvals.wait("apr-1"), {
        status: "withdrawn",
        approved: false,
        approvalId: "apr-1",
        reason: undefined
      })
    }))

  it.scoped("are not to be had from a gateway without the feature", () =>
    Effect.gen(function*() {
      const gateway = approvalGateway({ experimental: native })
      const { approvals } = yield* servicesOf(gateway)
      for (const error of [yield* Effect.flip(approvals.list()), yield* Effect.flip(approvals.withdraw("apr-1"))]) {
        assert.strictEqual(error._tag, "ProtocolError")
        assert.match(error.message, /feature approvals/)
      }
      assert.deepStrictEqual(gateway.asked(), [])
    }))
})

describe("wait", () => {
  it.scoped("gives the data of what was approved, decoded as its capability's", () =>
    Effect.gen(function*() {
      const gateway = approvalGateway()
      const { approvals } = yield* servicesOf(gateway)
      const stat = success({ exists: true, type: "file", modified: "2026-01-02T03:04:05" })
      gateway.decide("apr-1", { status: "approved", result: stat })
      const handle = new ApprovalRequired<"filesystem.stat">({
        message: "wait",
        approvalId: "apr-1",
        capability: "filesystem.stat"
      })
      const outcome = yield* approvals.wait(handle)
      assert.isTrue(outcome.approved)
      assert.strictEqual(outcome.data?.modified?.epochMillis, Date.UTC(2026, 0, 2, 3, 4, 5))
      assert.deepInclude(yield* approvals.wait("apr-1"), { approved: true, data: stat.data })
      assert.lengthOf(gateway.asked(), 2)
    }))

  it.scoped("tells a refusal, an expiry and a withdrawal from one another", () =>
    Effect.gen(function*() {
      const gateway = approvalGateway()
      const { approvals } = yield* servicesOf(gateway)
      for (
        const [status, reason] of [["rejected", "too risky"], ["expired", undefined], ["withdrawn", undefined]] as const
      ) {
        gateway.decide("apr-1", { status, reason })
        assert.deepStrictEqual(yield* approvals.wait(write("apr-1")), {
          status,
          approved: false,
          approvalId: "apr-1",
          reason
        })
      }
    }))

  it.scoped("fails with what the approved invocation failed with", () =>
    Effect.gen(function*() {
      const gateway = approvalGateway()
      const { approvals } = yield* servicesOf(gateway)
      const failures = [
        [{ error_type: "DiskFull", description: "full" }, "DiskFull"],
        [{ error_type: "PolicyDenied", description: "no longer" }, "PolicyDenied"],
        [{ error_type: "OutcomeUnknown", description: "the gateway was cut off" }, "OutcomeUnknown"],
        [{ error_type: "FileNotFound", description: "not one of the capability's" }, "CapabilityError"],
        [{ error_type: "ApprovalPending", description: "?", context: { request_id: "apr-2" } }, "ProtocolError"]
      ] as const
      for (const [error, tag] of failures) {
        gateway.decide("apr-1", { status: "approved", result: failure(error) })
        assert.strictEqual((yield* Effect.flip(approvals.wait(write("apr-1"))))._tag, tag)
      }
    }))

  it.scoped("has no data of a plain KruxOS, which runs nothing by itself", () =>
    Effect.gen(function*() {
      const gateway = approvalGateway({ experimental: native })
      const { approvals } = yield* servicesOf(gateway)
      gateway.decide("apr-1", { status: "approved" })
      assert.deepStrictEqual(yield* approvals.wait(write("apr-1")), {
        status: "granted",
        approved: true,
        approvalId: "apr-1"
      })
    }))

  it.scoped("goes on while the invocation runs", () =>
    Effect.gen(function*() {
      const gateway = approvalGateway()
      const { approvals } = yield* servicesOf(gateway)
      gateway.decide("apr-1", { status: "running" })
      const fiber = yield* Effect.fork(approvals.wait(write("apr-1")))
      yield* later(10_000)
      assert.isNull(fiber.unsafePoll())
      gateway.decide("apr-1", { status: "approved", result: written })
      yield* later(6000)
      assert.deepStrictEqual((yield* Fiber.join(fiber)).data, written.data)
    }))

  it.scoped("asks after 250 ms, then ever less often, and every 5 s in the end", () =>
    Effect.gen(function*() {
      const gateway = approvalGateway()
      const { approvals } = yield* servicesOf(gateway, { heartbeat: Duration.hours(1) })
      gateway.decide("apr-1", { status: "pending" })
      yield* Effect.fork(approvals.wait("apr-1"))
      yield* settled
      assert.lengthOf(gateway.asked(), 1)
      yield* later(199)
      assert.lengthOf(gateway.asked(), 1)
      yield* later(102)
      assert.lengthOf(gateway.asked(), 2)
      yield* later(60_000)
      const inFirstMinute = gateway.asked().length
      assert.isAtLeast(inFirstMinute, 13)
      assert.isAtMost(inFirstMinute, 22)
      yield* later(60_000)
      assert.isAtLeast(gateway.asked().length - inFirstMinute, 10)
      assert.isAtMost(gateway.asked().length - inFirstMinute, 15)
    }))

  it.scoped("asks by the schedule that it is given, and ends with it", () =>
    Effect.gen(function*() {
      const gateway = approvalGateway()
      const { approvals } = yield* servicesOf(gateway)
      gateway.decide("apr-1", { status: "pending" })
      const schedule = Schedule.intersect(Schedule.spaced("1 minute"), Schedule.recurs(2))
      const fiber = yield* Effect.fork(Effect.flip(approvals.wait("apr-1", { schedule })))
      yield* later(130_000)
      const error = yield* Fiber.join(fiber)
      assert.strictEqual(error._tag, "ApprovalTimeout")
      assert.lengthOf(gateway.asked(), 3)
    }))
})

describe("a handle", () => {
  it.scoped("is waited on by another process, from what was stored", () =>
    Effect.gen(function*() {
      const gateway = approvalGateway()
      const first = yield* servicesOf(gateway)
      const error = yield* Effect.flip(
        first.capabilities.invoke("filesystem.write", { path, content: "hello" }, { idempotencyKey: "the key" })
      )
      assert.strictEqual(error._tag, "ApprovalRequired")
      if (error._tag !== "ApprovalRequired") return
      assert.deepInclude(error, { approvalId: "apr-1", capability: "filesystem.write", idempotencyKey: "the key" })
      const stored = JSON.stringify(yield* Schema.encode(ApprovalRequired)(error))

      gateway.decide("apr-1", { status: "approved", result: written })
      const second = yield* servicesOf(gateway)
      const handle = yield* Schema.decode(Schema.parseJson(ApprovalRequired.ofCapability("filesystem.write")))(stored)
      assert.instanceOf(handle, ApprovalRequired)
      assert.deepInclude(handle, { approvalId: "apr-1", capability: "filesystem.write", idempotencyKey: "the key" })
      const outcome = yield* second.approvals.wait(handle)
      assert.strictEqual(outcome.data?.size, 5)
      const untyped = yield* Schema.decode(Schema.parseJson(ApprovalRequired))(stored)
      assert.deepInclude(yield* second.approvals.wait(untyped), { data: written.data })
      assert.lengthOf(gateway.asked("capabilities.invoke"), 1)
    }))

  it("of one capability is none of another", () => {
    const stored = Schema.encodeSync(ApprovalRequired)(write("apr-1"))
    assert.throws(() => Schema.decodeSync(ApprovalRequired.ofCapability("process.run"))(stored), /process\.run/)
  })

  it.scoped("has the key that the SDK made, but not one that was not sent, nor another than the gateway's", () =>
    Effect.gen(function*() {
      const keyed = approvalGateway()
      const { capabilities } = yield* servicesOf(keyed)
      const error = yield* Effect.flip(capabilities.invoke("filesystem.write", { path, content: "" }))
      const key = at(keyed.asked()[0]?.params, "idempotency_key")
      assert.isString(key)
      assert.strictEqual(at(error, "idempotencyKey"), key)

      const plain = yield* servicesOf(approvalGateway({ experimental: native }))
      const other = yield* Effect.flip(plain.capabilities.invoke("filesystem.write", { path, content: "" }))
      assert.isUndefined(at(other, "idempotencyKey"))

      const context = { request_id: "apr-1", idempotency_key: "the gateway's" }
      const saying = nativeGateway(() => failure({ type: "ApprovalPending", message: "wait", context }))
      const said = yield* Effect.flip(
        (yield* servicesOf(saying)).capabilities.invoke("filesystem.write", { path, content: "" })
      )
      assert.strictEqual(at(said, "idempotencyKey"), "the gateway's")
      assert.lengthOf(requests(saying.connections[0]), 1)
    }))

  it.scoped("comes with the code of the protocol too", () =>
    Effect.gen(function*() {
      const gateway = approvalGateway({
        instead: ({ id }, server) => {
          server.refuse(id, { code: -32002, message: "wait", data: { approval_id: "apr-7" } })
          return true
        }
      })
      const { capabilities } = yield* servicesOf(gateway)
      const error = yield* Effect.flip(capabilities.invoke("filesystem.write", { path, content: "" }))
      assert.strictEqual(at(error, "approvalId"), "apr-7")
      assert.strictEqual(at(error, "idempotencyKey"), at(gateway.asked()[0]?.params, "idempotency_key"))
    }))
})
