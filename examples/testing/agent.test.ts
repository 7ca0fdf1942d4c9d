import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import { Capabilities } from "kruxos"
import { WriteFailed } from "kruxos/errors"
import { MockGateway, Reply } from "kruxos/testing"
import { numberKey, release } from "./agent.js"

const readers = "readers@example.com"

// Six releases are out, the tests pass, and a human decides on mail, which can be taken back for a minute.
const gateway = {
  policy: { tiers: { "email.send": "approval_required" } },
  state: { shared: { [numberKey]: 6 } },
  files: { "NEXT.md": "- It is faster.\n" },
  capabilities: { "process.run": Reply.process(), "email.send": Reply.buffered("1 minute") }
} as const

/** What is left of a release when it is over. */
const outcome = Effect.gen(function*() {
  const { outbox, state } = yield* MockGateway
  const { invoke } = yield* Capabilities
  const { entries } = yield* invoke("filesystem.list", { path: "/workspace" })
  return {
    files: entries.map(({ name }) => name).toSorted(),
    number: (yield* state).shared[numberKey],
    mail: (yield* outbox).map(({ status }) => status)
  }
})

const untouched = { files: ["NEXT.md"], number: 6, mail: [] }

describe("the release agent", () => {
  it.effect("files the notes, takes the next number and mails the notes", () =>
    Effect.gen(function*() {
      const { humans, outbox, verify } = yield* MockGateway
      yield* humans.approve("email.send")
      assert.strictEqual(yield* release(readers), 7)
      assert.deepStrictEqual(yield* outbox, [{
        capability: "email.send",
        arguments: { to: readers, subject: "Release 7", body: "- It is faster.\n" },
        status: "held"
      }])
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* outcome, { files: ["NEXT.md", "release-7.md"], number: 7, mail: ["sent"] })
      yield* verify
    }).pipe(Effect.provide(MockGateway.layer(gateway))))

  it.effect("releases nothing whose tests fail", () =>
    Effect.gen(function*() {
      const mock = yield* MockGateway
      yield* mock.expect(
        "process.run",
        { command: "npm test" },
        Reply.process({ exit_code: 1, stderr: "2 tests failed" })
      )
      const error = yield* Effect.flip(release(readers))
      assert.strictEqual(error.message, "2 tests failed")
      assert.deepStrictEqual(yield* outcome, untouched)
      yield* mock.verify
    }).pipe(Effect.provide(MockGateway.layer(gateway))))

  it.effect("undoes everything where the policy forbids mail", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(release(readers))
      assert.strictEqual(error._tag, "PolicyDenied")
      assert.deepStrictEqual(yield* outcome, untouched)
    }).pipe(Effect.provide(MockGateway.layer({ ...gateway, policy: { tiers: { "email.send": "blocked" } } }))))

  it.effect("waits for a human who comes late", () =>
    Effect.gen(function*() {
      const { humans, verify } = yield* MockGateway
      yield* humans.approve("email.send", { after: "90 minutes" })
      const releasing = yield* Effect.fork(release(readers))
      const request = yield* humans.asked("email.send", { while: releasing })
      assert.strictEqual(request.arguments["subject"], "Release 7")
      yield* TestClock.adjust("89 minutes")
      assert.isNull(releasing.unsafePoll())
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* Fiber.join(releasing), 7)
      yield* verify
    }).pipe(Effect.provide(MockGateway.layer(gateway))))

  it.effect("gives up on a human who does not come, and leaves no request behind", () =>
    Effect.gen(function*() {
      const { humans } = yield* MockGateway
      const releasing = yield* Effect.fork(Effect.flip(release(readers)))
      yield* humans.asked("email.send", { while: releasing })
      yield* TestClock.adjust("2 hours")
      assert.strictEqual((yield* Fiber.join(releasing))._tag, "ApprovalTimeout")
      assert.deepStrictEqual(yield* humans.pending, [])
      assert.deepStrictEqual(yield* outcome, untouched)
    }).pipe(Effect.provide(MockGateway.layer(gateway))))

  it.effect("takes the number after the next where another agent was faster", () =>
    Effect.gen(function*() {
      const { emit, humans, invocations, verify } = yield* MockGateway
      const releasing = yield* Effect.fork(release(readers))
      const first = yield* humans.asked("email.send", { while: releasing })
      yield* emit({ _tag: "SharedStateSet", key: numberKey, value: 7, by: "another-releaser" })
      yield* humans.approve(first.approvalId)
      const second = yield* humans.asked(({ arguments: { subject } }) => subject === "Release 8", { while: releasing })
      yield* humans.approve(second.approvalId)
      assert.strictEqual(yield* Fiber.join(releasing), 8)
      // The mail about release 7 has never left.
      assert.deepStrictEqual(yield* outcome, {
        files: ["NEXT.md", "release-8.md"],
        number: 8,
        mail: ["cancelled", "held"]
      })
      const writes = (yield* invocations).filter(({ capability }) => capability === "filesystem.write")
      assert.strictEqual(writes.length, 4)
      yield* verify
    }).pipe(Effect.provide(MockGateway.layer(gateway))))

  it.effect("runs the tests once, although the connection drops before their result is there", () =>
    Effect.gen(function*() {
      const mock = yield* MockGateway
      yield* mock.humans.approve("email.send")
      yield* mock.expect("process.run", {}, Reply.process().pipe(Reply.dropConnection("after")))
      assert.strictEqual(yield* release(readers), 7)
      yield* mock.verify
    }).pipe(
      Effect.provide(MockGateway.layer({ ...gateway, capabilities: { "email.send": Reply.buffered("1 minute") } }))
    ))

  it.effect("does not know whether the tests ran when the gateway is killed meanwhile, and stops", () =>
    Effect.gen(function*() {
      const mock = yield* MockGateway
      yield* mock.expect("process.run", {}, Reply.process().pipe(Reply.gatewayRestart()))
      assert.strictEqual((yield* Effect.flip(release(readers)))._tag, "OutcomeUnknown")
      assert.deepStrictEqual(yield* outcome, untouched)
      yield* mock.verify
    }).pipe(Effect.provide(MockGateway.layer(gateway))))

  it.effect("puts everything back when the mail is refused at last", () =>
    Effect.gen(function*() {
      const mock = yield* MockGateway
      yield* mock.humans.approve("email.send")
      yield* mock.expect("email.send", { to: readers }, Reply.failWith(new WriteFailed({ message: "mailbox full" })))
      const exit = yield* Effect.exit(release(readers))
      assert.isTrue(Exit.isFailure(exit))
      assert.deepStrictEqual(yield* outcome, untouched)
      const { invoke } = yield* Capabilities
      const next = yield* invoke("filesystem.read", { path: "/workspace/NEXT.md" })
      assert.strictEqual(next.content, "- It is faster.\n")
      yield* mock.verify
    }).pipe(Effect.provide(MockGateway.layer(gateway))))
})
