import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import { parameters } from "../../support/runs.js"
import { author, outcome, type StateStore, stateStore } from "./stateSupport.js"

// Most is about one key, so that much happens to it.
const key = FastCheck.constantFrom("a", "a", "a", "a", "a", "ab", "é", "\uffee", "😀")
const agent = FastCheck.constantFrom("one", "one", "one", "two")
const prefix = FastCheck.constantFrom("", "a", "😀", "none")
const value = FastCheck.oneof(
  FastCheck.integer({ min: 0, max: 9 }),
  FastCheck.string({ minLength: 20, maxLength: 60, unit: "grapheme" })
).map((one) => JSON.stringify(one))

type Action = (store: StateStore, at: number) => Effect.Effect<unknown>

const named = <A>(name: string, made: FastCheck.Arbitrary<A>, run: (made: A) => Action) =>
  made.map((one) => Object.assign(run(one), { toString: () => `${name} ${JSON.stringify(one)}` }))

const write: FastCheck.Arbitrary<Action> = FastCheck.oneof(
  {
    weight: 4,
    arbitrary: named(
      "set",
      FastCheck.tuple(agent, key, value),
      ([agent, key, text]): Action => ({ persistent }, at) => outcome(persistent.set(key, text, author(agent, at)))
    )
  },
  named(
    "delete",
    FastCheck.tuple(agent, key),
    ([agent, key]): Action => ({ persistent }, at) => outcome(persistent.remove(agent, key, author(agent, at)))
  ),
  {
    weight: 4,
    arbitrary: named(
      "share",
      FastCheck.tuple(agent, key, value, FastCheck.integer({ min: -1, max: 1 })),
      ([agent, key, text, off]): Action => ({ shared }, at) =>
        outcome(
          Effect.flatMap(shared.get(key), (found) =>
            shared.set(key, text, Math.max((found?.version ?? 0) + (off === 1 ? 1 : 0), 0), author(agent, at)))
        )
    )
  },
  named(
    "unshare",
    FastCheck.tuple(agent, key),
    ([agent, key]): Action => ({ shared }, at) => outcome(shared.remove(key, author(agent, at)))
  )
)

const read: FastCheck.Arbitrary<Action> = FastCheck.oneof(
  named(
    "get",
    FastCheck.tuple(
      agent,
      key,
      FastCheck.option(
        FastCheck.oneof(FastCheck.integer({ min: 0, max: 4 }), FastCheck.integer({ min: 97, max: 110 })),
        {
          nil: undefined
        }
      )
    ),
    ([agent, key, version]): Action => ({ persistent }) => outcome(persistent.get(agent, key, version))
  ),
  named(
    "history",
    FastCheck.tuple(agent, key, FastCheck.option(FastCheck.integer({ min: 1, max: 5 }), { nil: undefined })),
    ([agent, key, limit]): Action => ({ persistent }) => outcome(persistent.history(agent, key, limit))
  ),
  named(
    "versions",
    FastCheck.tuple(agent, key),
    ([agent, key]): Action => ({ persistent }) => outcome(persistent.versions(agent, key))
  ),
  named(
    "list",
    FastCheck.tuple(agent, prefix, FastCheck.option(FastCheck.integer({ min: 0, max: 3 }), { nil: undefined })),
    ([agent, prefix, limit]): Action => ({ persistent }) => outcome(persistent.list(agent, prefix, limit))
  ),
  named(
    "query",
    FastCheck.tuple(agent, prefix),
    ([agent, prefix]): Action => ({ persistent }) => outcome(persistent.query(agent, prefix))
  ),
  named("used", agent, (agent): Action => ({ persistent }) => outcome(persistent.used(agent))),
  named("list shared", prefix, (prefix): Action => ({ shared }) => outcome(shared.list(prefix))),
  named("get shared", key, (key): Action => ({ shared }) => outcome(shared.get(key)))
)

const action = FastCheck.oneof({ weight: 2, arbitrary: write }, read)

/** Some actions, in a savepoint or not; those of a savepoint that is dropped happen in the view only. */
const part = FastCheck.record({
  actions: FastCheck.array(action, { minLength: 1, maxLength: 15 }),
  as: FastCheck.constantFrom("steps", "savepoint", "nested savepoint", "dropped savepoint")
})

// Small enough that they are met; a key with nearly as many versions as are kept is there from the start.
const limits = { quotaBytes: 700, maximumKeys: 4 }

const prepared = Effect.gen(function*() {
  const store = yield* stateStore({ persistentState: limits, sharedState: limits })
  for (let version = 1; version <= 98; version++) yield* store.persistent.set("a", "1", author("one"))
  return store
})

describe("a view of the state", () => {
  it.effect(
    "answers what the store would, and leaves in it what that would have been left",
    () =>
      Effect.promise(() =>
        FastCheck.assert(
          FastCheck.asyncProperty(
            FastCheck.array(write, { maxLength: 10 }),
            FastCheck.array(part, { maxLength: 6 }),
            (before, parts) =>
              Effect.gen(function*() {
                const plain = yield* prepared
                const viewed = yield* prepared
                for (const act of before) for (const store of [plain, viewed]) yield* act(store, 2)
                const tables = yield* viewed.tables
                plain.told.length = 0
                viewed.told.length = 0
                const view = yield* viewed.makeView
                let at = 10
                for (const { actions, as } of parts) {
                  const outer = as === "nested savepoint" ? view.nested() : view
                  const inner = as === "steps" ? view : outer.nested()
                  for (const act of actions) {
                    at++
                    const inView = yield* inner.inside(act(viewed, at))
                    if (as === "dropped savepoint") continue
                    assert.deepStrictEqual(inView, yield* act(plain, at), String(act))
                  }
                  if (as === "dropped savepoint") yield* inner.drop
                  else if (as !== "steps") yield* inner.merge
                  if (as === "nested savepoint") yield* outer.merge
                }
                assert.deepStrictEqual(yield* viewed.tables, tables)
                assert.deepStrictEqual(viewed.told, [])
                yield* view.commit(Effect.void)
                assert.deepStrictEqual(yield* viewed.tables, yield* plain.tables)
                assert.deepStrictEqual(viewed.told, plain.told)
              }).pipe(Effect.scoped, Effect.runPromise)
          ),
          parameters(300)
        )
      ),
    300_000
  )
})
