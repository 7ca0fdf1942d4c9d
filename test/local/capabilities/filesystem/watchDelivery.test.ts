import { assert, describe, it } from "@effect/vitest"
import type { Event } from "@parcel/watcher"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as fs from "node:fs"
import { performance } from "node:perf_hooks"
import { ServiceUnavailable } from "../../../../src/errors/general.js"
import { makeWatchWith } from "../../../../src/local/capabilities/filesystem/watch.js"
import type { Watcher } from "../../../../src/local/capabilities/filesystem/watcher.js"
import { Inbox, InboxFull, type InboxService } from "../../../../src/local/store/Inbox.js"
import { writeTree } from "./tree.js"
import { inputOf, shortly } from "./watchSupport.js"
import { invocationFixture, store } from "./workspaceSupport.js"

/** A session with a watcher and an inbox that do as the test says. */
const scripted = (files: { readonly [path: string]: string } = {}) =>
  Effect.gen(function*() {
    const made = yield* invocationFixture
    writeTree(made.root, files)
    const callbacks = new Set<(error: Error | null, events: Array<Event>) => unknown>()
    const watcher: Watcher = {
      subscribe: (_, callback) => {
        callbacks.add(callback)
        return Promise.resolve({
          unsubscribe: () => {
            callbacks.delete(callback)
            return Promise.resolve()
          }
        })
      }
    }
    const messages: Array<string> = []
    const refused: Array<string> = []
    const box = { room: Number.POSITIVE_INFINITY }
    const inbox: InboxService = {
      deliver: ({ agent, message }) =>
        messages.length >= box.room
          ? Effect.suspend(() => {
            refused.push(message)
            return new InboxFull({ agent, limit: box.room })
          })
          : Effect.sync(() => `msg-${messages.push(shortly(message))}`),
      deliverAll: () => Effect.dieMessage("not used"),
      listen: () => Effect.dieMessage("not used"),
      receive: () => Effect.die("not used"),
      hasKept: () => Effect.die("not used"),
      putBack: () => Effect.die("not used"),
      forget: () => Effect.die("not used"),
      put: () => {},
      tell: () => {},
      isListening: () => false,
      maximumUnread: 10_000,
      count: () => Effect.die("not used")
    }
    const session = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
    const watchBy = (by: Watcher) =>
      Effect.map(
        makeWatchWith(Effect.succeed(by)),
        (watch) => (input: object, sessionId = "session") =>
          watch(inputOf({ path: ".", ...input }), { ...made.invocation, sessionId, sessionScope: session })
      ).pipe(Effect.provideService(Inbox, inbox))
    const emit = (...events: ReadonlyArray<readonly [Event["type"], string]>) =>
      Effect.sync(() => {
        for (const callback of callbacks) {
          callback(null, events.map(([type, path]) => ({ type, path: made.host(path) })))
        }
      })
    return { ...made, box, callbacks, emit, messages, refused, session, start: yield* watchBy(watcher), watchBy }
  })

const turn = Effect.promise(() => new Promise<void>((resume) => setImmediate(resume)))

/** Lets the process work until something holds, for five real seconds at most, and then a little longer. */
const until = (holds: () => boolean) =>
  Effect.gen(function*() {
    const deadline = performance.now() + 5_000
    while (!holds() && performance.now() < deadline) yield* turn
    assert.isTrue(holds())
    yield* Effect.repeatN(turn, 20)
  })

