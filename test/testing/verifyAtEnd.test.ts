import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { MockGateway } from "../../src/testing/MockGateway.js"
import { ScriptMismatch } from "../../src/testing/script/ScriptMismatch.js"

const expects = Effect.flatMap(MockGateway, ({ expect }) => expect("system.info", {}, () => Effect.never))

const ends = <A, E>(test: Effect.Effect<A, E, MockGateway>, verifyAtEnd?: boolean) =>
  Effect.exit(Effect.provide(test, MockGateway.layer({ verifyAtEnd })))

describe("verifyAtEnd", () => {
  it.effect("dies of what did not go by the script, with the message that verify fails with", () =>
    Effect.gen(function*() {
      const exit = yield* ends(expects, true)
      expect(Exit.isFailure(exit) && [...Cause.defects(exit.cause)]).toEqual([expect.any(ScriptMismatch)])
      // What test runners show.
      expect(Exit.isFailure(exit) && Cause.prettyErrors(exit.cause).map(({ message }) => message)).toEqual([
        "One thing did not go by the script:\n1. system.info({}) was to be used once more."
      ])
    }))

  it.effect("says nothing where all went by it, or where the test has failed by itself", () =>
    Effect.gen(function*() {
      expect(yield* ends(Effect.succeed(1), true)).toEqual(Exit.succeed(1))
      expect(yield* ends(Effect.zipRight(expects, Effect.fail("no")), true)).toEqual(Exit.fail("no"))
    }))

  it.effect("is not what happens by itself", () =>
    Effect.gen(function*() {
      expect(Exit.isSuccess(yield* ends(expects))).toBe(true)
      expect(Exit.isSuccess(yield* ends(expects, false))).toBe(true)
    }))
})
