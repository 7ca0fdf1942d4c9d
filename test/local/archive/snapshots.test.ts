import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { Alerts } from "../../../src/local/store/Alerts.js"
import { PersistentState } from "../../../src/local/store/PersistentState.js"
import { Snapshots } from "../../../src/local/store/Snapshots.js"
import * as Store from "../../../src/local/store/Store.js"
import { quietly } from "../../support/gateway.js"
import { at, listAt, textAt } from "../../support/json.js"
import { stateGateway, type TestSession } from "../capabilities/state/support.js"

const create = (session: TestSession) => Effect.map(session.output("state.snapshot.create"), (made) => made)

const load = (session: TestSession, made: unknown) =>
  Effect.map(
    session.output("state.snapshot.load", { snapshot_id: textAt(made, "snapshot_id") }),
    (loaded) => at(loaded, "snapshot")
  )

describe("state.snapshot", () => {
  it.scoped("records how things stand for the agent, and keeps it as it was", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(Date.UTC(2025, 0, 31, 8))
      const gateway = yield* stateGateway()
      const one = yield* gateway.session("one")
      const two = yield* gateway.session("two")
      yield* one.output("state.persistent.set", { key: "a", value: { page: 3 } })
      yield* two.output("state.persistent.set", { key: "b", value: "of the other" })
      yield* two.output("state.shared.set", { key: "s", value: null, expected_version: 0 })
      yield* one.invoke("state.backup.create")
      yield* two.invoke("state.backup.create", { agent: "two" })
      yield* gateway.inStore(Effect.gen(function*() {
        const alerts = yield* Alerts
        yield* alerts.send({ agent: "one", severity: "critical", message: "look here", title: "Mine" })
        yield* alerts.send({ agent: "two", severity: "info", message: "not yours" })
      })).pipe(Effect.orDie)

      const made = yield* create(one)
      assert.match(textAt(made, "snapshot_id"), /^snap-20250131T080000-[0-9a-f]{8}$/)
      assert.strictEqual(at(made, "timestamp"), "2025-01-31T08:00:00.000Z")
      yield* one.output("state.persistent.set", { key: "a", value: "later" })

      const snapshot = yield* load(one, made)
      assert.strictEqual(at(made, "size_bytes"), Buffer.byteLength(JSON.stringify(snapshot)))
      assert.deepStrictEqual(at(snapshot, "agents"), {
        agents: [{ name: "one", status: "active" }, { name: "two", status: "active" }],
        total: 2
      })
      const updated_at = "2025-01-31T08:00:00.000Z"
      assert.deepStrictEqual(at(snapshot, "state"), {
        persistent: {
          entries: [{ key: "a", version: 1, size_bytes: 10, updated_at, value: { page: 3 } }],
          left_out: 0,
          count: 1,
          total_size_bytes: 10
        },
        shared: {
          entries: [{ key: "s", version: 1, size_bytes: 4, owner_agent: "two", updated_at, value: null }],
          left_out: 0,
          count: 1,
          total_size_bytes: 4
        }
      })
      assert.deepInclude(at(snapshot, "approvals"), { pending: 1, total: 1 })
      assert.deepInclude(at(snapshot, "approvals", "approvals", 0), {
        capability: "state.backup.create",
        status: "pending"
      })
      assert.deepInclude(at(snapshot, "alerts"), { pending: 1, total: 1 })
      assert.deepInclude(at(snapshot, "alerts", "alerts", 0), {
        severity: "critical",
        message: "look here",
        title: "Mine",
        status: "pending"
      })
      assert.include(["healthy", "degraded", "unhealthy"], textAt(snapshot, "health", "status"))
      assert.isNumber(at(snapshot, "resources", "memory_percent"))
      assert.notMatch(JSON.stringify(snapshot), /not yours|of the other|key_hash|api_key|keyHash/)
    }))

  it.scoped("lists an agent's own, the newest first, and shows no other agent any of them", () =>
    Effect.gen(function*() {
      const gateway = yield* stateGateway()
      const one = yield* gateway.session("one")
      const two = yield* gateway.session("two")
      const first = yield* create(one)
      yield* TestClock.adjust("1 second")
      const second = yield* create(one)
      assert.deepStrictEqual(yield* one.output("state.snapshot.list"), { snapshots: [second, first], count: 2 })
      assert.deepStrictEqual(yield* two.output("state.snapshot.list"), { snapshots: [], count: 0 })
      for (const snapshot_id of [textAt(first, "snapshot_id"), "", "a\0b", "%", "x".repeat(10_000)]) {
        const error = yield* two.error("state.snapshot.load", { snapshot_id })
        assert.strictEqual(at(error, "type"), "SnapshotNotFound")
        assert.strictEqual(at(error, "recovery", 0, "action"), "list_snapshots")
      }
    }))

  it.scoped("leaves out long values, and keys that do not fit", () =>
    Effect.gen(function*() {
      const gateway = yield* stateGateway()
      const one = yield* gateway.session("one")
      const set = (key: string, value: unknown) => one.output("state.persistent.set", { key, value })
      let nested: unknown = 1
      for (let level = 0; level < 450; level++) nested = [nested]
      // As deep as a value may be where it came to the state by another way, such as a backup.
      const text = JSON.stringify(nested)
      const author = { agent: "one", source: "session", at: 0 }
      yield* gateway.inStore(Effect.flatMap(PersistentState, (state) => state.set("a-nested", text, author))).pipe(
        Effect.orDie
      )
      yield* set("b-long", "x".repeat(100_000))
      for (let key = 0; key < 50; key++) yield* set(`c-${String(key).padStart(2, "0")}`, "x".repeat(60_000))
      const made = yield* create(one)
      const state = at(yield* load(one, made), "state", "persistent")
      const entries = listAt(state, "entries")
      assert.strictEqual(at(state, "count"), 52)
      assert.strictEqual(entries.length + Number(at(state, "left_out")), 52)
      assert.isAbove(Number(at(state, "left_out")), 0)
      assert.deepStrictEqual(entries.slice(0, 2).map((entry) => [at(entry, "key"), at(entry, "value")]), [
        ["a-nested", undefined],
        ["b-long", undefined]
      ])
      assert.strictEqual(at(entries[2], "value"), "x".repeat(60_000))
      assert.isBelow(Number(at(made, "size_bytes")), 4 * 1024 * 1024)
    }))

  it.scoped("fails with IoError where the store fails", () =>
    Effect.gen(function*() {
      const gateway = yield* stateGateway()
      const one = yield* gateway.session("one")
      yield* gateway.inStore(
        Effect.flatMap(SqlClient.SqlClient, (sql) => sql`DROP TABLE snapshots`).pipe(Effect.orDie)
      )
      for (const capability of ["create", "list"]) {
        const error = yield* quietly(one.error(`state.snapshot.${capability}`))
        assert.strictEqual(at(error, "type"), "IoError")
        assert.strictEqual(at(error, "recovery", 0, "action"), "check_disk")
      }
    }))
})

