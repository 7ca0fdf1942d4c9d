import { assert, describe, it } from "@effect/vitest"
import type { Event } from "@parcel/watcher"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as fs from "node:fs"
import { join } from "node:path"
import * as filesystem from "../../../../src/catalogue/filesystem.js"
import { ServiceUnavailable } from "../../../../src/errors/general.js"
import { makeWatch, makeWatchWith } from "../../../../src/local/capabilities/filesystem/watch.js"
import type { Watcher } from "../../../../src/local/capabilities/filesystem/watcher.js"
import { Inbox, InboxFull, type InboxService } from "../../../../src/local/store/Inbox.js"
import { bytesOf } from "../../workspace/support.js"
import { writeTree } from "./tree.js"
import { invocationFixture, store } from "./workspaceSupport.js"

const inputOf = Schema.decodeUnknownSync(filesystem.watch.handlerInputSchema)

const Message = Schema.parseJson(Schema.Struct({
  watch_id: Schema.String,
  type: Schema.String,
  path: Schema.String,
  old_path: Schema.optional(Schema.String),
  dropped: Schema.optional(Schema.Int)
}))

/** The messages of one watch, shortly: `modify /workspace/a`. */
const shortly = (text: string): string => {
  const { dropped, old_path, path, type } = Schema.decodeUnknownSync(Message)(text)
  return [type, ...(old_path === undefined ? [] : [old_path]), path, ...(dropped === undefined ? [] : [dropped])]
    .join(" ").replaceAll("/workspace", "")
}

/** A session with real files, a real watcher and a real inbox. */
const real = (files: { readonly [path: string]: string } = {}) =>
  Effect.gen(function*() {
    const made = yield* invocationFixture
    writeTree(made.root, files)
    const inbox = yield* Inbox
    const watch = yield* makeWatch
    const session = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
    const start = (input: object) =>
      watch(inputOf({ path: ".", ...input }), { ...made.invocation, sessionScope: session })
    const receive = (watchId: string) =>
      inbox.receive({ agent: "one", limit: 1_000, channel: `watch:${watchId}`, acknowledge: true })
    /** Waits until so many messages have come, and then a little for more than that. */
    const told = (watchId: string, count: number) =>
      Effect.gen(function*() {
        const all: Array<string> = []
        const deadline = (yield* Clock.currentTimeMillis) + 10_000
        while (all.length < count && (yield* Clock.currentTimeMillis) < deadline) {
          yield* Effect.sleep(20)
          all.push(...(yield* receive(watchId)).messages.map(({ message }) => shortly(message)))
        }
        yield* Effect.sleep(200)
        return [...all, ...(yield* receive(watchId)).messages.map(({ message }) => shortly(message))].sort()
      })
    return { ...made, inbox, receive, session, start, told }
  })

