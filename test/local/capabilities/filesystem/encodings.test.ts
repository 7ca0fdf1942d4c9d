import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import { Buffer } from "node:buffer"
import {
  decode,
  encode,
  type Encoding,
  encodingOf,
  margin
} from "../../../../src/local/capabilities/filesystem/encodings.js"
import { fromSegments } from "../../../../src/local/workspace/pathForm.js"
import { parameters } from "../../../support/runs.js"

const path = fromSegments(["file"])

const decodePart = (file: Uint8Array, start: number, end: number, encoding: Encoding) => {
  const offset = Math.max(0, start - margin(encoding))
  return decode(path, { bytes: file.subarray(offset, end + margin(encoding)), start, end, offset }, encoding)
}

const decodeWhole = (bytes: ReadonlyArray<number>, encoding: Encoding) =>
  decodePart(Uint8Array.from(bytes), 0, bytes.length, encoding)

const wellFormed = FastCheck.array(
  FastCheck.oneof(
    FastCheck.string({ unit: "grapheme" }),
    FastCheck.constantFrom("\ufeff", "\u{1f600}", "\u{10ffff}", "é", "日")
  )
).map((parts) => parts.join("")).filter((text) => !/\p{Surrogate}/u.test(text))

describe("encodings", () => {
  it.effect("have names in upper and lower case", () =>
    Effect.gen(function*() {
      const names = ["UTF-8", "utf8", "utf-16LE", "Latin1", "iso-8859-1", "ASCII", "binary", "base64"]
      assert.deepStrictEqual(yield* Effect.forEach(names, encodingOf), [
        "utf-8",
        "utf-8",
        "utf-16le",
        "latin1",
        "latin1",
        "ascii",
        "binary",
        "binary"
      ])
      const failure = yield* Effect.flip(encodingOf("klingon"))
      assert.strictEqual(failure.field, "encoding")
    }))

  it.effect("write what they have bytes for, and refuse the rest", () =>
    Effect.gen(function*() {
      const good: ReadonlyArray<readonly [Encoding, string, ReadonlyArray<number>]> = [
        ["utf-8", "é\ufeff", [0xc3, 0xa9, 0xef, 0xbb, 0xbf]],
        ["utf-16le", "a😀", [0x61, 0, 0x3d, 0xd8, 0, 0xde]],
        ["latin1", "é", [0xe9]],
        ["ascii", "a~", [0x61, 0x7e]],
        ["binary", "/+8=", [0xff, 0xef]],
        ["binary", "aGVs\r\nbG8=", [0x68, 0x65, 0x6c, 0x6c, 0x6f]],
        ["binary", "", []]
      ]
      for (const [encoding, content, bytes] of good) {
        assert.deepStrictEqual([...(yield* encode(content, encoding))], bytes)
      }
      const bad: ReadonlyArray<readonly [Encoding, string]> = [
        ["utf-8", "\ud800"],
        ["utf-16le", "\udc00a"],
        ["latin1", "日"],
        ["ascii", "é"],
        ["binary", "a"],
        ["binary", "aGVsbG8"],
        ["binary", "aGVs*G8="],
        ["binary", "=aGV"],
        ["binary", "aG==VsbG8="],
        ["binary", "_-8="]
      ]
      for (const [encoding, content] of bad) {
        const failure = yield* Effect.flip(encode(content, encoding))
        assert.strictEqual(failure.field, "content", `${encoding} ${content}`)
      }
    }))

  it.effect("read what is text in them, and refuse the rest", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* decodeWhole([0xef, 0xbb, 0xbf, 0x61], "utf-8"), "\ufeffa")
      assert.strictEqual(yield* decodeWhole([0xe9], "latin1"), "é")
      assert.strictEqual(yield* decodeWhole([0xff, 0xef], "binary"), "/+8=")
      const bad: ReadonlyArray<readonly [Encoding, ReadonlyArray<number>]> = [
        ["utf-8", [0xff]],
        ["utf-8", [0x61, 0x80]],
        ["utf-8", [0x61, 0xc3]],
        ["utf-8", [0xc0, 0x80]],
        ["utf-8", [0xed, 0xa0, 0x80]],
        ["utf-16le", [0x61]],
        ["utf-16le", [0x00, 0xd8]],
        ["utf-16le", [0x00, 0xdc]],
        ["ascii", [0x80]]
      ]
      for (const [encoding, bytes] of bad) {
        const failure = yield* Effect.flip(decodeWhole(bytes, encoding))
        assert.strictEqual(failure._tag, "EncodingError", `${encoding} ${bytes.join(" ")}`)
        assert.strictEqual(failure.encoding, encoding)
      }
    }))

  it.effect("refuse bytes of no text inside a part", () =>
    Effect.gen(function*() {
      const file = Uint8Array.from([0x61, 0x80, 0x80, 0x80, 0x80, 0x80, 0x62])
      for (const [start, end] of [[1, 3], [2, 5], [3, 7], [5, 6]] as const) {
        assert.strictEqual((yield* Effect.flip(decodePart(file, start, end, "utf-8")))._tag, "EncodingError")
      }
    }))

  it.effect("return what was written", () =>
    Effect.promise(() =>
      FastCheck.assert(
        FastCheck.asyncProperty(wellFormed, FastCheck.constantFrom<Encoding>("utf-8", "utf-16le"), (text, encoding) =>
          Effect.runPromise(Effect.gen(function*() {
            const bytes = yield* encode(text, encoding)
            assert.strictEqual(yield* decodePart(bytes, 0, bytes.length, encoding), text)
          }))),
        parameters(500)
      )
    ))

  it.effect("give the whole text in parts of any length, each character once", () =>
    Effect.promise(() =>
      FastCheck.assert(
        FastCheck.asyncProperty(
          wellFormed,
          FastCheck.constantFrom<Encoding>("utf-8", "utf-16le", "latin1"),
          FastCheck.integer({ min: 1, max: 7 }),
          (text, encoding, length) =>
            Effect.runPromise(Effect.gen(function*() {
              const bytes = encoding === "latin1" ? Buffer.from(text) : yield* encode(text, encoding)
              const whole = yield* decodePart(bytes, 0, bytes.length, encoding)
              let parts = ""
              for (let start = 0; start < bytes.length; start += length) {
                parts += yield* decodePart(bytes, start, Math.min(start + length, bytes.length), encoding)
              }
              assert.strictEqual(parts, whole)
            }))
        ),
        parameters(1000)
      )
    ))
})
