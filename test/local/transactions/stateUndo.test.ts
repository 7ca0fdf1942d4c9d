import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { makeCommsHandlers } from "../../../src/local/capabilities/comms.js"
import type { Invocation } from "../../../src/local/capabilities/Handler.js"
import { makeSessionHandlers } from "../../../src/local/capabilities/state/session.js"
import * as SessionStates from "../../../src/local/state/SessionStates.js"
import * as Inbox from "../../../src/local/store/Inbox.js"
import * as Store from "../../../src/local/store/Store.js"
import type { Undo } from "../../../src/local/transactions/Undo.js"
import { receiveUndos } from "../../../src/local/transactions/undo/receive.js"
import { sessionStateUndos } from "../../../src/local/transactions/undo/sessionState.js"
import { parameters } from "../../support/runs.js"
import { invocationBy } from "../capabilities/invocation.js"
import { temporaryDatabase } from "../store/support.js"

const undoOf = (undos: ReadonlyArray<readonly [string, Undo]>, name: string): Undo => {
  const found = new Map(undos).get(name)
  if (found === undefined) throw new Error(`${name} has no undo`)
  return found
}

const contextOf = ({ agent, sessionId, workspace }: Invocation) => ({
  agent: agent.name,
  workspace,
  source: sessionId
})

/** Runs a step as a transaction does, and gives what undoes it and what ends it. */
const stepped = <A, E>(undo: Undo, invocation: Invocation, handler: Effect.Effect<A, E>) =>
  undo.alone(
    {},
    contextOf(invocation),
    Effect.gen(function*() {
      const context = contextOf(invocation)
      const before = yield* undo.before({}, context)
      const exit = yield* Effect.exit(handler)
      const found = yield* undo.found({}, before, context)
      if (Exit.isSuccess(exit)) yield* undo.after({}, before, exit.value, context)
      return {
        exit,
        before,
        found,
        undone: undo.alone({}, context, undo.undo({}, before, null, context)),
        release: undo.release(before, context)
      }
    })
  )

const undone = { _tag: "Undone" }

const sessions = (options: SessionStates.Options = {}) =>
  Effect.gen(function*() {
    const services = yield* Layer.build(SessionStates.layer(options))
    const states = Context.get(services, SessionStates.SessionStates)
    const handlers = yield* Effect.provide(makeSessionHandlers, services)
    const undos = sessionStateUndos(states)
    const sessionScope = yield* Scope.make()
    const invocation = { ...(yield* invocationBy("one")), sessionScope }
    const step = <A, E>(name: string, handler: Effect.Effect<A, E>) => stepped(undoOf(undos, name), invocation, handler)
    return {
      states,
      invocation,
      sessionScope,
      set: (key: string, value: unknown) =>
        step("state.session.set", handlers["state.session.set"]({ key, value }, invocation)),
      remove: (key: string) => step("state.session.delete", handlers["state.session.delete"]({ key }, invocation)),
      clear: step("state.session.clear", handlers["state.session.clear"]({}, invocation)),
      outside: (key: string, value: unknown) => Effect.orDie(handlers["state.session.set"]({ key, value }, invocation)),
      all: Effect.flatMap(states.list("session", ""), (keys) =>
        Effect.forEach(keys, (key) => Effect.map(states.get("session", key), (value) => [key, value])))
    }
  })

const key = FastCheck.constantFrom("a", "b", "c", "d")

