import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Chance from "../../scripts/fuzz/Chance.js"
import { mutatedText } from "../../scripts/fuzz/mutate.js"
import { run } from "../../scripts/fuzz/run.js"
import { type Making, Wrong } from "../../scripts/fuzz/Target.js"
import { targets } from "../../scripts/fuzz/targets.js"
import { fields, leaf, treeOf } from "../../scripts/fuzz/Tree.js"
import { runs } from "../support/runs.js"

const hangMillis = 10_000

describe("whatever is sent, nothing breaks", () => {
  const inputs: { readonly [target: string]: number } = {
    frames: 20_000,
    errors: 2000,
    methods: 5000,
    bodies: 3000,
    answers: 4000
  }

  it.live.each(targets)("to $name", (target) =>
    Effect.gen(function*() {
      const [report] = yield* run([target], {
        seed: 1,
        iterations: runs(inputs[target.name] ?? 1000),
        millis: Infinity,
        hangMillis
      })
      assert.isUndefined(report?.find, JSON.stringify(report?.find ?? "").slice(0, 3000))
    }), 120_000)
})

const deep = `${"[".repeat(9000)}${"]".repeat(9000)}`

/** Each input that was not handled well once, of its target. */
const found: ReadonlyArray<readonly [name: string, target: string, input: ReadonlyArray<string>]> = [
  [
    "an output that is nested deeper than the stack goes",
    "answers",
    ["read", "native", `{"jsonrpc":"2.0","id":"@id@","result":{"success":true,"data":{"content":${deep}}}}`]
  ],
  [
    "a list of tools that is nested deeper than the stack goes",
    "answers",
    ["list", "mcp", `{"jsonrpc":"2.0","id":"@id@","result":{"tools":${deep}}}`]
  ]
]

describe("what the fuzzer has found", () => {
  it.scopedLive.each(found)("%s", ([_, name, input]) =>
    Effect.gen(function*() {
      const { check, prepare } = yield* targets.find((target) => target.name === name)?.make ??
        Effect.dieMessage("there is no such target")
      yield* prepare
      yield* check(input)
    }))
})

describe("the fuzzer", () => {
  const wrongWhere = (isWrong: (text: string) => boolean): Making => ({
    name: "wrong",
    make: Effect.succeed({
      generate: (
        chance
      ) => [mutatedText(chance, [treeOf({ id: 1, params: { path: "a", deep: [1, 2, { b: 3 }] } })]), "{}"],
      prepare: Effect.void,
      check: ([text = ""]) => isWrong(text) ? Effect.fail(new Wrong({ message: "It is wrong" })) : Effect.void
    })
  })

  it.live("finds what is wrong, the same for the same seed, and makes it small", () =>
    Effect.gen(function*() {
      const limits = { seed: 7, iterations: 5000, millis: Infinity, hangMillis }
      const [[one], [other]] = yield* Effect.all([
        run([wrongWhere((text) => text.includes("polluted"))], limits),
        run([wrongWhere((text) => text.includes("polluted"))], limits)
      ])
      assert.isDefined(one?.find)
      assert.deepStrictEqual(one?.find, other?.find)
      assert.include(one?.find?.input[0], "polluted")
      assert.isBelow(one?.find?.input[0]?.length ?? 0, 80)
      assert.isAtMost(one?.find?.input.length ?? 0, 1)
    }))

  it.live("finds what throws, hangs, and logs an error", () =>
    Effect.gen(function*() {
      const limits = { seed: 1, iterations: 10, millis: Infinity, hangMillis: 50 }
      const messageOf = (check: () => Effect.Effect<void>) =>
        Effect.map(
          run([{ name: "bad", make: Effect.succeed({ generate: () => ["x"], prepare: Effect.void, check }) }], limits),
          ([report]) => report?.find?.message ?? ""
        )
      assert.include(yield* messageOf(() => Effect.die(new Error("thrown"))), "thrown")
      assert.include(
        yield* messageOf(() => {
          throw new Error("thrown at once")
        }),
        "thrown at once"
      )
      assert.include(yield* messageOf(() => Effect.never), "not done within 50 ms")
      assert.include(yield* messageOf(() => Effect.logError("told")), "told")
      assert.strictEqual(yield* messageOf(() => Effect.logWarning("told")), "")
    }))

  it("writes what no value becomes", () => {
    const chance = Chance.make(1, 1)
    const text = Array.from({ length: 2000 }, () => mutatedText(chance, [fields([["id", leaf("1")]])])).join("\n")
    for (const part of ["1e999", "\"__proto__\":", "\\ud800", "[[[[[[[["]) assert.include(text, part)
    assert.match(text, /\{"id":1,"id":/)
  })
})
