import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Scope from "effect/Scope"
import { compareBytes } from "../../../../src/local/store/prefixes.js"
import { quietly } from "../../../support/gateway.js"
import { at } from "../../../support/json.js"
import { parameters } from "../../../support/runs.js"
import { stateGateway, type TestSession } from "./support.js"

const quota = 600

interface Version {
  readonly version: number
  readonly value: unknown
}

interface Entry {
  readonly owner: string
  readonly versions: ReadonlyArray<Version>
}

const sizeOf = (text: string) => Buffer.byteLength(text)

/** Plain state of versions, as it is documented. */
class Model {
  readonly entries = new Map<string, Entry>()
  readonly lastVersions = new Map<string, number>()

  used(): number {
    let used = 0
    for (const [key, { versions }] of this.entries) {
      for (const { value } of versions) used += sizeOf(key) + sizeOf(JSON.stringify(value))
    }
    return used
  }

  actual(key: string): number {
    return this.entries.get(key)?.versions[0]?.version ?? 0
  }

  write(agent: string, key: string, value: unknown): { readonly version: number } | "full" {
    const before = this.entries.get(key)
    const usedBefore = this.used()
    const version = (this.lastVersions.get(key) ?? 0) + 1
    const versions = [{ version, value }, ...(before?.versions ?? [])].slice(0, 100)
    this.entries.set(key, { owner: before?.owner ?? agent, versions })
    const used = this.used()
    if (used > quota && used > usedBefore) {
      if (before === undefined) this.entries.delete(key)
      else this.entries.set(key, before)
      return "full"
    }
    this.lastVersions.set(key, version)
    return { version }
  }

  remove(key: string): boolean {
    return this.entries.delete(key)
  }

  keys(prefix: string): ReadonlyArray<string> {
    return [...this.entries.keys()].filter((key) => key.startsWith(prefix)).sort(compareBytes)
  }
}

interface Real {
  readonly sessions: ReadonlyArray<TestSession>
}

interface Models {
  readonly persistent: ReadonlyArray<Model>
  readonly shared: Model
}

type Operation =
  | {
    readonly on: "persistent" | "shared"
    readonly name: "set"
    readonly key: string
    readonly value: unknown
    readonly off: number
  }
  | { readonly on: "persistent" | "shared"; readonly name: "times"; readonly key: string; readonly count: number }
  | { readonly on: "persistent" | "shared"; readonly name: "delete" | "get"; readonly key: string }
  | { readonly on: "persistent"; readonly name: "version"; readonly key: string; readonly version: number }
  | { readonly on: "persistent"; readonly name: "history"; readonly key: string; readonly limit: number | undefined }
  | { readonly on: "persistent" | "shared"; readonly name: "list"; readonly prefix: string }

const everyKey = ["a", "A", "a%", "a_b", "é", "\u{ffff}", "\u{10ffff}"]

const keys = FastCheck.constantFrom(...everyKey)
const prefixes = FastCheck.constantFrom("", "a", "a%", "a_", "\u{ffff}", "\u{10ffff}", "none")
const anywhere = FastCheck.constantFrom("persistent" as const, "shared" as const)
const persistent = FastCheck.constant("persistent" as const)
const weighted = <A>(weight: number, arbitrary: FastCheck.Arbitrary<A>) => ({ weight, arbitrary })

const operation: FastCheck.Arbitrary<Operation> = FastCheck.oneof(
  weighted(
    6,
    FastCheck.record({
      on: anywhere,
      name: FastCheck.constant("set" as const),
      key: keys,
      value: FastCheck.oneof(FastCheck.jsonValue({ maxDepth: 2 }), FastCheck.string({ minLength: 50, maxLength: 150 })),
      off: FastCheck.constantFrom(0, 0, 0, 0, 1, -1)
    })
  ),
  weighted(
    1,
    FastCheck.record({
      on: anywhere,
      name: FastCheck.constant("times" as const),
      key: keys,
      count: FastCheck.integer({ min: 90, max: 130 })
    })
  ),
  weighted(
    2,
    FastCheck.record({ on: anywhere, name: FastCheck.constantFrom("delete" as const, "get" as const), key: keys })
  ),
  weighted(
    1,
    FastCheck.record({
      on: persistent,
      name: FastCheck.constant("version" as const),
      key: keys,
      version: FastCheck.nat(150)
    })
  ),
  weighted(
    1,
    FastCheck.record({
      on: persistent,
      name: FastCheck.constant("history" as const),
      key: keys,
      limit: FastCheck.option(FastCheck.integer({ min: 1, max: 120 }), { nil: undefined })
    })
  ),
  weighted(1, FastCheck.record({ on: anywhere, name: FastCheck.constant("list" as const), prefix: prefixes }))
)

