import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import { FileNotFound } from "../../src/errors/filesystem.js"
import { Outcome } from "../../src/schema/Outcome.js"
import { at, textAt } from "../support/json.js"
import {
  type Asked,
  initialized,
  make,
  native,
  requests,
  type ServerSide,
  settled
} from "../support/scriptedGateway.js"
import { capabilitiesOf, failure, mcpGateway, success, text } from "./support.js"

const path = "/workspace/notes.txt"

const written = success({ path, size: 0, checksum: "0".repeat(64) })

const features = { ...native, idempotency: { record_id: "record" } }

const keyedGateway = (...steps: ReadonlyArray<(request: Asked, server: ServerSide) => void>) => {
  let step = 0
  const handler = initialized(
    (request, server) => steps[Math.min(step++, steps.length - 1)]?.(request, server),
    features
  )
  return make(handler)
}

const answering = (result: unknown) => ({ id }: Asked, server: ServerSide) => server.answer(id, result)

const dropping = (_: Asked, server: ServerSide) => server.close()

const keysOf = (gateway: ReturnType<typeof make>) =>
  gateway.connections.flatMap((connection) => requests(connection)).map(({ params }) => at(params, "idempotency_key"))

describe("what is keyed", () => {
  it.scoped("is every invocation that is not replayable, each with a key of its own", () =>
    Effect.gen(function*() {
      const gateway = keyedGateway(answering(written))
      const { invoke, invokeDynamic } = yield* capabilitiesOf(gateway)
      yield* invoke("filesystem.write", { path, content: "" })
      yield* invoke("filesystem.write", { path, content: "" })
      yield* invokeDynamic("pack.anything")
      yield* Effect.flip(invoke("filesystem.stat", { path }))
      const [one, two, three, replayable] = keysOf(gateway)
      const keys = new Set([one, two, three])
      assert.strictEqual(keys.size, 3)
      for (const key of keys) assert.match(String(key), /^[0-9a-f-]{32,36}$/)
      assert.strictEqual(replayable, undefined)
    }))

  it.scoped("has the key that the caller gives", () =>
    Effect.gen(function*() {
      const gateway = keyedGateway(answering(written))
      const { invoke } = yield* capabilitiesOf(gateway)
      yield* invoke("filesystem.write", { path, content: "" }, { idempotencyKey: "mine" })
      yield* Effect.flip(invoke("filesystem.stat", { path }, { idempotencyKey: "mine too" }))
      assert.deepStrictEqual(keysOf(gateway), ["mine", "mine too"])
    }))

  it.scoped("has no key for a gateway that does not keep a record", () =>
    Effect.gen(function*() {
      const plain = make(initialized(({ id }, server) => server.answer(id, written), native))
      yield* (yield* capabilitiesOf(plain)).invoke("filesystem.write", { path, content: "" }, {
        idempotencyKey: "mine"
      })
      assert.deepStrictEqual(keysOf(plain), [undefined])
      const mcp = mcpGateway({ call: { filesystem__write: () => text(JSON.stringify(written.data)) } })
      yield* (yield* capabilitiesOf(mcp)).invoke("filesystem.write", { path, content: "" }, { idempotencyKey: "mine" })
      assert.deepStrictEqual(Object.keys(Object(requests(mcp.connections[0])[0]?.params)), ["name", "arguments"])
    }))
})

describe("a keyed invocation", () => {
  it.scoped("is sent again with its key when the connection drops", () =>
    Effect.gen(function*() {
      const gateway = keyedGateway(dropping, answering(written))
      const { invoke } = yield* capabilitiesOf(gateway)
      assert.strictEqual((yield* invoke("filesystem.write", { path, content: "" })).path, path)
      const [one, two] = keysOf(gateway)
      assert.isString(one)
      assert.strictEqual(one, two)
    }))

  it.scoped("that the gateway puts off is asked again with its key, within its deadline", () =>
    Effect.gen(function*() {
      const busy = failure({ error_type: "RateLimited", description: "slow down", retryable: true, retry_after: 2 })
      const gateway = keyedGateway(answering(busy), answering(written))
      const { invoke } = yield* capabilitiesOf(gateway)
      const fiber = yield* Effect.fork(invoke("filesystem.write", { path, content: "" }))
      yield* settled
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* Fiber.join(fiber)).path, path)
      const [one, two] = keysOf(gateway)
      assert.strictEqual(one, two)
    }))

  it.scoped("is in doubt when the repeat is refused, and says by what", () =>
    Effect.gen(function*() {
      const unavailable = failure({ error_type: "ServiceUnavailable", description: "later", retry_after: 1 })
      const refusing = ({ id }: Asked, server: ServerSide) =>
        server.refuse(id, { code: -32603, message: "The gateway failed" })
      for (const step of [answering(unavailable), refusing]) {
        const gateway = keyedGateway(dropping, step)
        const { invoke } = yield* capabilitiesOf(gateway)
        const error = yield* Effect.flip(invoke("filesystem.write", { path, content: "" }))
        assert.strictEqual(error._tag, "OutcomeUnknown")
        assert.strictEqual("idempotencyKey" in error ? error.idempotencyKey : "none", keysOf(gateway)[0])
        assert.isDefined(error.cause)
      }
    }))

  it.scoped("has failed with what the record says when the repeat is answered", () =>
    Effect.gen(function*() {
      const denied = failure({ error_type: "PolicyDenied", description: "no" })
      const gateway = keyedGateway(dropping, answering(denied))
      const { invoke } = yield* capabilitiesOf(gateway)
      assert.strictEqual((yield* Effect.flip(invoke("filesystem.write", { path, content: "" })))._tag, "PolicyDenied")
    }))
})

