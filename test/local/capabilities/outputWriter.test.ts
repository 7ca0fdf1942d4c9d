import * as Arbitrary from "effect/Arbitrary"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { assert, describe, it } from "vitest"
import { outputWriter } from "../../../src/local/capabilities/outputWriter.js"
import { DateTimeUtc, Integer, Sha256 } from "../../../src/schema/primitives.js"
import { entries } from "../../catalogue/entries.js"
import { parameters } from "../../support/runs.js"

type AnySchema = Schema.Schema.AnyNoContext

const written = (schema: AnySchema, output: unknown) => Effect.runSync(Effect.either(outputWriter(schema)(output)))

/** Writes as Schema does, or fails as it does. */
const assertSame = (schema: AnySchema, output: unknown) => {
  const bySchema = Schema.encodeEither(schema)(output)
  const quick = written(schema, output)
  if (Either.isLeft(bySchema)) {
    assert.strictEqual(Either.isLeft(quick) ? quick.left.message : "written", bySchema.left.message)
  } else {
    assert.deepStrictEqual(quick, bySchema)
  }
}

const now = DateTime.unsafeMake(1_700_000_000_000)

const Output = Schema.Struct({
  size: Integer,
  modified: Schema.optional(DateTimeUtc),
  parts: Schema.Array(Schema.Struct({ at: DateTimeUtc, digest: Schema.NullOr(Sha256) }))
})

describe("the writer of outputs", () => {
  it("writes what Schema writes, of every capability", () => {
    assert.isNotEmpty(entries)
    for (const { capability } of entries) {
      const output = Arbitrary.make(capability.outputSchema)
      FastCheck.assert(
        FastCheck.property(output, (value) => assertSame(capability.outputSchema, value)),
        parameters(100)
      )
    }
  })

  it("leaves out what the schema does not know, at every depth", () => {
    const part = { at: now, digest: null, secret: 1 }
    const output = { size: 1, modified: undefined, parts: [part], secret: 1 }
    assertSame(Output, output)
    assert.deepStrictEqual(
      written(Output, output),
      Either.right({
        size: 1,
        modified: undefined,
        parts: [{ at: "2023-11-14T22:13:20.000Z", digest: null }]
      })
    )
  })

  it("fails as Schema does where a handler gave something else", () => {
    const part = { at: now, digest: null }
    for (
      const output of [
        undefined,
        null,
        [],
        {},
        { size: 1.5, parts: [] },
        { size: "1", parts: [] },
        { size: 1 },
        { size: 1, parts: {} },
        { size: 1, parts: [part, { ...part, at: "2023-11-14T22:13:20.000Z" }] },
        { size: 1, parts: [{ ...part, digest: "0" }] },
        { size: 1, parts: [], modified: null }
      ]
    ) {
      assert.isTrue(Either.isLeft(written(Output, output)), JSON.stringify(output))
      assertSame(Output, output)
    }
  })

  it("leaves to Schema what only Schema can tell", () => {
    const schema = Schema.Struct({ any: Schema.Record({ key: Schema.String, value: DateTimeUtc }) })
    assertSame(schema, { any: { at: now } })
    assert.isTrue(Either.isRight(written(schema, { any: { at: now } })))
  })
})
