import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import { parameters } from "../../support/runs.js"
import { temporaryDatabase } from "../store/support.js"
import { author, type StateStore, stateStore } from "./stateSupport.js"

const keys = ["a", "b", "c"] as const
const writers = ["first", "second", "plain"] as const

type Key = typeof keys[number]
type Writer = typeof writers[number]

interface Step {
  readonly writer: Writer
  readonly key: Key
  readonly what: "set" | "delete" | "read" | "commit" | "roll back"
  /** How far the expected version is from the one that is there. */
  readonly off: number
}

const step: FastCheck.Arbitrary<Step> = FastCheck.record({
  writer: FastCheck.constantFrom(...writers),
  key: FastCheck.constantFrom(...keys),
  what: FastCheck.constantFrom("set", "set", "set", "delete", "read", "commit", "roll back"),
  off: FastCheck.constantFrom(0, 0, 0, 0, 1)
})

/** The newest version of a key, and its value where it is live. */
interface Newest {
  readonly version: number
  readonly value: string | undefined
}

interface Told {
  readonly key: string
  readonly version: number
  readonly deleted: boolean
}

const none: Newest = { version: 0, value: undefined }

const liveVersion = ({ value, version }: Newest) => value === undefined ? 0 : version

/** What is committed, by a model, and what a transaction makes of it that compares its keys at the commit. */
class Model {
  readonly newest = new Map<string, Newest>()
  readonly told: Array<Told> = []

  begin() {
    const before = new Map<string, Newest>()
    const own = new Map<string, Newest>()
    const told: Array<Told> = []
    const read = (key: string) => own.get(key) ?? this.newest.get(key) ?? none
    return {
      read,
      write: (key: string, value: string | undefined): number => {
        const now = read(key)
        if (!before.has(key)) before.set(key, now)
        const version = value === undefined ? now.version : now.version + 1
        own.set(key, { version, value })
        told.push({ key, version, deleted: value === undefined })
        return version
      },
      /** Whether it was committed. */
      commit: (): boolean => {
        for (const [key, was] of before) {
          const now = this.newest.get(key) ?? none
          if (now.version !== was.version || liveVersion(now) !== liveVersion(was)) return false
        }
        for (const [key, newest] of own) this.newest.set(key, newest)
        this.told.push(...told)
        return true
      }
    }
  }
}

const run = (steps: ReadonlyArray<Step>, storeOf: (writer: Writer) => StateStore) =>
  Effect.gen(function*() {
    const model = new Model()
    const begin = (writer: Writer) => Effect.map(storeOf(writer).makeView, (view) => ({ view, model: model.begin() }))
    const open = { first: yield* begin("first"), second: yield* begin("second") }
    for (const [index, { key, off, what, writer }] of steps.entries()) {
      const { shared } = storeOf(writer)
      const transaction = writer === "plain" ? undefined : open[writer]
      const expected = transaction?.model ?? model.begin()
      const inside = <A, E>(effect: Effect.Effect<A, E>) =>
        transaction === undefined ? effect : transaction.view.inside(effect)
      const now = expected.read(key)
      switch (what) {
        case "set": {
          const value = `"${index}"`
          const expectedVersion = liveVersion(now) + off
          const set = yield* Effect.either(inside(shared.set(key, value, expectedVersion, author(writer, index))))
          if (off === 0) assert.deepInclude(set, { _tag: "Right", right: expected.write(key, value) })
          else {
            assert.deepInclude(set, { _tag: "Left" })
            if (set._tag === "Left") {
              assert.deepInclude(set.left, {
                _tag: "VersionConflict",
                expectedVersion,
                actualVersion: liveVersion(now)
              })
            }
          }
          break
        }
        case "delete": {
          assert.strictEqual(yield* inside(shared.remove(key, author(writer, index))), now.value !== undefined)
          if (now.value !== undefined) expected.write(key, undefined)
          break
        }
        case "read": {
          const found = yield* inside(shared.get(key))
          assert.deepStrictEqual(
            found && { value: JSON.stringify(found.value), version: found.version },
            now.value === undefined ? undefined : { value: now.value, version: now.version }
          )
          const { entries } = yield* inside(shared.list(""))
          const live = keys.filter((one) => expected.read(one).value !== undefined)
          assert.deepStrictEqual(entries.map((entry) => entry.key), live)
          break
        }
        default: {
          if (writer === "plain" || transaction === undefined) break
          if (what === "roll back") yield* transaction.view.drop
          else {
            const committed = yield* Effect.either(transaction.view.commit(Effect.void))
            assert.strictEqual(committed._tag === "Right", expected.commit())
            if (committed._tag === "Left") assert.strictEqual(committed.left._tag, "VersionConflict")
          }
          open[writer] = yield* begin(writer)
        }
      }
      if (writer === "plain") assert.isTrue(expected.commit())
    }
    const { shared } = storeOf("plain")
    for (const key of keys) {
      const { value, version } = model.newest.get(key) ?? none
      const found = yield* shared.get(key)
      assert.deepStrictEqual(
        [found?.version ?? 0, found?.value],
        value === undefined ? [0, undefined] : [
          version,
          JSON.parse(value)
        ]
      )
    }
    return model.told
  })

const seen = ({ told }: StateStore) => told.map(({ deleted, key, version }) => ({ key, version, deleted }))

describe("two transactions and somebody who writes beside them", () => {
  it.effect(
    "come to what a model says that compares versions at the commit, and those are told who watch",
    () =>
      Effect.promise(() =>
        FastCheck.assert(
          FastCheck.asyncProperty(FastCheck.array(step, { maxLength: 60 }), (steps) =>
            Effect.gen(function*() {
              const store = yield* stateStore()
              const told = yield* run(steps, () => store)
              assert.deepStrictEqual(seen(store), told)
              const numbers = store.told.map(({ number }) => number)
              assert.deepStrictEqual(numbers, numbers.map((_, index) => index + 1))
            }).pipe(Effect.scoped, Effect.runPromise)),
          parameters(300)
        )
      ),
    300_000
  )

  it.effect("are as well on two gateways with one database", () =>
    Effect.promise(() =>
      FastCheck.assert(
        FastCheck.asyncProperty(FastCheck.array(step, { maxLength: 60 }), (steps) =>
          Effect.gen(function*() {
            const filename = yield* temporaryDatabase
            const one = yield* stateStore({ filename })
            const other = yield* stateStore({ filename })
            const told = yield* run(steps, (writer) => writer === "second" ? other : one)
            assert.sameDeepMembers([...seen(one), ...seen(other)], told)
            const numbers = [...one.told, ...other.told].map(({ number }) => number).sort((a, b) => a - b)
            assert.deepStrictEqual(numbers, numbers.map((_, index) => index + 1))
          }).pipe(Effect.scoped, Effect.runPromise)),
        parameters(60)
      )
    ), 300_000)
})