describe("the state of a session", () => {
  it.effect("is after a rollback as if only what was outside of the transaction had happened", () =>
    Effect.promise(() =>
      FastCheck.assert(
        FastCheck.asyncProperty(
          FastCheck.array(key, { maxLength: 4 }),
          FastCheck.array(
            FastCheck.record({
              key,
              what: FastCheck.constantFrom("set", "set", "delete", "clear", "outside")
            }),
            { maxLength: 20 }
          ),
          (before, all) =>
            Effect.gen(function*() {
              const { clear, outside, remove, set, states, all: everything } = yield* sessions()
              const expected = yield* sessions()
              for (const key of before) for (const one of [outside, expected.outside]) yield* one(key, "before")
              const steps: Array<
                | Effect.Effect.Success<ReturnType<typeof set>>
                | Effect.Effect.Success<typeof clear>
                | Effect.Effect.Success<ReturnType<typeof remove>>
              > = []
              const others = new Set<string>()
              for (const [value, { key, what }] of all.entries()) {
                if (what === "set") steps.push(yield* set(key, value))
                if (what === "delete") steps.push(yield* remove(key))
                if (what === "clear") steps.push(yield* clear)
                if (what !== "outside") continue
                others.add(key)
                for (const one of [outside, expected.outside]) yield* one(key, value)
              }
              // A rollback that was cut off goes over it again.
              for (const again of [false, true]) {
                for (const step of steps.toReversed()) {
                  const came = yield* step.undone
                  if (came._tag === "Conflict" || again) {
                    assert.isTrue(came._tag === "Undone" || others.has(came.resource))
                  }
                }
                assert.deepStrictEqual(yield* everything, yield* expected.all)
              }
              assert.strictEqual(yield* states.used("session"), yield* expected.states.used("session"))
            }).pipe(Effect.scoped, Effect.runPromise)
        ),
        parameters(1000)
      )
    ))

  it.scoped("is left alone where the session has changed it since", () =>
    Effect.gen(function*() {
      const { all, clear, outside, set } = yield* sessions()
      yield* outside("k", 1)
      const step = yield* set("k", 2)
      assert.deepInclude(step.found, { _tag: "Done" })
      yield* outside("k", 2)
      assert.deepStrictEqual(yield* step.undone, { _tag: "Conflict", resource: "k" })
      assert.deepStrictEqual(yield* all, [["k", "2"]])
      yield* outside("other", 3)
      const cleared = yield* clear
      yield* outside("k", 4)
      assert.deepStrictEqual(yield* cleared.undone, { _tag: "Conflict", resource: "k" })
      assert.deepStrictEqual(yield* all, [["k", "4"], ["other", "3"]])
      const clearedAgain = yield* clear
      yield* outside("k", 5)
      yield* outside("other", 5)
      assert.deepStrictEqual(yield* clearedAgain.undone, {
        _tag: "Conflict",
        resource: "other",
        others: [{ resource: "k" }]
      })
    }))

  it.scoped("has nothing to undo where the step did nothing, the session is over, or all is released", () =>
    Effect.gen(function*() {
      const { all, outside, remove, sessionScope, set } = yield* sessions({ quotaBytes: 20 })
      const tooLarge = yield* set("k", "x".repeat(30))
      assert.isTrue(Exit.isFailure(tooLarge.exit))
      assert.deepStrictEqual(tooLarge.found, { _tag: "NotDone" })
      assert.deepStrictEqual((yield* remove("missing")).found, { _tag: "NotDone" })
      yield* outside("k", 1)
      const released = yield* set("k", 2)
      yield* released.release
      assert.deepStrictEqual(yield* released.undone, undone)
      assert.deepStrictEqual(yield* all, [["k", "2"]])
      const step = yield* set("k", 3)
      yield* Scope.close(sessionScope, Exit.void)
      assert.deepStrictEqual(yield* step.undone, undone)
      assert.deepStrictEqual(yield* all, [])
    }))

  it.scoped("keeps no more of what was overwritten than it may hold, until it is released", () =>
    Effect.gen(function*() {
      const { set } = yield* sessions({ quotaBytes: 50 })
      const steps = []
      for (let count = 0; count < 3; count++) steps.push(yield* set("k", "x".repeat(25)))
      const error = yield* Effect.flip(set("k", 1))
      assert.deepInclude(error, { _tag: "ResourceExhausted", resource: "transaction_session_state", limit: 50 })
      for (const step of steps) yield* step.release
      assert.isTrue(Exit.isSuccess((yield* set("k", 1)).exit))
    }))
})

