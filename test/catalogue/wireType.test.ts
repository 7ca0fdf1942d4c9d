import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import { wireTypeOf } from "../../src/catalogue/wireType.js"
import {
  DateTimeUtc,
  FilesystemPath,
  Float,
  Integer,
  Json,
  NonNegativeInteger,
  openEnumeration,
  Sha256,
  Url
} from "../../src/schema/primitives.js"

interface Tree {
  readonly children: ReadonlyArray<Tree>
}

const Tree: Schema.Schema<Tree> = Schema.Struct({ children: Schema.Array(Schema.suspend(() => Tree)) })

const cases: ReadonlyArray<readonly [string, Schema.Struct.Field, string]> = [
  ["text", Schema.String, "String"],
  ["a number", Schema.Number, "Number"],
  ["a truth value", Schema.Boolean, "Boolean"],
  ["an annotated path", FilesystemPath, "FilesystemPath"],
  ["an annotated transformation", DateTimeUtc, "DateTime"],
  ["an annotated refinement", Sha256, "SHA256"],
  ["a refinement of an annotated one", Integer.pipe(Schema.positive()), "Integer"],
  ["two refinements of one", NonNegativeInteger.pipe(Schema.lessThan(10), Schema.brand("Small")), "Integer"],
  ["a fraction", Float, "Float"],
  ["a whole number without annotation", Schema.Int.pipe(Schema.positive()), "Integer"],
  ["a number that text is decoded to", Schema.NumberFromString, "String"],
  ["a transformation to an annotated one", Schema.compose(Schema.Trim, Url), "URL"],
  ["an optional field", Schema.optional(FilesystemPath), "FilesystemPath"],
  ["an optional field with a default", Schema.optionalWith(Integer, { default: () => 1 }), "Integer"],
  ["a field that may be null", Schema.NullOr(DateTimeUtc), "DateTime"],
  ["an optional field that may be null", Schema.optionalWith(Sha256, { nullable: true }), "SHA256"],
  ["a field that may be null or undefined", Schema.NullishOr(Schema.Boolean), "Boolean"],
  ["an enumeration", Schema.Literal("a", "b"), "String"],
  ["an enumeration that may grow", openEnumeration("a", "b"), "String"],
  ["an enumeration of numbers", Schema.Literal(1, 2), "Integer"],
  ["whole or not", Schema.Union(Integer, Float), "Number"],
  ["this or that", Schema.Union(Schema.String, Schema.Boolean), "Object"],
  ["a list", Schema.Array(FilesystemPath), "Array"],
  ["an object", Schema.Struct({ a: Schema.String }), "Object"],
  ["a map", Schema.Record({ key: Schema.String, value: Integer }), "Object"],
  ["any JSON", Json, "Object"],
  ["anything", Schema.Unknown, "Object"],
  ["something recursive", Schema.suspend(() => Tree), "Object"]
]

describe("wireTypeOf", () => {
  it.each(cases)("%s", (_, field, expected) => {
    expect(wireTypeOf(field)).toBe(expected)
  })
})