const content = (text: string) => ({
  agents: [],
  resources: {},
  approvals: [],
  alerts: [],
  health: {},
  state: text
})

describe("Snapshots", () => {
  const add = (agent: string, number: number, text = "") =>
    Effect.flatMap(
      Snapshots,
      ({ add }) => add({ agent, snapshotId: `${agent}-${number}`, takenAt: number, content: content(text) })
    )

  const ids = (agent: string) =>
    Effect.map(
      Effect.flatMap(Snapshots, ({ list }) => list(agent)),
      (found) => found.map(({ snapshotId }) => snapshotId)
    )

  it.effect("keeps so many of an agent, the newest", () =>
    Effect.gen(function*() {
      for (let number = 0; number < 5; number++) yield* add("one", number)
      yield* add("two", 0)
      assert.deepStrictEqual(yield* ids("one"), ["one-4", "one-3", "one-2"])
      assert.deepStrictEqual(yield* ids("two"), ["two-0"])
    }).pipe(Effect.provide(Store.layer({ filename: ":memory:", snapshots: { maximumSnapshots: 3 } }))))

  it.effect("keeps so many bytes of an agent's, and the newest in any case", () =>
    Effect.gen(function*() {
      for (let number = 0; number < 4; number++) yield* add("one", number, "x".repeat(300))
      assert.deepStrictEqual(yield* ids("one"), ["one-3", "one-2"])
      yield* add("one", 4, "x".repeat(5000))
      assert.deepStrictEqual(yield* ids("one"), ["one-4"])
      yield* add("one", 5)
      assert.deepStrictEqual(yield* ids("one"), ["one-5"])
    }).pipe(Effect.provide(Store.layer({ filename: ":memory:", snapshots: { maximumBytes: 1000 } }))))
})
