import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import { Buffer } from "node:buffer"
import { make, redacted } from "../../../src/local/vault/scrub.js"
import { within } from "../../support/deadline.js"
import { runs } from "../../support/runs.js"

const value = "s3cr+t/\"Käse\" \\ & 100%<x>"

const { bytes: scrubBytes, short: text, text: scrubText } = make([value])

const bytes = (given: Uint8Array) => Effect.runSync(scrubBytes(given))

const json = (input: string) => JSON.stringify(input).slice(1, -1)

const html = (input: string) =>
  input.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("\"", "&quot;")

const everyByte = (input: string, form: (byte: number) => string) => Array.from(Buffer.from(input), form).join("")

const spellings: { readonly [name: string]: string } = {
  "as it is": value,
  "in a URL": encodeURIComponent(value),
  "in a form": new URLSearchParams([["a", value]]).toString().slice(2),
  "in a URL, all of it": everyByte(value, (byte) => `%${byte.toString(16).padStart(2, "0")}`),
  "in a URL in a URL": encodeURIComponent(encodeURIComponent(value)),
  "in JSON": json(value),
  "in JSON with escaped slashes": json(value).replaceAll("/", "\\/"),
  "in JSON of ASCII": json(value).replaceAll("ä", "\\u00E4").replaceAll("&", "\\u0026").replaceAll("<", "\\u003c"),
  "in JSON in JSON": json(json(value)),
  "in HTML": html(value),
  "in HTML by numbers": Array.from(value, (one) => `&#${one.codePointAt(0)};`).join(""),
  "in HTML by hexadecimal numbers": Array.from(value, (one) => `&#x${one.codePointAt(0)?.toString(16)};`).join(""),
  "in JSON in a URL": encodeURIComponent(json(value)),
  "in capital letters": value.toUpperCase().replaceAll("Ä", "ä"),
  "in hexadecimal": Buffer.from(value).toString("hex"),
  "in capital hexadecimal": Buffer.from(value).toString("hex").toUpperCase(),
  "in base64": Buffer.from(value).toString("base64"),
  "in base64 for URLs": Buffer.from(value).toString("base64url"),
  "in base64 in a URL": encodeURIComponent(Buffer.from(value).toString("base64")),
  "in base64 on lines": Buffer.from(value).toString("base64").replaceAll(/.{8}/g, "$&\r\n"),
  "in base64 on lines in JSON": json(Buffer.from(value).toString("base64").replaceAll(/.{8}/g, "$&\n"))
}

