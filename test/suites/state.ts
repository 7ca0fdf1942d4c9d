import { assert, layer } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { type ChangesError, State } from "kruxos"
import type { StateChange } from "kruxos/schema"
import { until } from "../support/deadline.js"
import type { GatewayLayer } from "./GatewayLayer.js"

const Task = Schema.Struct({ step: Schema.Number, due: Schema.DateTimeUtc })

const task = { step: 3, due: DateTime.unsafeMake("2026-01-02T03:04:05Z") }

const valueIn = <A>(entry: Option.Option<{ readonly value: A }>) => Option.map(entry, ({ value }) => value)

const odd: ReadonlyArray<unknown> = [
  null,
  false,
  0,
  -1.5e-300,
  Number.MAX_SAFE_INTEGER,
  "",
  "\u0000 \u001f \"quotes\" \\ \u2028 emoji 🦑 and the rest: ÄÖÜ 漢字\r\n\t",
  [],
  {},
  { "": [{ "a.b": null }], constructor: 1, $ref: "#" },
  "x".repeat(1024 * 1024 - 2)
]

const keys = ["a", "ключ", "🦑", "a b/c?d#e%20", "..", "k".repeat(512)]

/** What has come of a stream so far, on a fiber of its own that ends with the scope. */
const following = <A>(stream: Stream.Stream<StateChange<A>, ChangesError>) =>
  Effect.gen(function*() {
    const seen: Array<StateChange<A>> = []
    const fiber = yield* Effect.forkScoped(
      Stream.runForEach(stream, (change) => Effect.sync(() => void seen.push(change)))
    )
    // With `current`, what comes first says that nothing is missed from then on.
    yield* until("the begin of the stream", Effect.sync(() => seen.length > 0))
    return { seen, fiber }
  })

const changedKeys = (seen: ReadonlyArray<StateChange>) =>
  seen.flatMap((change) => change._tag === "Changed" ? [[change.key, change.version, change.deleted]] : [])