const inboxes = (options: Partial<Store.Options> = {}) =>
  Effect.gen(function*() {
    const services = yield* Effect.orDie(Layer.build(Store.layer({ filename: ":memory:", ...options })))
    const inbox = Context.get(services, Inbox.Inbox)
    const handlers = yield* Effect.provide(makeCommsHandlers, services)
    const invocation = yield* invocationBy("one")
    const receiving = (limit: number, acknowledge: boolean) =>
      Effect.map(
        handlers["comms.receive"]({ limit, acknowledge, channel: undefined }, invocation),
        ({ messages }) => messages.map(({ message }) => message)
      )
    return {
      inbox,
      send: (message: string, priority: Inbox.Priority = "normal") =>
        Effect.orDie(inbox.deliver({ agent: "one", from: "two", message, priority })),
      receive: (limit: number, acknowledge = true) =>
        stepped(undoOf(receiveUndos(inbox), "comms.receive"), invocation, receiving(limit, acknowledge)),
      unread: Effect.orDie(receiving(100, false)),
      take: (limit: number) => Effect.orDie(receiving(limit, true))
    }
  })

describe("received messages", () => {
  it.scoped("are unread again after a rollback, where they were, also for a gateway that comes later", () =>
    Effect.gen(function*() {
      const filename = yield* temporaryDatabase
      const { inbox, receive, send, take, unread } = yield* inboxes({ filename })
      for (const message of ["a", "b", "c"]) yield* send(message)
      yield* send("urgent", "high")
      const first = yield* receive(3)
      assert.deepStrictEqual(first.exit, Exit.succeed(["urgent", "a", "b"]))
      assert.deepInclude(first.found, { _tag: "Done" })
      const second = yield* receive(3)
      assert.deepStrictEqual(yield* unread, [])
      assert.strictEqual(yield* inbox.count("one"), 0)
      yield* send("new")
      yield* send("taken", "high")
      assert.deepStrictEqual(yield* take(1), ["taken"])
      const later = yield* inboxes({ filename })
      const undo = undoOf(receiveUndos(later.inbox), "comms.receive")
      const context = contextOf(yield* invocationBy("one"))
      const told: Array<string> = []
      yield* later.inbox.listen("one", ({ messageId }) => void told.push(messageId))
      for (const { before } of [second, first, first]) {
        assert.deepStrictEqual(yield* undo.undo({}, before, null, context), undone)
      }
      assert.deepStrictEqual(yield* unread, ["urgent", "a", "b", "c", "new"])
      assert.strictEqual(told.length, 4)
      yield* first.release
      assert.strictEqual((yield* unread).length, 5)
    }))

  it.scoped("are gone when the transaction is over, and stay where they were not acknowledged", () =>
    Effect.gen(function*() {
      const { receive, send, unread } = yield* inboxes()
      for (const message of ["a", "b"]) yield* send(message)
      const looked = yield* receive(2, false)
      assert.deepStrictEqual(looked.found, { _tag: "NotDone" })
      assert.deepStrictEqual(yield* looked.undone, undone)
      const step = yield* receive(1)
      yield* step.release
      assert.deepStrictEqual(yield* step.undone, undone)
      assert.deepStrictEqual(yield* unread, ["b"])
    }))

  it.effect("come back in order, whatever was sent and received meanwhile", () =>
    Effect.promise(() =>
      FastCheck.assert(
        FastCheck.asyncProperty(
          FastCheck.array(FastCheck.constantFrom("send", "send", "receive", "take"), { maxLength: 25 }),
          (all) =>
            Effect.gen(function*() {
              const { receive, send, take, unread } = yield* inboxes()
              const steps = []
              const taken = new Set<string>()
              let sent = 0
              for (const what of all) {
                if (what === "send") yield* send(String(sent++))
                if (what === "receive") steps.push(yield* receive(2))
                if (what === "take") { for (const message of yield* take(1)) taken.add(message) }
              }
              for (const step of steps.toReversed()) assert.deepStrictEqual(yield* step.undone, undone)
              const expected = Array.from({ length: sent }, (_, index) => String(index)).filter((one) =>
                !taken.has(one)
              )
              assert.deepStrictEqual(yield* unread, expected)
            }).pipe(Effect.scoped, Effect.runPromise)
        ),
        parameters(150)
      )
    ), 120_000)
})
