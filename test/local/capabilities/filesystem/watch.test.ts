import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as fs from "node:fs"
import { join } from "node:path"
import * as filesystem from "../../../../src/catalogue/filesystem.js"
import { makeWatch } from "../../../../src/local/capabilities/filesystem/watch.js"
import { Inbox } from "../../../../src/local/store/Inbox.js"
import { bytesOf } from "../../workspace/support.js"
import { writeTree } from "./tree.js"
import { inputOf, shortly } from "./watchSupport.js"
import { invocationFixture, store } from "./workspaceSupport.js"

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