describe("filesystem.watch", () => {
  it.scopedLive("tells what happens, by messages in the inbox", () =>
    Effect.gen(function*() {
      const { host, inbox, start, told } = yield* real({ "d/changed": "", "d/deleted": "" })
      const output = yield* start({ path: "d" })
      assert.deepStrictEqual(output, { watch_id: output.watch_id, path: "/workspace/d", recursive: false })
      Schema.encodeSync(filesystem.watch.outputSchema)(output)
      fs.writeFileSync(host("d/created"), "")
      let messages = (yield* inbox.receive({ agent: "one", limit: 10, acknowledge: true })).messages
      for (let left = 250; messages.length === 0 && left > 0; left--) {
        yield* Effect.sleep(20)
        messages = (yield* inbox.receive({ agent: "one", limit: 10, acknowledge: true })).messages
      }
      assert.deepStrictEqual(
        messages.map(({ channel, from, message, priority }) => ({ channel, from, message, priority })),
        [{
          channel: `watch:${output.watch_id}`,
          from: "filesystem.watch",
          message: JSON.stringify({ watch_id: output.watch_id, type: "create", path: "/workspace/d/created" }),
          priority: "normal"
        }]
      )
      fs.writeFileSync(host("d/changed"), "more")
      fs.rmSync(host("d/deleted"))
      assert.deepStrictEqual(yield* told(output.watch_id, 2), ["delete /d/deleted", "modify /d/changed"])
    }).pipe(Effect.provide(store)))

  it.scopedLive("recognises a rename, and tells it apart where it is not wanted", () =>
    Effect.gen(function*() {
      const { host, start, told } = yield* real({ old: "1", other: "2", kept: "3", overwritten: "4" })
      const all = yield* start({})
      const some = yield* start({ event_types: ["create", "delete"] })
      fs.renameSync(host("old"), host("new"))
      assert.deepStrictEqual(yield* told(all.watch_id, 1), ["rename /old /new"])
      assert.deepStrictEqual(yield* told(some.watch_id, 2), ["create /new", "delete /old"])
      fs.rmSync(host("other"))
      fs.writeFileSync(host("another"), "2")
      assert.deepStrictEqual(yield* told(all.watch_id, 2), ["create /another", "delete /other"])
      fs.renameSync(host("kept"), host("overwritten"))
      assert.deepStrictEqual(yield* told(all.watch_id, 1), ["rename /kept /overwritten"])
    }).pipe(Effect.provide(store)))

  it.scopedLive("tells of a file that is replaced in one step that it was modified", () =>
    Effect.gen(function*() {
      const { at, start, told, workspace } = yield* real({ file: "old" })
      const { watch_id } = yield* start({})
      yield* workspace.write(yield* at("file"), bytesOf("new"), { createParents: false })
      assert.deepStrictEqual(yield* told(watch_id, 1), ["modify /file"])
      yield* workspace.write(yield* at("fresh"), bytesOf("new"), { createParents: false })
      assert.deepStrictEqual(yield* told(watch_id, 1), ["create /fresh"])
    }).pipe(Effect.provide(store)))

  it.scopedLive("enters directories only when asked, and takes only what the pattern covers", () =>
    Effect.gen(function*() {
      const { host, start, told } = yield* real({ "d/deep/er/a": "" })
      const flat = yield* start({})
      const deep = yield* start({ recursive: true })
      const some = yield* start({ recursive: true, pattern: "*.ts" })
      const below = yield* start({ recursive: true, pattern: "d/*/*/b.*", event_types: ["modify", "create"] })
      writeTree(host(""), { "a.ts": "", "d/x": "", "d/deep/er/b.ts": "" })
      assert.deepStrictEqual(yield* told(flat.watch_id, 1), ["create /a.ts"])
      assert.deepStrictEqual(yield* told(deep.watch_id, 3), ["create /a.ts", "create /d/deep/er/b.ts", "create /d/x"])
      assert.deepStrictEqual(yield* told(some.watch_id, 2), ["create /a.ts", "create /d/deep/er/b.ts"])
      assert.deepStrictEqual(yield* told(below.watch_id, 1), ["create /d/deep/er/b.ts"])
    }).pipe(Effect.provide(store)))

  it.scopedLive("tells nothing of the trash and of what lies outside", () =>
    Effect.gen(function*() {
      const { at, host, outside, start, told, workspace } = yield* real({ "d/a": "", "d/b": "" })
      fs.symlinkSync(outside, host("out"))
      fs.symlinkSync("d", host("in"))
      const { watch_id } = yield* start({ recursive: true })
      const linked = yield* start({ path: "in" })
      fs.writeFileSync(join(outside, "x"), "")
      yield* workspace.moveToTrash(yield* at("d/a"), "entry")
      assert.deepStrictEqual(yield* told(watch_id, 1), ["delete /d/a"])
      assert.deepStrictEqual(yield* told(linked.watch_id, 1), ["delete /in/a"])
      assert.strictEqual((yield* Effect.flip(start({ path: "out" })))._tag, "PathOutOfScope")
      assert.strictEqual((yield* Effect.flip(start({ path: "out/deep" })))._tag, "PathOutOfScope")
      assert.strictEqual((yield* Effect.flip(start({ path: ".kruxos-trash" })))._tag, "PathOutOfScope")
    }).pipe(Effect.provide(store)))

  it.scopedLive("tells that the directory itself is gone", () =>
    Effect.gen(function*() {
      const { host, start, told } = yield* real({ "d/a": "" })
      const { watch_id } = yield* start({ path: "d", pattern: "nothing" })
      fs.rmSync(host("d"), { recursive: true })
      assert.deepStrictEqual(yield* told(watch_id, 1), ["delete /d"])
    }).pipe(Effect.provide(store)))

  it.scopedLive("ends with the session", () =>
    Effect.gen(function*() {
      const { host, receive, session, start, told } = yield* real()
      const { watch_id } = yield* start({})
      fs.writeFileSync(host("before"), "")
      assert.deepStrictEqual(yield* told(watch_id, 1), ["create /before"])
      yield* Scope.close(session, Exit.void)
      fs.writeFileSync(host("after"), "")
      yield* Effect.sleep(300)
      assert.deepStrictEqual((yield* receive(watch_id)).messages, [])
    }).pipe(Effect.provide(store)))

  it.scopedLive("refuses what it cannot do", () =>
    Effect.gen(function*() {
      const { start } = yield* real({ file: "" })
      const failing = (input: object) =>
        Effect.map(Effect.flip(start(input)), (error) => "field" in error ? [error._tag, error.field] : [error._tag])
      assert.deepStrictEqual(yield* failing({ path: "nowhere" }), ["DirectoryNotFound"])
      assert.deepStrictEqual(yield* failing({ path: "file" }), ["InvalidInput", "path"])
      assert.deepStrictEqual(yield* failing({ path: "/etc" }), ["PathOutOfScope"])
      assert.deepStrictEqual(yield* failing({ pattern: "[" }), ["InvalidInput", "pattern"])
      assert.deepStrictEqual(yield* failing({ event_types: [] }), ["InvalidInput", "event_types"])
    }).pipe(Effect.provide(store)))
})

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
    const box = { room: Number.POSITIVE_INFINITY }
    const inbox: InboxService = {
      deliver: ({ agent, message }) =>
        messages.length >= box.room
          ? Effect.fail(new InboxFull({ agent, limit: box.room }))
          : Effect.sync(() => `msg-${messages.push(shortly(message))}`),
      receive: () => Effect.die("not used"),
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
    return { ...made, box, callbacks, emit, messages, session, start: yield* watchBy(watcher), watchBy }
  })