const step = FastCheck.tuple(FastCheck.nat(1), operation)

const agentOf = (index: number) => `agent-${index}`

// JSON knows no minus zero.
const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

const entryOf = ({ value, version }: Version) => ({ version, value: asJson(value) })

const part = (value: unknown, ...names: ReadonlyArray<string>) =>
  Object.fromEntries(names.flatMap((name) => at(value, name) === undefined ? [] : [[name, at(value, name)]]))

const parts = (list: unknown, ...names: ReadonlyArray<string>) =>
  Array.isArray(list) ? list.map((one) => part(one, ...names)) : list

/** What the model says, and what the gateway says. */
const runOne = (real: Real, models: Models, agent: number, operation: Operation) =>
  Effect.gen(function*() {
    const session = real.sessions[agent]
    const own = models.persistent[agent]
    if (session === undefined || own === undefined) return
    const model = operation.on === "shared" ? models.shared : own
    const invoke = (name: string, input: object) => session.invoke(`state.${operation.on}.${name}`, input)
    const told = JSON.stringify(operation)
    const set = (key: string, value: unknown, off = 0) =>
      Effect.gen(function*() {
        const before = model.actual(key)
        const expected = Math.max(before + off, 0)
        const answer = yield* invoke("set", {
          key,
          value,
          ...(operation.on === "shared" ? { expected_version: expected } : {})
        })
        if (operation.on === "shared" && expected !== before) {
          assert.deepNestedInclude(answer, {
            "error.type": "VersionConflict",
            "error.context.expected_version": expected,
            "error.context.actual_version": before
          }, told)
          return
        }
        const usedBefore = model.used()
        const written = model.write(agentOf(agent), key, value)
        if (written === "full") {
          assert.deepNestedInclude(answer, {
            "error.type": "QuotaExceeded",
            "error.context.used": usedBefore,
            "error.context.limit": quota
          }, told)
        } else {
          assert.deepStrictEqual(at(answer, "data"), {
            version: written.version,
            ...(operation.on === "shared" ? {} : { previous_version: before })
          }, told)
        }
      })

    switch (operation.name) {
      case "set":
        return yield* set(operation.key, operation.value, operation.off)
      case "times":
        for (let i = 0; i < operation.count; i++) yield* set(operation.key, i % 10)
        return
      case "delete": {
        const answer = yield* invoke("delete", { key: operation.key })
        if (model.remove(operation.key)) assert.deepStrictEqual(at(answer, "data"), { deleted: true }, told)
        else assert.strictEqual(at(answer, "error", "type"), "KeyNotFound", told)
        return
      }
      case "get": {
        const found = model.entries.get(operation.key)
        const newest = found?.versions[0]
        const data = at(yield* invoke("get", { key: operation.key }), "data")
        const expected = newest === undefined || found === undefined
          ? { found: false, ...(operation.on === "shared" ? { version: 0 } : {}) }
          : {
            found: true,
            ...entryOf(newest),
            ...(operation.on === "shared" ? { owner_agent: found.owner } : {})
          }
        assert.deepStrictEqual(part(data, "found", "version", "value", "owner_agent"), expected, told)
        return
      }
      case "version": {
        const { key, version } = operation
        const found = model.entries.get(key)?.versions.find((one) => one.version === version)
        const data = at(yield* invoke("get", { key, version }), "data")
        assert.deepStrictEqual(
          part(data, "found", "version", "value"),
          found === undefined ? { found: false } : { found: true, ...entryOf(found) },
          told
        )
        return
      }
      case "history": {
        const versions = model.entries.get(operation.key)?.versions
        const { key, limit } = operation
        const answer = yield* invoke("history", limit === undefined ? { key } : { key, limit })
        if (versions === undefined) assert.strictEqual(at(answer, "error", "type"), "KeyNotFound", told)
        else {
          assert.deepStrictEqual(
            parts(at(answer, "data", "versions"), "version", "value"),
            versions.slice(0, limit ?? 100).map(entryOf),
            told
          )
        }
        return
      }
      case "list": {
        const { prefix } = operation
        const expected = model.keys(prefix).map((key) => ({ key, version: model.actual(key) }))
        const data = at(yield* invoke("list", { prefix }), "data")
        assert.deepStrictEqual(parts(at(data, "entries"), "key", "version"), expected, told)
        const size = model.keys(prefix).reduce(
          (sum, key) => sum + sizeOf(JSON.stringify(model.entries.get(key)?.versions[0]?.value)),
          0
        )
        assert.deepStrictEqual(part(data, "count", "total_size_bytes"), {
          count: expected.length,
          total_size_bytes: size
        }, told)
        if (operation.on === "persistent") {
          const found = at(yield* invoke("query", { prefix }), "data", "entries")
          const values = expected.map(({ key, version }) => ({
            key,
            version,
            value: asJson(model.entries.get(key)?.versions[0]?.value)
          }))
          assert.deepStrictEqual(parts(found, "key", "version", "value"), values, told)
        }
      }
    }
  })

