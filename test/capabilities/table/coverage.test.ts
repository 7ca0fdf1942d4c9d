import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { builtIn } from "../../../src/catalogue/builtIn.js"
import { gaps } from "./gaps.js"
import { neverGiven } from "./neverGiven.js"
import { rows, tables } from "./tables.js"
import { Shared } from "./World.js"

// What is not carried out says so before it looks at its arguments.
const isCarriedOut = (name: string) =>
  Effect.flatMap(Shared, ({ invokeDynamic }) =>
    Effect.map(
      Effect.flip(invokeDynamic(name, { no_such_argument: true })),
      (error) => error._tag !== "ServiceUnavailable"
    ))

layer(Shared.layer, { excludeTestServices: true })((test) => {
  test.effect("every capability that is carried out has rows, and each of its errors a row or a reason", () =>
    Effect.gen(function*() {
      const notCarriedOut = yield* Effect.filter(Object.keys(builtIn), isCarriedOut, { negate: true })
      assert.isNotEmpty(notCarriedOut)
      assert.deepStrictEqual(gaps(builtIn, new Set(notCarriedOut), rows, neverGiven), [])
    }))
})

it("every table is run", () => {
  const files = fs.readdirSync(new URL(".", import.meta.url)).filter((name) => name.endsWith(".test.ts"))
  for (const name of Object.keys(tables)) assert.include(files, `${name}.test.ts`)
})

describe("the comparison with the catalogue finds", () => {
  const { "process.kill": kill, "slack.read": read } = builtIn
  const catalogue = { "process.kill": kill, "slack.read": read }
  const notCarriedOut = new Set(["slack.read"])
  const row = () => Effect.void
  const failure = () => Effect.succeed({ error: undefined, fields: {} })
  const errors = { ProcessNotFound: failure, ProcessAlreadyExited: failure, KillFailed: failure }
  const whole = { "process.kill": { success: row, errors } }

  it("nothing where all is there", () => {
    assert.deepStrictEqual(gaps(catalogue, notCarriedOut, whole, {}), [])
    const { KillFailed: _, ...others } = errors
    const excused = { "process.kill": { success: row, errors: others } }
    assert.deepStrictEqual(gaps(catalogue, notCarriedOut, excused, { "process.kill": { KillFailed: "why" } }), [])
  })

  it("what is missing", () => {
    assert.deepStrictEqual(gaps(catalogue, notCarriedOut, {}, {}), ["process.kill: no rows"])
    const lacking = { "process.kill": { success: row, errors: { ProcessNotFound: failure } } }
    assert.deepStrictEqual(gaps(catalogue, notCarriedOut, lacking, { "process.kill": { KillFailed: " " } }), [
      "process.kill KillFailed: no row, and no reason",
      "process.kill ProcessAlreadyExited: no row"
    ])
  })

  it("what is too much", () => {
    const more = { ...whole, "slack.read": { success: row, errors: {} }, "no.such": { success: row, errors: {} } }
    const reasons = { "process.kill": { KillFailed: "why", Other: "why" } }
    assert.deepStrictEqual(gaps(catalogue, notCarriedOut, more, reasons), [
      "no.such: not in the catalogue",
      "process.kill KillFailed: has a row, and a reason why it has none",
      "process.kill Other: not in the catalogue",
      "slack.read: not carried out, and has rows or reasons"
    ])
  })
})