describe("what a host answers", () => {
  it.each(Object.entries(spellings))("is without the secret %s", (_name, spelling) => {
    assert.strictEqual(text(`before: ${spelling}; after`), `before: ${redacted}; after`)
    assert.strictEqual(Buffer.from(bytes(Buffer.from(spelling))).toString(), redacted)
  })

  it("is without the secret in base64 of something longer, wherever it begins", () => {
    const forms = [value, ...base64Forms()]
    for (const before of ["", "a", "ab", "abc", "user:", "Bearer "]) {
      for (const after of ["", "!", "!!", "!!!"]) {
        const found = text(`x ${Buffer.from(`${before}${value}${after}`).toString("base64")} y`)
        assert.include(found, redacted)
        for (const form of forms) assert.notInclude(found, form)
      }
    }
  })

  it("is without the secret in UTF-16", () => {
    const little = Buffer.from(`<${value}>`, "utf16le")
    for (const wide of [little, Buffer.from(little).swap16()]) {
      assert.include(Buffer.from(bytes(wide)).toString("latin1"), redacted)
    }
  })

  it("is without the name and the password that a secret has in base64", () => {
    const basic = make([Buffer.from("alice:correct horse").toString("base64")])
    assert.strictEqual(basic.short("{\"password\":\"correct horse\"}"), `{"password":"${redacted}"}`)
    assert.strictEqual(basic.short("alice:correct horse."), `${redacted}.`)
  })

  it.each(["\\", "\\u", "\\u0", "\\u00", "\\u000", "%", "%2", "&", "&#", "\\\\u00", "%252", "&amp;#3", "\\u0026#3"])(
    "is without the secret behind %s, which its first characters end as an escape",
    (before) => {
      for (const secret of ["n\"ab\\cd/", "c%zNj\"\n \u00e9", "cafe\"%<", "1234567;%\"\\", "amp;& <%\""]) {
        const spelled = [
          secret,
          json(secret),
          html(secret),
          encodeURIComponent(secret),
          json(json(secret)),
          Buffer.from(secret).toString("hex").replaceAll(/.{4}/g, "$&\\n"),
          Buffer.from(secret).toString("base64").replaceAll(/.{2}/g, "$&\\r\\n")
        ]
        const scrub = make([secret]).short
        for (const spelling of spelled) assert.notInclude(scrub(`x ${before}${spelling} y`), spelling)
      }
    }
  )

  it("is otherwise as it was, to the byte", () => {
    const other = Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 7919) % 256))
    assert.strictEqual(bytes(other), other)
    for (const plain of ["", "s3cr+t", "%", "\\u12", "&#;", "\\ud800", "100%25 \\\\ &amp;", "\uD800 lone"]) {
      assert.strictEqual(text(plain), plain)
    }
  })

  it("is scrubbed of every occurrence, also of those that overlap", () => {
    const repeated = make(["abababab"])
    assert.strictEqual(repeated.short("x abababab y ababababab z"), `x ${redacted} y ${redacted} z`)
    const two = make(["first-secret", "secret-second"])
    assert.strictEqual(two.short("first-secret-second"), redacted)
  })

  it.live("takes a time that grows with its length alone, and lets others run meanwhile", () =>
    Effect.gen(function*() {
      const size = 1024 * 1024
      for (const piece of ["%", "&#", "\\u0041", "%2525", "a b", "s3cr+"]) {
        const whole = piece.repeat(Math.ceil(size / piece.length))
        let turns = 0
        const counting = yield* Effect.fork(
          Effect.forever(Effect.zipRight(Effect.sync(() => turns++), Effect.sleep(0)))
        )
        assert.strictEqual(yield* within(piece, "10 seconds")(scrubText(`${whole}${value}`)), `${whole}${redacted}`)
        yield* Fiber.interrupt(counting)
        assert.isAbove(turns, 2)
      }
    }), { timeout: 60_000 })

  it("holds no secret after scrubbing, in any mixture of spellings", () => {
    const mixed = FastCheck.array(
      FastCheck.oneof(
        FastCheck.constantFrom(...Object.values(spellings)),
        FastCheck.string({ maxLength: 8 }),
        FastCheck.constantFrom("%", "\\", "&", "\\u00", "%2", "\"", " ", "\n")
      ),
      { maxLength: 8 }
    )
    FastCheck.assert(
      FastCheck.property(mixed, (pieces) => {
        const found = text(pieces.join(""))
        for (const spelling of Object.values(spellings)) assert.notInclude(found, spelling)
      }),
      { numRuns: runs(1000) }
    )
  })

  it("is without any secret, whatever that is", () => {
    const anything = FastCheck.string({ minLength: 8, maxLength: 64, unit: "binary" })
    FastCheck.assert(
      FastCheck.property(anything, (secret) => {
        const scrub = make([secret]).short
        const base64 = Buffer.from(secret).toString("base64").replaceAll("=", "")
        for (const spelling of [secret, encodeURIComponent(secret), json(secret), base64]) {
          assert.notInclude(scrub(`a ${spelling} b`), spelling)
        }
      }),
      { numRuns: runs(1000) }
    )
  })
})

function base64Forms(): ReadonlyArray<string> {
  const plain = Buffer.from(value)
  // What does not depend on what is beside it.
  return [0, 1, 2].map((before) =>
    Buffer.concat([Buffer.alloc(before), plain]).toString("base64").slice(
      Math.ceil(before * 8 / 6),
      Math.floor((before + plain.length) * 8 / 6)
    )
  )
}