describe("outcome", () => {
  const outcomeOf = (answer: unknown) =>
    Effect.gen(function*() {
      const gateway = keyedGateway(answering(answer))
      const { outcome } = yield* capabilitiesOf(gateway)
      const found = yield* Effect.either(outcome("the key"))
      assert.deepStrictEqual(requests(gateway.connections[0])[0], {
        _tag: "Request",
        id: requests(gateway.connections[0])[0]?.id ?? 0,
        method: "capabilities.outcome",
        params: { idempotency_key: "the key" }
      })
      return found
    })

  it.scoped("tells what the gateway has recorded", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* outcomeOf({ status: "running" }), Either.right(Outcome.Running()))
      assert.deepStrictEqual(yield* outcomeOf({ status: "unknown" }), Either.right(Outcome.Unknown()))
      assert.deepStrictEqual(yield* outcomeOf({ status: "not_found" }), Either.right(Outcome.NotFound()))
      assert.deepStrictEqual(
        yield* outcomeOf({ status: "done", result: success({ size: 3 }) }),
        Either.right(Outcome.Done({ result: Either.right({ size: 3 }) }))
      )
    }))

  it.scoped("is typed by the capability, its failures too", () =>
    Effect.gen(function*() {
      const done = (result: unknown) => keyedGateway(answering({ status: "done", result }))
      const stat = success({ exists: true, type: "file", modified: "2026-01-02T03:04:05Z" })
      const found = yield* (yield* capabilitiesOf(done(stat))).outcome("key", "filesystem.stat")
      const modified = Outcome.$is("Done")(found) && Either.isRight(found.result)
        ? found.result.right.modified
        : undefined
      assert.strictEqual(modified?.epochMillis, Date.UTC(2026, 0, 2, 3, 4, 5))
      const missing = failure({ error_type: "FileNotFound", description: "gone", context: { path } })
      const failed = yield* (yield* capabilitiesOf(done(missing))).outcome("key", "filesystem.read")
      const error = Outcome.$is("Done")(failed) && Either.isLeft(failed.result) ? failed.result.left : undefined
      assert.instanceOf(error, FileNotFound)
      const odd = yield* (yield* capabilitiesOf(done(success({ exists: 5 })))).outcome("key", "filesystem.stat")
      const mismatch = Outcome.$is("Done")(odd) && Either.isLeft(odd.result) ? odd.result.left._tag : undefined
      assert.strictEqual(mismatch, "OutputMismatch")
    }))

  it.scoped("that is malformed is a protocol error", () =>
    Effect.gen(function*() {
      for (const answer of [null, {}, { status: "lost" }, { status: "done" }, { status: "done", result: 1 }, "done"]) {
        const found = yield* outcomeOf(answer)
        assert.strictEqual(Either.isLeft(found) ? found.left._tag : found.right._tag, "ProtocolError")
      }
    }))

  it.scoped("is not to be had from a gateway without a record", () =>
    Effect.gen(function*() {
      const gateway = make(initialized(() => {}, native))
      const { outcome } = yield* capabilitiesOf(gateway)
      const error = yield* Effect.flip(outcome("key"))
      assert.strictEqual(error._tag, "ProtocolError")
      assert.match(error.message, /idempotency/)
      assert.deepStrictEqual(requests(gateway.connections[0]), [])
    }))

  it.scoped("is asked again when the connection drops", () =>
    Effect.gen(function*() {
      const gateway = keyedGateway(dropping, answering({ status: "running" }))
      const { outcome } = yield* capabilitiesOf(gateway)
      assert.deepStrictEqual(yield* outcome("key"), Outcome.Running())
    }))
})

describe("an OutcomeUnknown of the gateway", () => {
  it.scoped("says the key", () =>
    Effect.gen(function*() {
      const error = { error_type: "OutcomeUnknown", description: "nobody knows", context: { idempotency_key: "k" } }
      const { invoke } = yield* capabilitiesOf(keyedGateway(answering(failure(error))))
      const found = yield* Effect.flip(invoke("filesystem.write", { path, content: "" }))
      assert.strictEqual(found._tag, "OutcomeUnknown")
      assert.strictEqual(textAt(found, "idempotencyKey"), "k")
    }))
})
