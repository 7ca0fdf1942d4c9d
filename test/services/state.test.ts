import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Approvals, type KruxosError } from "kruxos"
import { toolName } from "../../src/catalogue/toolName.js"
import { settled } from "../support/scriptedGateway.js"
import { approvalGateway } from "./approvalsSupport.js"
import { argumentsOf, pushing, stateGateway, stateOf } from "./stateSupport.js"
import { failure, json, mcpGateway, nativeGateway, success } from "./support.js"

const at = "2026-01-02T03:04:05Z"

const time = DateTime.unsafeMake(at)

const Settings = Schema.Struct({ limit: Schema.Number, since: Schema.DateTimeUtc })

const stored = { limit: 3, since: at, added_later: true }

const read = { limit: 3, since: time, added_later: true }

const version = { value: stored, version: 4, created_at: at, updated_at: at }

const answers: { readonly [capability: string]: unknown } = {
  "state.session.get": { found: true, value: stored },
  "state.session.set": { overwritten: true, previous_value: 1 },
  "state.session.delete": { deleted: true },
  "state.session.list": { keys: ["a", "b"], count: 2 },
  "state.session.clear": { removed_count: 2 },
  "state.persistent.get": { found: true, ...version },
  "state.persistent.set": { version: 5, previous_version: 4 },
  "state.persistent.delete": { deleted: true },
  "state.persistent.list": {
    entries: [{ key: "a", version: 4, size_bytes: 17, updated_at: at }],
    count: 1,
    total_size_bytes: 17
  },
  "state.persistent.query": { entries: [{ key: "a", ...version }], count: 1 },
  "state.persistent.history": { versions: [version], count: 1 },
  "state.shared.get": { found: true, value: stored, version: 4, owner_agent: "other", updated_at: at },
  "state.shared.set": { version: 5 },
  "state.shared.delete": { deleted: true },
  "state.shared.list": {
    entries: [{ key: "a", version: 4, size_bytes: 17, owner_agent: "other", updated_at: at }],
    count: 1,
    total_size_bytes: 17
  }
}

const keyNotFound = failure({ type: "KeyNotFound", message: "nothing there", context: { key: "k" } })

describe.each(["native", "mcp"] as const)("State at a gateway that speaks %s", (dialect) => {
  const make = () => {
    const sent: Array<readonly [capability: unknown, given: unknown]> = []
    const answer = (capability: string) => (given: unknown) => {
      sent.push([capability, given])
      return answers[capability]
    }
    const gateway = dialect === "native"
      ? nativeGateway((name, given) => success(answer(String(name))(given)))
      : mcpGateway({
        call: Object.fromEntries(
          Object.keys(answers).map((name) => [toolName(name), (given: unknown) => json(answer(name)(given))])
        )
      })
    return { gateway, sent }
  }

  it.scoped("keeps the state of a session", () =>
    Effect.gen(function*() {
      const { gateway, sent } = make()
      const { session } = yield* stateOf(gateway)
      assert.deepStrictEqual(yield* session.get("k"), Option.some({ key: "k", value: stored }))
      assert.deepStrictEqual(yield* session.get("k", Settings), Option.some({ key: "k", value: read }))
      assert.deepStrictEqual(yield* session.set("k", { step: 3 }), { overwritten: true })
      assert.deepStrictEqual(yield* session.set("k", Settings, read), { overwritten: true })
      assert.isTrue(yield* session.delete("k"))
      assert.deepStrictEqual(yield* session.list(), ["a", "b"])
      assert.deepStrictEqual(yield* session.list("task."), ["a", "b"])
      assert.strictEqual(yield* session.clear(), 2)
      assert.deepStrictEqual(sent, [
        ["state.session.get", { key: "k" }],
        ["state.session.get", { key: "k" }],
        ["state.session.set", { key: "k", value: { step: 3 } }],
        ["state.session.set", { key: "k", value: { ...stored, since: "2026-01-02T03:04:05.000Z" } }],
        ["state.session.delete", { key: "k" }],
        ["state.session.list", {}],
        ["state.session.list", { prefix: "task." }],
        ["state.session.clear", {}]
      ])
    }))

  it.scoped("keeps persistent state", () =>
    Effect.gen(function*() {
      const { gateway, sent } = make()
      const { persistent } = yield* stateOf(gateway)
      const entry = { key: "a", value: read, version: 4, createdAt: time, updatedAt: time }
      assert.deepStrictEqual(yield* persistent.get("a", Settings), Option.some(entry))
      assert.deepStrictEqual(yield* persistent.get("a", { version: 4 }), Option.some({ ...entry, value: stored }))
      assert.deepStrictEqual(
        yield* persistent.get("a", undefined, { version: 4 }),
        Option.some({ ...entry, value: stored })
      )
      assert.deepStrictEqual(yield* persistent.get("a", Settings, { version: 4 }), Option.some(entry))
      assert.deepStrictEqual(yield* persistent.set("a", 0.85), { version: 5, previousVersion: 4 })
      assert.isTrue(yield* persistent.delete("a"))
      assert.deepStrictEqual(yield* persistent.list("a"), [{ key: "a", version: 4, sizeBytes: 17, updatedAt: time }])
      assert.deepStrictEqual(yield* persistent.query(""), [{ ...entry, value: stored }])
      assert.deepStrictEqual(yield* persistent.query("a", Settings), [entry])
      assert.deepStrictEqual(yield* persistent.history("a", { limit: 5 }), [{ ...entry, value: stored }])
      assert.deepStrictEqual(yield* persistent.history("a", Settings), [entry])
      assert.deepStrictEqual(sent, [
        ["state.persistent.get", { key: "a" }],
        ["state.persistent.get", { key: "a", version: 4 }],
        ["state.persistent.get", { key: "a", version: 4 }],
        ["state.persistent.get", { key: "a", version: 4 }],
        ["state.persistent.set", { key: "a", value: 0.85 }],
        ["state.persistent.delete", { key: "a" }],
        ["state.persistent.list", { prefix: "a" }],
        ["state.persistent.query", { prefix: "" }],
        ["state.persistent.query", { prefix: "a" }],
        ["state.persistent.history", { key: "a", limit: 5 }],
        ["state.persistent.history", { key: "a" }]
      ])
    }))

  it.scoped("shares state", () =>
    Effect.gen(function*() {
      const { gateway, sent } = make()
      const { shared } = yield* stateOf(gateway)
      const entry = { key: "a", value: read, version: 4, ownerAgent: "other", updatedAt: time }
      assert.deepStrictEqual(yield* shared.get("a"), Option.some({ ...entry, value: stored }))
      assert.deepStrictEqual(yield* shared.get("a", Settings), Option.some(entry))
      assert.deepStrictEqual(yield* shared.set("a", 2, { expectedVersion: 4 }), { version: 5 })
      assert.deepStrictEqual(yield* shared.set("a", Schema.NumberFromString, 2, { expectedVersion: 0 }), { version: 5 })
      assert.isTrue(yield* shared.delete("a"))
      assert.deepStrictEqual(yield* shared.list(), [
        { key: "a", version: 4, sizeBytes: 17, ownerAgent: "other", updatedAt: time }
      ])
      assert.deepStrictEqual(sent, [
        ["state.shared.get", { key: "a" }],
        ["state.shared.get", { key: "a" }],
        ["state.shared.set", { key: "a", value: 2, expected_version: 4 }],
        ["state.shared.set", { key: "a", value: "2", expected_version: 0 }],
        ["state.shared.delete", { key: "a" }],
        ["state.shared.list", {}]
      ])
    }))
})