describe("the delivery of a watch", () => {
  it.scoped("drops what an inbox has no room for, and says how much when there is room", () =>
    Effect.gen(function*() {
      const { box, emit, messages, refused, start } = yield* scripted()
      yield* start({})
      box.room = 2
      yield* emit(["update", "a"], ["update", "b"], ["update", "c"], ["update", "d"])
      yield* until(() => refused.length === 2)
      assert.deepStrictEqual(messages, ["modify /a", "modify /b"])
      yield* TestClock.adjust("5 seconds")
      yield* until(() => refused.length === 7)
      assert.strictEqual(messages.length, 2)
      box.room = 10
      yield* TestClock.adjust("1 second")
      yield* until(() => messages.length === 3)
      assert.deepStrictEqual(messages.slice(2), ["overflow  2"])
      yield* emit(["update", "e"])
      yield* until(() => messages.length === 4)
      assert.deepStrictEqual(messages.slice(3), ["modify /e"])
    }))

  it.scoped("tells of the loss before what comes after it", () =>
    Effect.gen(function*() {
      const { box, emit, messages, refused, start } = yield* scripted()
      yield* start({})
      box.room = 0
      yield* emit(["update", "a"])
      yield* until(() => refused.length === 1)
      box.room = 10
      yield* emit(["update", "b"])
      yield* until(() => messages.length === 2)
      assert.deepStrictEqual(messages, ["overflow  1", "modify /b"])
    }))

  it.scoped("holds at most a thousand events", () =>
    Effect.gen(function*() {
      const { emit, messages, start } = yield* scripted()
      yield* start({})
      yield* emit(...Array.from({ length: 5_000 }, (_, index) => ["update", `f${index}`] as const))
      yield* until(() => messages.length === 1_001)
      assert.include(messages, "overflow  4000")
    }))

  it.scoped("says so when the watcher lost events", () =>
    Effect.gen(function*() {
      const { callbacks, messages, start } = yield* scripted()
      yield* start({})
      for (const callback of callbacks) callback(new Error("Events were dropped"), [])
      yield* TestClock.adjust("1 second")
      yield* until(() => messages.length === 1)
      assert.deepStrictEqual(messages, ["overflow  1"])
    }))

  it.scoped("leaves out events that lie elsewhere", () =>
    Effect.gen(function*() {
      const { emit, messages, start } = yield* scripted()
      yield* start({ recursive: true })
      yield* emit(
        ["create", "../outside/secret.txt"],
        ["create", ".kruxos-trash/a"],
        ["create", ".kruxos-0123456789abcdef01234567.tmp"],
        ["create", "d/.kruxos-0123456789abcdef01234567.tmp"],
        ["create", "d/.kruxos-trash"]
      )
      yield* until(() => messages.length === 1)
      assert.deepStrictEqual(messages, ["create /d/.kruxos-trash"])
    }))

  it.scoped("takes files that cannot be told from one another for no rename", () =>
    Effect.gen(function*() {
      const { emit, host, messages, start } = yield* scripted({ a: "1", b: "1" })
      yield* start({})
      fs.rmSync(host("a"))
      fs.writeFileSync(host("c"), "22")
      yield* emit(["delete", "a"], ["create", "c"])
      yield* until(() => messages.length === 2)
      assert.deepStrictEqual(messages.splice(0), ["delete /a", "create /c"])
      fs.linkSync(host("b"), host("d"))
      fs.linkSync(host("b"), host("e"))
      fs.rmSync(host("b"))
      yield* emit(["delete", "b"], ["create", "d"], ["create", "e"])
      yield* until(() => messages.length === 3)
      assert.deepStrictEqual(messages, ["delete /b", "create /d", "create /e"])
    }))

  it.scoped("allows a session 32 watches, and others theirs", () =>
    Effect.gen(function*() {
      const { callbacks, session, start } = yield* scripted()
      yield* Effect.all(Array.from({ length: 32 }, () => start({})), { concurrency: 8 })
      const error = yield* Effect.flip(start({}))
      assert(error._tag === "TooManyWatches")
      assert.strictEqual(error.limit, 32)
      assert.strictEqual(callbacks.size, 32)
      yield* start({}, "another")
      yield* Scope.close(session, Exit.void)
      assert.strictEqual(callbacks.size, 0)
    }))

  it.scoped("gives back what a watch that did not start had taken", () =>
    Effect.gen(function*() {
      const { start, watchBy } = yield* scripted()
      const failures = [new Error("No space left on device"), new Error("a secret of the host")]
      const failing = yield* watchBy({ subscribe: () => Promise.reject(failures.shift() ?? new Error("broken")) })
      assert.strictEqual((yield* Effect.flip(failing({})))._tag, "ResourceExhausted")
      const error = yield* Effect.flip(failing({}))
      assert.strictEqual(error._tag, "ServiceUnavailable")
      assert.notInclude(error.message, "secret")
      for (let left = 40; left > 0; left--) {
        assert.strictEqual((yield* Effect.flip(failing({})))._tag, "ServiceUnavailable")
      }
      yield* start({})
    }))

  it.scoped("ends a watch that begins after nobody waits for it any more", () =>
    Effect.gen(function*() {
      const { watchBy } = yield* scripted()
      let unsubscribed = 0
      const begin: Array<() => void> = []
      const start = yield* watchBy({
        subscribe: () =>
          new Promise((resume) => {
            begin.push(() => resume({ unsubscribe: () => Promise.resolve(void unsubscribed++) }))
          })
      })
      const fiber = yield* Effect.fork(start({}))
      yield* until(() => begin.length === 1)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(unsubscribed, 0)
      begin[0]?.()
      yield* until(() => unsubscribed === 1)
      const slow = yield* Effect.fork(Effect.flip(start({})))
      yield* until(() => begin.length === 2)
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual((yield* Fiber.join(slow))._tag, "ServiceUnavailable")
      begin[1]?.()
      yield* until(() => unsubscribed === 2)
    }))

  it.scoped("is unavailable where the watcher is not installed", () =>
    Effect.gen(function*() {
      const { invocation } = yield* scripted()
      const missing = new ServiceUnavailable({ message: "not installed", reason: "install it" })
      const watch = yield* makeWatchWith(Effect.fail(missing))
      const error = yield* Effect.flip(watch(inputOf({ path: "." }), invocation))
      assert.strictEqual(error, missing)
    }).pipe(Effect.provide(store)))
})