/** Lets the fibers work that wait for nothing but one another and files. */
const settled = Effect.repeatN(Effect.promise(() => new Promise<void>((resume) => setImmediate(resume))), 50)

describe("the delivery of a watch", () => {
  it.scoped("drops what an inbox has no room for, and says how much when there is room", () =>
    Effect.gen(function*() {
      const { box, emit, messages, start } = yield* scripted()
      yield* start({})
      box.room = 2
      yield* emit(["update", "a"], ["update", "b"], ["update", "c"], ["update", "d"])
      yield* settled
      assert.deepStrictEqual(messages, ["modify /a", "modify /b"])
      yield* TestClock.adjust("5 seconds")
      yield* settled
      assert.strictEqual(messages.length, 2)
      box.room = 10
      yield* TestClock.adjust("1 second")
      yield* settled
      assert.deepStrictEqual(messages.slice(2), ["overflow  2"])
      yield* emit(["update", "e"])
      yield* settled
      assert.deepStrictEqual(messages.slice(3), ["modify /e"])
    }))

  it.scoped("tells of the loss before what comes after it", () =>
    Effect.gen(function*() {
      const { box, emit, messages, start } = yield* scripted()
      yield* start({})
      box.room = 0
      yield* emit(["update", "a"])
      yield* settled
      box.room = 10
      yield* emit(["update", "b"])
      yield* settled
      assert.deepStrictEqual(messages, ["overflow  1", "modify /b"])
    }))

  it.scoped("holds at most a thousand events", () =>
    Effect.gen(function*() {
      const { emit, messages, start } = yield* scripted()
      yield* start({})
      yield* emit(...Array.from({ length: 5_000 }, (_, index) => ["update", `f${index}`] as const))
      yield* settled
      yield* TestClock.adjust("1 second")
      yield* settled
      assert.strictEqual(messages.length, 1_001)
      assert.include(messages, "overflow  4000")
    }))

  it.scoped("says so when the watcher lost events", () =>
    Effect.gen(function*() {
      const { callbacks, messages, start } = yield* scripted()
      yield* start({})
      for (const callback of callbacks) callback(new Error("Events were dropped"), [])
      yield* TestClock.adjust("1 second")
      yield* settled
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
      yield* settled
      assert.deepStrictEqual(messages, ["create /d/.kruxos-trash"])
    }))

  it.scoped("takes files that cannot be told from one another for no rename", () =>
    Effect.gen(function*() {
      const { emit, host, messages, start } = yield* scripted({ a: "1", b: "1" })
      yield* start({})
      fs.rmSync(host("a"))
      fs.writeFileSync(host("c"), "22")
      yield* emit(["delete", "a"], ["create", "c"])
      yield* settled
      assert.deepStrictEqual(messages.splice(0), ["delete /a", "create /c"])
      fs.linkSync(host("b"), host("d"))
      fs.linkSync(host("b"), host("e"))
      fs.rmSync(host("b"))
      yield* emit(["delete", "b"], ["create", "d"], ["create", "e"])
      yield* settled
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
      let begin = () => {}
      const start = yield* watchBy({
        subscribe: () =>
          new Promise((resume) => {
            begin = () => resume({ unsubscribe: () => Promise.resolve(void unsubscribed++) })
          })
      })
      const fiber = yield* Effect.fork(start({}))
      yield* settled
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(unsubscribed, 0)
      begin()
      yield* settled
      assert.strictEqual(unsubscribed, 1)
      const slow = yield* Effect.fork(Effect.flip(start({})))
      yield* settled
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual((yield* Fiber.join(slow))._tag, "ServiceUnavailable")
      begin()
      yield* settled
      assert.strictEqual(unsubscribed, 2)
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
