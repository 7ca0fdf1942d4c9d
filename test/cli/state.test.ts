import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { until } from "../support/deadline.js"
import { at, listAt } from "../support/json.js"
import { kruxos, SharedGateway, start } from "./kruxos.js"

const state = (args: ReadonlyArray<string>, stdin?: string) =>
  Effect.flatMap(
    SharedGateway,
    ({ env }) => kruxos(["state", ...args], { env, ...(stdin === undefined ? {} : { stdin }) })
  )

const succeeds = (...args: ReadonlyArray<string>) =>
  Effect.map(state(args), ({ code, stderr, stdout }) => {
    assert.deepStrictEqual([code, stderr], [0, ""])
    return stdout
  })

const json = (...args: ReadonlyArray<string>) =>
  Effect.map(succeeds(...args, "--json"), (stdout): unknown => JSON.parse(stdout))

const shared = ["--tier", "shared"]

layer(SharedGateway.layer(), { excludeTestServices: true, timeout: "20 seconds" })("kruxos state", (it) => {
  it.effect("keeps values, their versions and their history", () =>
    Effect.gen(function*() {
      const second = { done: true, note: "\u001b[2J\u202e" }
      assert.strictEqual(yield* succeeds("set", "jobs/1", "{\"done\": false}"), "jobs/1 has version 1 now\n")
      const piped = yield* state(["set", "jobs/1", "-", "--json"], JSON.stringify(second))
      assert.deepStrictEqual(JSON.parse(piped.stdout), { key: "jobs/1", version: 2, previous_version: 1 })
      yield* succeeds("set", "other", "-1")

      const value = yield* succeeds("get", "jobs/1")
      assert.deepStrictEqual(JSON.parse(value), second)
      assert.include(value, "\\u001b[2J\\u202e")
      assert.containSubset(yield* json("get", "jobs/1", "--at-version", "1"), {
        key: "jobs/1",
        version: 1,
        value: { done: false }
      })
      const listed = yield* succeeds("list", "--prefix", "jobs/")
      assert.match(listed, /^KEY +VERSION +BYTES +UPDATED\njobs\/1 +2 +\d+ +\S+Z\n$/)
      assert.deepStrictEqual(listAt(yield* json("list"), "entries").map((entry) => at(entry, "key")), [
        "jobs/1",
        "other"
      ])
      const history = (yield* succeeds("history", "jobs/1")).trimEnd().split("\n")
      assert.match(history[1] ?? "", /^2 +\S+Z +\{"done":true,"note":".*"\}$/)
      assert.lengthOf(history, 3)
      assert.lengthOf(listAt(yield* json("history", "jobs/1", "--limit", "1"), "versions"), 1)
      assert.strictEqual(yield* succeeds("delete", "jobs/1"), "jobs/1 is deleted\n")

      const missing = yield* Effect.all([
        state(["get", "jobs/1"]),
        state(["delete", "jobs/1"]),
        state(["history", "never"])
      ], { concurrency: 2 })
      for (const { code, stderr, stdout } of missing) {
        assert.deepStrictEqual([code, stdout], [1, ""])
        assert.match(stderr, /jobs\/1|never/)
      }
    }), 90_000)

  it.scoped("asks for the version of what agents share, and prints what becomes of it", () =>
    Effect.gen(function*() {
      const { env } = yield* SharedGateway
      yield* succeeds("set", "plan", "1", ...shared, "--expected-version", "0")
      const watching = yield* start(["state", "watch", "--current", "--json", "--prefix", "pl"], { env })
      const changes = () =>
        watching.stdout().split("\n").filter((line) => line !== "").map((line): unknown => JSON.parse(line))
      yield* until("the beginning", Effect.sync(() => changes().length === 1), "15 seconds")
      const conflict = yield* state(["set", "plan", "2", ...shared, "--expected-version", "0"])
      assert.deepStrictEqual([conflict.code, conflict.stdout], [1, ""])
      assert.match(conflict.stderr, /^VersionConflict: /)
      yield* succeeds("set", "other", "1", ...shared, "--expected-version", "0")
      yield* succeeds("set", "plan", "2", ...shared, "--expected-version", "1")
      assert.containSubset(yield* json("get", "plan", ...shared), { value: 2, version: 2, owner_agent: "agent" })
      assert.match(yield* succeeds("list", ...shared), /^KEY .* OWNER\nother .* agent\nplan +2 .* agent\n$/)
      yield* until("the change", Effect.sync(() => changes().length === 2))
      yield* succeeds("delete", "plan", ...shared)
      yield* until("the end", Effect.sync(() => changes().length === 3))
      assert.containSubset(changes(), [
        { type: "resynced", entries: [{ key: "plan", version: 1, value: 1 }] },
        { type: "changed", key: "plan", version: 2, value: 2, deleted: false },
        { type: "changed", key: "plan", deleted: true }
      ])
      yield* watching.kill("SIGINT")
      assert.deepInclude(yield* watching.ended, { code: 0, stderr: "" })
    }), 60_000)

  it.effect("does not understand what makes no sense, and sends nothing", () =>
    Effect.gen(function*() {
      const ended = yield* Effect.all([
        state(["set", "k", "{"]),
        state(["set", "k", "1", ...shared]),
        state(["set", "k", "1", "--expected-version", "1"]),
        state(["get", "k", "--at-version", "1", ...shared]),
        state(["get", "k", "--at-version", "0"])
      ], { concurrency: 2 })
      for (const { code, stderr, stdout } of ended) assert.deepStrictEqual([code, stdout], [2, ""], stderr)
      assert.match(ended[0].stderr, /^The value is not JSON/)
    }), 30_000)
})