/** What holds for the State of every layer. */
export const stateSuite = ({ layer: gateway, name }: GatewayLayer) =>
  layer(gateway, { excludeTestServices: true })(`State (${name})`, (it) => {
    it.effect("of the session: set, get, list, delete, clear", () =>
      Effect.gen(function*() {
        const { session } = yield* State
        assert.deepStrictEqual(yield* session.get("task.current"), Option.none())
        assert.deepStrictEqual(yield* session.set("task.current", { step: 3, total: 10 }), { overwritten: false })
        assert.deepStrictEqual(yield* session.set("task.current", { step: 4, total: 10 }), { overwritten: true })
        assert.deepStrictEqual(valueIn(yield* session.get("task.current")), Option.some({ step: 4, total: 10 }))
        yield* session.set("task.other", Task, task)
        assert.deepStrictEqual(valueIn(yield* session.get("task.other", Task)), Option.some(task))
        yield* session.set("else", 1)
        assert.sameMembers([...yield* session.list("task.")], ["task.current", "task.other"])
        assert.isTrue(yield* session.delete("task.current"))
        assert.isFalse(yield* session.delete("task.current"))
        assert.strictEqual(yield* session.clear(), 2)
        assert.deepStrictEqual(yield* session.list(), [])
      }))

    it.effect("that persists: versions, history, prefixes", () =>
      Effect.gen(function*() {
        const { persistent } = yield* State
        assert.deepStrictEqual(yield* persistent.get("config.threshold"), Option.none())
        const first = yield* persistent.set("config.threshold", 0.85)
        assert.strictEqual(first.previousVersion, 0)
        const second = yield* persistent.set("config.threshold", Schema.Number, 0.9)
        assert.deepStrictEqual(second, { version: first.version + 1, previousVersion: first.version })
        const newest = Option.getOrThrow(yield* persistent.get("config.threshold", Schema.Number))
        assert.deepInclude(newest, { key: "config.threshold", value: 0.9, version: second.version })
        assert.isTrue(newest.updatedAt !== undefined && newest.createdAt !== undefined)
        const old = yield* persistent.get("config.threshold", Schema.Number, { version: first.version })
        assert.deepStrictEqual(valueIn(old), Option.some(0.85))
        assert.deepStrictEqual(yield* persistent.get("config.threshold", { version: 1_000_000 }), Option.none())
        const history = yield* persistent.history("config.threshold", Schema.Number, { limit: 5 })
        assert.deepStrictEqual(history.map(({ value, version }) => [version, value]), [
          [second.version, 0.9],
          [first.version, 0.85]
        ])
        assert.strictEqual((yield* persistent.history("config.threshold", { limit: 1 })).length, 1)
        yield* persistent.set("config.name", "agent")
        yield* persistent.set("configuration", true)
        const listed = yield* persistent.list("config.")
        assert.sameMembers(listed.map(({ key }) => key), ["config.name", "config.threshold"])
        const found = yield* persistent.query("config.")
        assert.sameDeepMembers(found.map(({ key, value }) => [key, value]), [
          ["config.name", "agent"],
          ["config.threshold", 0.9]
        ])
        assert.isTrue(yield* persistent.delete("config.threshold"))
        assert.isFalse(yield* persistent.delete("config.threshold"))
        assert.deepStrictEqual(yield* persistent.get("config.threshold"), Option.none())
        const again = yield* persistent.set("config.threshold", 1)
        assert.deepStrictEqual(again.previousVersion, 0)
        assert.isAbove(again.version, second.version)
      }))

    it.effect("that persists has no history of what is not there", () =>
      Effect.gen(function*() {
        const { persistent } = yield* State
        const error = yield* Effect.flip(persistent.history("never there"))
        assert.deepInclude(error, { _tag: "KeyNotFound", key: "never there" })
      }))

    it.effect("that persists is where work goes on", () =>
      Effect.gen(function*() {
        const { persistent } = yield* State
        const Progress = Schema.Struct({ page: Schema.Number })
        const begun = yield* persistent.checkpoint("checkpoint", Progress, { initial: { page: 0 } })
        assert.deepInclude(begun, { start: { page: 0 }, resumed: false })
        for (let page = 0; page < 3; page++) yield* begun.save({ page: page + 1 })
        const resumed = yield* persistent.checkpoint("checkpoint", Progress, { initial: { page: 0 } })
        assert.deepInclude(resumed, { start: { page: 3 }, resumed: true })
      }))

    it.effect("that is shared: a write needs the version that is there", () =>
      Effect.gen(function*() {
        const { shared } = yield* State
        const created = yield* shared.set("lock", { by: "me" }, { expectedVersion: 0 })
        const entry = Option.getOrThrow(yield* shared.get("lock"))
        assert.deepInclude(entry, { key: "lock", value: { by: "me" }, version: created.version, ownerAgent: "agent" })
        const twice = yield* Effect.flip(shared.set("lock", 1, { expectedVersion: 0 }))
        assert.deepInclude(twice, { _tag: "VersionConflict", expectedVersion: 0, actualVersion: created.version })
        const next = yield* shared.set("lock", 2, { expectedVersion: entry.version })
        const late = yield* Effect.flip(shared.set("lock", 3, { expectedVersion: entry.version }))
        assert.deepInclude(late, {
          _tag: "VersionConflict",
          expectedVersion: entry.version,
          actualVersion: next.version
        })
        assert.deepStrictEqual(valueIn(yield* shared.get("lock")), Option.some(2))
        assert.deepInclude((yield* shared.list("lo"))[0], { key: "lock", version: next.version, ownerAgent: "agent" })
        assert.isTrue(yield* shared.delete("lock"))
        assert.isFalse(yield* shared.delete("lock"))
        const again = yield* shared.set("lock", 1, { expectedVersion: 0 })
        assert.isAbove(again.version, next.version)
      }))

    it.effect("that is shared is updated by many at a time", () =>
      Effect.gen(function*() {
        const { shared } = yield* State
        const written = yield* Effect.all(
          Array.from({ length: 10 }, () => shared.update("counter", Schema.Number, (n) => n + 1, { initial: 0 })),
          { concurrency: "unbounded" }
        )
        assert.sameMembers(written.map(({ value }) => value), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
        assert.deepStrictEqual(valueIn(yield* shared.get("counter")), Option.some(10))
        const missing = yield* Effect.flip(shared.update("no counter", Schema.Number, (n) => n + 1))
        assert.deepInclude(missing, { _tag: "KeyNotFound", key: "no counter" })
      }))

    it.scoped("that is shared tells its changes", () =>
      Effect.gen(function*() {
        const { shared } = yield* State
        const first = yield* shared.set("config.a", 1, { expectedVersion: 0 })
        const { seen } = yield* following(
          shared.changes("config.", Schema.Number, { current: true, pollInterval: "20 millis" })
        )
        assert.deepInclude(seen[0], { _tag: "Resynced" })
        const sees = (key: string, version: number, isDeleted: boolean) =>
          until(
            `the change of ${key}`,
            Effect.sync(() => changedKeys(seen).some((each) => String(each) === String([key, version, isDeleted])))
          )
        const second = yield* shared.set("config.a", 2, { expectedVersion: first.version })
        yield* sees("config.a", second.version, false)
        const other = yield* shared.set("config.b", 3, { expectedVersion: 0 })
        yield* shared.set("elsewhere", "no number", { expectedVersion: 0 })
        yield* sees("config.b", other.version, false)
        yield* shared.delete("config.a")
        yield* sees("config.a", second.version, true)
        assert.deepStrictEqual(changedKeys(seen), [
          ["config.a", second.version, false],
          ["config.b", other.version, false],
          ["config.a", second.version, true]
        ])
      }))

    it.scoped("that is shared tells changes that fail to fit a schema as a failure", () =>
      Effect.gen(function*() {
        const { shared } = yield* State
        const { fiber } = yield* following(
          shared.changes("typed.", Schema.Number, { current: true, pollInterval: "20 millis" })
        )
        yield* shared.set("typed.a", "text", { expectedVersion: 0 })
        const error = yield* Effect.flip(Fiber.join(fiber))
        assert.deepInclude(error, { _tag: "OutputMismatch", raw: "text" })
      }))

    it.effect("keeps values of every kind, in every tier", () =>
      Effect.gen(function*() {
        const { persistent, session, shared } = yield* State
        for (const [index, value] of odd.entries()) {
          yield* session.set("odd", value)
          assert.deepStrictEqual(valueIn(yield* session.get("odd")), Option.some(value))
          yield* persistent.set("odd", value)
          assert.deepStrictEqual(valueIn(yield* persistent.get("odd")), Option.some(value))
          yield* shared.set(`odd${index}`, value, { expectedVersion: 0 })
          assert.deepStrictEqual(valueIn(yield* shared.get(`odd${index}`)), Option.some(value))
        }
      }))

    it.effect("takes keys of every kind", () =>
      Effect.gen(function*() {
        const { persistent, session } = yield* State
        for (const [index, key] of keys.entries()) {
          yield* session.set(key, index)
          assert.deepStrictEqual(valueIn(yield* session.get(key)), Option.some(index))
          yield* persistent.set(key, index)
          assert.deepStrictEqual((yield* persistent.list(key)).map((entry) => entry.key).slice(0, 1), [key])
        }
        yield* session.clear()
      }))
  })