/** Everything that can be read, by both agents. */
const looks: ReadonlyArray<Operation> = [
  { on: "persistent", name: "list", prefix: "" },
  { on: "shared", name: "list", prefix: "" },
  ...everyKey.flatMap((key): ReadonlyArray<Operation> => [
    { on: "persistent", name: "get", key },
    { on: "persistent", name: "history", key, limit: undefined },
    { on: "shared", name: "get", key }
  ])
]

const noVersions: ReadonlyMap<string, number> = new Map()

/** A gateway with two agents, which is used for many runs: each begins with nothing, but where versions go on. */
const makeReal = Effect.gen(function*() {
  const limits = { quotaBytes: quota }
  const gateway = yield* stateGateway({ store: { persistentState: limits, sharedState: limits } })
  const sessions = [yield* gateway.session(agentOf(0)), yield* gateway.session(agentOf(1))]
  return { gateway, sessions, lastVersions: [noVersions, noVersions, noVersions] }
})

const runAll = (
  real: Effect.Effect.Success<typeof makeReal>,
  steps: ReadonlyArray<readonly [agent: number, operation: Operation]>
) =>
  Effect.gen(function*() {
    const all = [new Model(), new Model(), new Model()] as const
    for (const [index, model] of all.entries()) {
      for (const [key, version] of real.lastVersions[index] ?? noVersions) model.lastVersions.set(key, version)
    }
    const models: Models = { persistent: [all[0], all[1]], shared: all[2] }
    for (const [agent, operation] of steps) yield* runOne(real, models, agent, operation)
    for (const look of looks) {
      for (const agent of [0, 1]) yield* runOne(real, models, agent, look)
    }
    for (const [index, session] of real.sessions.entries()) {
      for (const key of all[index]?.entries.keys() ?? []) yield* session.output("state.persistent.delete", { key })
    }
    for (const key of all[2].entries.keys()) {
      yield* real.sessions[0]?.output("state.shared.delete", { key }) ?? Effect.void
    }
    real.lastVersions = all.map((model) => model.lastVersions)
  })

describe("the state of a gateway", () => {
  it.scoped("is what a plain model says, whatever two agents do", () =>
    Effect.gen(function*() {
      const scope = yield* Effect.scope
      let real: Effect.Effect.Success<typeof makeReal> | undefined
      yield* Effect.promise(() =>
        FastCheck.assert(
          FastCheck.asyncProperty(FastCheck.array(step, { minLength: 5, maxLength: 30 }), (steps) =>
            Effect.gen(function*() {
              const used = real ?? (yield* Scope.extend(makeReal, scope))
              // After a failure nobody knows what is there.
              real = undefined
              yield* runAll(used, steps)
              real = used
            }).pipe(quietly, Effect.runPromise)),
          parameters(300)
        )
      )
    }), 240_000)
})
