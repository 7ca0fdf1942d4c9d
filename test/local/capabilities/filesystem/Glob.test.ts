import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import picomatch from "picomatch"
import { makeGlob, parseGlob } from "../../../../src/local/capabilities/filesystem/Glob.js"
import { parameters } from "../../../support/runs.js"

const matches = (glob: string, path: string): boolean => Either.getOrThrow(parseGlob(glob)).matches(path)

const reasonOf = (glob: string): string =>
  Either.match(parseGlob(glob), { onLeft: (reason) => reason, onRight: () => "" })

describe("a glob", () => {
  it("without a slash is compared with base names at any depth", () => {
    assert.isTrue(matches("*.ts", "a.ts"))
    assert.isTrue(matches("*.ts", "src/deep/a.ts"))
    assert.isFalse(matches("*.ts", "a.tsx"))
    assert.isFalse(matches("src", "src/a"))
    assert.isTrue(matches("**", "src/a"))
  })

  it("with a slash is compared with the path from the directory that is searched", () => {
    assert.isTrue(matches("src/*.ts", "src/a.ts"))
    assert.isFalse(matches("src/*.ts", "src/deep/a.ts"))
    assert.isFalse(matches("src/*.ts", "other/src/a.ts"))
    assert.isTrue(matches("./src/*.ts", "src/a.ts"))
    assert.isTrue(matches("src/**/*.ts", "src/a.ts"))
    assert.isTrue(matches("src/**/*.ts", "src/very/deep/a.ts"))
    assert.isTrue(matches("src/**", "src/very/deep/a.ts"))
    assert.isFalse(matches("src/**", "src"))
    assert.isTrue(matches("{src/**,*.md}", "docs/a.md"))
    assert.isTrue(matches("{src/**,*.md}", "src/a/b.ts"))
  })

  it("takes what is no wildcard as it is", () => {
    assert.isTrue(matches("a+(1).[t]xt", "a+(1).txt"))
    assert.isFalse(matches("a.c", "abc"))
    assert.isTrue(matches("\\*", "*"))
    assert.isFalse(matches("\\*", "a"))
    assert.isTrue(matches("{a}", "{a}"))
    assert.isTrue(matches("!a", "!a"))
    assert.isTrue(matches("a{,b}", "a"))
    assert.isTrue(matches("grün?😀", "grün日😀"))
    assert.isTrue(matches("[!a-c]x", "dx"))
    assert.isFalse(matches("[!a-c]x", "bx"))
    assert.isFalse(matches("a[!b]c", "a/c"))
    assert.isFalse(matches("a[+-9]c", "a/c"))
    assert.isTrue(matches("a[+-9]c", "a7c"))
    assert.isTrue(matches("[]-]", "]"))
    assert.isTrue(matches("[{]*", "{x"))
  })

  it("that makes no sense is refused with the reason", () => {
    assert.match(reasonOf(""), /empty/)
    assert.match(reasonOf("a".repeat(1_001)), /1000 characters/)
    assert.match(reasonOf("/workspace/*.ts"), /starts with a slash/)
    assert.match(reasonOf("src/"), /ends with a slash/)
    assert.match(reasonOf("a/../../b"), /leads out/)
    assert.match(reasonOf("{a,b"), /no }/)
    assert.match(reasonOf("a["), /no \]/)
    assert.match(reasonOf("[b-a]"), /backwards/)
    assert.match(reasonOf("[[:alpha:]]"), /named classes/)
    assert.match(reasonOf("{1..3}"), /ranges/)
    assert.match(reasonOf("a\\"), /ends in a/)
  })

  it("with too many alternatives or levels is refused", () => {
    const list = (count: number) => `{${Array.from({ length: count }, (_, index) => `a${index}`).join(",")}}`
    assert.isTrue(matches(list(32), "a31"))
    assert.match(reasonOf(list(33)), /32 alternatives/)
    assert.isTrue(matches("{a,b}".repeat(5), "ababb"))
    assert.match(reasonOf("{a,b}".repeat(100)), /32 alternatives/)
    assert.match(reasonOf("{".repeat(40) + "a" + "}".repeat(40)), /nested/)
    assert.match(reasonOf("{".repeat(900)), /nested/)
  })

  it("that is hostile takes no time", () => {
    assert.isFalse(matches("*a".repeat(100) + "b", "a".repeat(255)))
    assert.isFalse(matches("**/a/".repeat(100) + "b", "a/".repeat(2_000) + "c"))
    assert.isFalse(matches("{*a*a*a*a,*a*a*a*a*b}".repeat(4) + "c", "a".repeat(255)))
  })

  it.effect("is an InvalidPattern where it is refused", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(makeGlob("{a"))
      assert.strictEqual(error._tag, "InvalidPattern")
      assert.strictEqual(error.pattern, "{a")
    }))

  it("matches what picomatch matches", () => {
    const piece = FastCheck.constantFrom("a", "b", ".", "*", "?", "[ab]", "[^a]", "{a,b}", "{a*,?b}", "ab")
    const name = FastCheck.array(piece, { minLength: 1, maxLength: 3 }).map((pieces) => pieces.join(""))
      .filter((text) => !text.includes("**") && text !== "." && text !== "..")
    const glob = FastCheck.tuple(
      FastCheck.array(FastCheck.oneof(name, FastCheck.constant("**")), { maxLength: 3 }),
      name
    )
      .map(([names, last]) => [...names, last].join("/"))
      .filter((text) => text.split("{").length <= 6)
    const path = FastCheck.array(FastCheck.constantFrom("a", "b", "ab", "ba", ".a", "a.b", "abab"), {
      minLength: 1,
      maxLength: 4
    }).map((names) => names.join("/"))
    FastCheck.assert(
      FastCheck.property(glob, path, (text, candidate) => {
        const expected = picomatch(text, { dot: true, basename: !text.includes("/") })(candidate)
        assert.strictEqual(matches(text, candidate), expected, `${text} for ${candidate}`)
      }),
      parameters(10_000)
    )
  })
})
