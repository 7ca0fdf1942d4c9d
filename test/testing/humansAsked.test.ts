import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import { FileNotFound } from "../../src/errors/filesystem.js"
import { Approvals } from "../../src/services/Approvals.js"
import { Capabilities } from "../../src/services/Capabilities.js"
import { MockGateway } from "../../src/testing/MockGateway.js"
import * as Reply from "../../src/testing/Reply.js"

const path = "/workspace/notes.txt"

const send = Effect.flatMap(Capabilities, ({ invoke }) => invoke("alerts.send", { message: "hello" }))

const reads = Effect.flatMap(Capabilities, ({ invoke }) => invoke("filesystem.read", { path }))

const policy = { tiers: { "alerts.*": "approval_required" } } as const

const layer = MockGateway.layer({
  policy,
  capabilities: { "filesystem.read": Reply.failWith(new FileNotFound({ message: "not there", path })) }
})

describe("asked, while the program runs", () => {
  it.effect("gives the request that comes", () =>
    Effect.gen(function*() {
      const { humans } = yield* MockGateway
      const program = yield* Effect.fork(Approvals.awaitApproval()(Effect.delay(send, "1 hour")))
      const asked = yield* Effect.fork(humans.asked("alerts.send", { while: program }))
      yield* TestClock.adjust("1 hour")
      const { approvalId } = yield* Fiber.join(asked)
      yield* humans.approve(approvalId)
      expect((yield* Fiber.join(program)).severity).toBe("info")
    }).pipe(Effect.provide(layer)))

  it.effect("gives the request of a program that has ended, where it still waits", () =>
    Effect.gen(function*() {
      const { humans } = yield* MockGateway
      const program = yield* Effect.fork(Effect.flip(send))
      expect((yield* Fiber.join(program))._tag).toBe("ApprovalRequired")
      expect((yield* humans.asked("alerts.send", { while: program })).capability).toBe("alerts.send")
    }).pipe(Effect.provide(layer)))

  it.effect("fails where the program fails before, with its error and with what it had invoked", () =>
    Effect.gen(function*() {
      const { humans } = yield* MockGateway
      const program = yield* Effect.fork(Effect.zipRight(reads, Approvals.awaitApproval()(send)))
      const error = yield* Effect.flip(humans.asked("alerts.send", { while: program }))
      expect(error._tag).toBe("NotAsked")
      expect(error.cause).toMatchObject({ _tag: "FileNotFound", path })
      expect(error.message.split("\n")).toEqual([
        "The program ended, and had not asked for the approval of \"alerts.send\".",
        "It failed with FileNotFound: not there",
        "It invoked:",
        "  filesystem.read({ path: \"/workspace/notes.txt\" }) → FileNotFound"
      ])
    }).pipe(Effect.provide(layer)))

  it.effect("fails where the program ends well, asks for something else, or is interrupted", () =>
    Effect.gen(function*() {
      const { humans } = yield* MockGateway
      const ended = yield* Effect.fork(Effect.succeed({ released: 7 }))
      const { message, ...error } = yield* Effect.flip(humans.asked("alerts.send", { while: ended }))
      expect(message.split("\n").slice(1)).toEqual(["It ended with { released: 7 }.", "It invoked nothing."])
      expect(error.exit).toEqual(Exit.succeed({ released: 7 }))
      const other = yield* Effect.fork(Effect.flip(send))
      const isOther = yield* Effect.flip(
        humans.asked(({ capability }) => capability === "email.send", { while: other })
      )
      expect(isOther.message).toContain("  alerts.send({ message: \"hello\" }) → ApprovalRequired")
      const never = yield* Effect.fork(Effect.never)
      const asked = yield* Effect.fork(Effect.flip(humans.asked("email.send", { while: never })))
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(never)
      expect((yield* Fiber.join(asked)).message).toContain("It was interrupted.")
    }).pipe(Effect.provide(layer)))
})