describe("State", () => {
  it.scoped("has no entry for what is missing, however the gateway says so", () =>
    Effect.gen(function*() {
      for (
        const answer of [
          success({ found: false }),
          success({ found: false, value: null, version: null, created_at: null, updated_at: null, owner_agent: null }),
          keyNotFound
        ]
      ) {
        const { persistent, session, shared } = yield* stateOf(
          nativeGateway((name) => name === "state.session.get" ? success({ found: false, value: null }) : answer)
        )
        assert.deepStrictEqual(yield* session.get("k", Schema.Number), Option.none())
        assert.deepStrictEqual(yield* persistent.get("k", Schema.Number, { version: 7 }), Option.none())
        assert.deepStrictEqual(yield* shared.get("k"), Option.none())
      }
    }))

  it.scoped("tells null from nothing", () =>
    Effect.gen(function*() {
      const { session } = yield* stateOf(nativeGateway(() => success({ found: true, value: null })))
      assert.deepStrictEqual(yield* session.get("k"), Option.some({ key: "k", value: null }))
    }))

  it.scoped("deletes what is missing without an error, and has no history of it", () =>
    Effect.gen(function*() {
      const { persistent, shared } = yield* stateOf(nativeGateway(() => keyNotFound))
      assert.isFalse(yield* persistent.delete("k"))
      assert.isFalse(yield* shared.delete("k"))
      assert.deepInclude(yield* Effect.flip(persistent.history("k")), { _tag: "KeyNotFound", key: "k" })
    }))

  it.scoped("keeps a value that does not fit its schema, in the error", () =>
    Effect.gen(function*() {
      const { persistent, session, shared } = yield* stateOf(
        nativeGateway((name) => success(answers[String(name)]))
      )
      const operations: ReadonlyArray<Effect.Effect<unknown, KruxosError>> = [
        session.get("k", Schema.Number),
        persistent.get("k", Schema.Number),
        persistent.query("", Schema.Number),
        persistent.history("k", Schema.Number),
        persistent.checkpoint("k", Schema.Number, { initial: 1 }),
        shared.get("k", Schema.Number),
        shared.update("k", Schema.Number, (n) => n)
      ]
      for (const operation of operations) {
        const error = yield* Effect.flip(operation)
        assert.deepInclude(error, { _tag: "OutputMismatch", raw: stored })
        assert.match(error.message, /^The value of \w+( \(version 4\))? does not fit its schema: Expected number/)
      }
    }))

  it.scoped("does not take half an answer for an entry", () =>
    Effect.gen(function*() {
      const { persistent, session, shared } = yield* stateOf(nativeGateway((name) =>
        success(name === "state.persistent.get" ? { found: true, value: 1 } : { found: true, version: 1 })
      ))
      const operations: ReadonlyArray<Effect.Effect<unknown, KruxosError>> = [
        session.get("k"),
        persistent.get("k"),
        shared.get("k")
      ]
      for (const operation of operations) {
        assert.strictEqual((yield* Effect.flip(operation))._tag, "OutputMismatch")
      }
    }))

  it.scoped("decodes and encodes with what schemas need", () =>
    Effect.gen(function*() {
      const { session } = yield* stateOf(nativeGateway((name) =>
        success(name === "state.session.get" ? { found: true, value: 2 } : { overwritten: false })
      ))
      class Factor extends Effect.Service<Factor>()("test/Factor", { succeed: { by: 10 } }) {}
      const Scaled = Schema.transformOrFail(Schema.Number, Schema.Number, {
        strict: true,
        decode: (n) =>
          Effect.map(Factor, ({ by }) => n * by),
        encode: (n) => Effect.map(Factor, ({ by }) => n / by)
      })
      const value = yield* Effect.provide(session.get("k", Scaled), Factor.Default)
      assert.deepStrictEqual(Option.map(value, (entry) => entry.value), Option.some(20))
      yield* Effect.provide(session.set("k", Scaled, 20), Factor.Default)
    }))

  it.scoped("fails with what the gateway says", () =>
    Effect.gen(function*() {
      const quota = { type: "QuotaExceeded", message: "full", context: { used: 90, limit: 100 } }
      const { persistent, shared } = yield* stateOf(nativeGateway((name) =>
        failure(
          name === "state.persistent.set" ? quota : {
            type: "ConflictError",
            message: "too late",
            context: { resource: "k", expected_version: 1, actual_version: 3 }
          }
        )
      ))
      assert.deepInclude(yield* Effect.flip(persistent.set("k", 1)), { _tag: "QuotaExceeded", used: 90, limit: 100 })
      assert.deepInclude(yield* Effect.flip(shared.set("k", 1, { expectedVersion: 1 })), {
        _tag: "VersionConflict",
        expectedVersion: 1,
        actualVersion: 3
      })
    }))

  it.scoped("sends writes with a key of their own, and with the caller's", () =>
    Effect.gen(function*() {
      const gateway = stateGateway({ experimental: pushing })
      const { shared } = yield* stateOf(gateway)
      yield* shared.set("k", 1, { expectedVersion: 0 })
      yield* shared.set("k", 2, { expectedVersion: 1, idempotencyKey: "mine" })
      const keys = gateway.invoked("state.shared.set").map(({ params }) =>
        typeof params === "object" && params !== null && "idempotency_key" in params
          ? params.idempotency_key
          : undefined
      )
      assert.match(String(keys[0]), /^[0-9a-f-]{36}$/)
      assert.strictEqual(keys[1], "mine")
    }))

  it.scoped("waits for approval inside awaitApproval", () =>
    Effect.gen(function*() {
      const gateway = approvalGateway()
      const { provided, shared } = yield* stateOf(gateway)
      const writing = yield* shared.set("k", 1, { expectedVersion: 0 }).pipe(
        Approvals.awaitApproval(),
        provided,
        Effect.fork
      )
      yield* settled
      assert.deepStrictEqual(argumentsOf(gateway.asked("capabilities.invoke")[0]), {
        key: "k",
        value: 1,
        expected_version: 0
      })
      gateway.decide("apr-1", { status: "approved", result: success({ version: 1 }) })
      gateway.push("apr-1")
      assert.deepStrictEqual(yield* Fiber.join(writing), { version: 1 })
      const error = yield* Effect.flip(shared.delete("k"))
      assert.deepInclude(error, { _tag: "ApprovalRequired", capability: "state.shared.delete", approvalId: "apr-2" })
    }))
})

describe("a checkpoint", () => {
  const Progress = Schema.Struct({ page: Schema.Number })

  it.scoped("begins where nothing is stored, and goes on where something is", () =>
    Effect.gen(function*() {
      let value: unknown
      const { persistent } = yield* stateOf(nativeGateway((name, given) => {
        if (name === "state.persistent.get") {
          return success(value === undefined ? { found: false } : { found: true, value, version: 1 })
        }
        value = typeof given === "object" && given !== null && "value" in given ? given.value : undefined
        return success({ version: 1, previous_version: 0 })
      }))
      const checkpoint = persistent.checkpoint("research.checkpoint", Progress, { initial: { page: 0 } })
      const first = yield* checkpoint
      assert.deepInclude(first, { start: { page: 0 }, resumed: false })
      assert.deepStrictEqual(yield* first.save({ page: 7 }), { version: 1, previousVersion: 0 })
      assert.deepInclude(yield* checkpoint, { start: { page: 7 }, resumed: true })
    }))
})
