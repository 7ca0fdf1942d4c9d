import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import { execFileSync } from "node:child_process"
import { hoistBuiltInOptions } from "../../src/cli/builtInOptions.js"
import { layOut } from "../../src/cli/help.js"
import { loadLocal } from "../../src/cli/loadLocal.js"
import { parseDuration } from "../../src/cli/options.js"
import { oneLine, printable, shellQuoted, table } from "../../src/cli/text.js"
import { parameters } from "../support/runs.js"

describe("text for a terminal", () => {
  it("shows control characters instead of obeying them", () => {
    assert.strictEqual(printable("a\u001b[2Jb\u0007\tc\nd\u009be"), "a\\x1b[2Jb\\x07\tc\nd\\x9be")
    assert.strictEqual(oneLine(" a\r\n b\u001b "), "a b\\x1b")
    FastCheck.assert(
      FastCheck.property(FastCheck.string({ unit: "binary" }), (text) => {
        for (const character of oneLine(text)) {
          const code = character.codePointAt(0) ?? 0
          assert.isTrue(code >= 32 && !(code >= 127 && code < 160))
        }
      }),
      parameters(1000)
    )
  })

  it("lines columns up", () => {
    assert.deepStrictEqual(table([["a", "bb", "c c"], ["aaa", "", "d"], ["a", "b", ""]]), [
      "a    bb  c c",
      "aaa      d",
      "a    b"
    ])
    assert.deepStrictEqual(table([]), [])
  })

  it("quotes a word so that a shell reads it back", () => {
    const words = ["plain/path.ts", "", "it's", "$HOME `x` \"y\" \\ !", "{\"a\":\"b c\"}", "a\nb", "*"]
    const read = execFileSync("sh", ["-c", `printf '%s\\0' ${words.map(shellQuoted).join(" ")}`], { encoding: "utf8" })
    assert.deepStrictEqual(read.split("\0").slice(0, -1), words)
  })
})

describe("the arguments", () => {
  it("reads durations", () => {
    const millis = (text: string) => Option.getOrUndefined(Option.map(parseDuration(text), Duration.toMillis))
    assert.deepStrictEqual(["500ms", "30s", "1.5m", "1h", "20", " 2s "].map(millis), [
      500,
      30_000,
      90_000,
      3_600_000,
      20_000,
      2000
    ])
    for (const text of ["", "s", "-1s", "1 year", "1e3", "toString", "Infinity"]) assert.isUndefined(millis(text), text)
  })

  it("moves the parser's own options to where the parser knows them", () => {
    const hoisted = (...given: ReadonlyArray<string>) => hoistBuiltInOptions(["node", "kruxos", ...given]).slice(2)
    assert.deepStrictEqual(hoisted("gateway", "--workspace", "w", "--help"), ["gateway", "--help", "--workspace", "w"])
    assert.deepStrictEqual(
      hoisted("agent", "create", "--name", "n", "--log-level", "debug", "--json"),
      ["agent", "create", "--log-level", "debug", "--name", "n", "--json"]
    )
    assert.deepStrictEqual(
      hoisted("capabilities", "--json", "--log-level=none"),
      ["capabilities", "--log-level=none", "--json"]
    )
    assert.deepStrictEqual(hoisted("invoke", "a.b", "--json", "--", "--help"), [
      "invoke",
      "a.b",
      "--json",
      "--",
      "--help"
    ])
    assert.deepStrictEqual(hoisted("--version"), ["--version"])
    assert.deepStrictEqual(hoisted("invoke", "a.b", "-"), ["invoke", "a.b", "-"])
    assert.deepStrictEqual(hoisted(), [])
  })
})

describe("help", () => {
  it("has no blank lines but before a title, and no boilerplate", () => {
    const help = "\u001b[1mkruxos\n\n\u001b[0mUSAGE\n\n$ create --name\n\nCOMMANDS\n\n  - list [--json]    Lists.\n\n"
      + "--json\n\n  A true or false value.\n\n  As JSON.\n\n  This setting is optional.\n\n"
    assert.strictEqual(
      layOut(help, ["agent", "create", "--help"]),
      "\u001b[0mUSAGE\n$ kruxos agent create --name\n\nCOMMANDS\n  list [--json]\n      Lists.\n--json\n  As JSON."
    )
  })
})

describe("the local gateway", () => {
  it.effect("is explained where a dependency of it is not installed", () =>
    Effect.gen(function*() {
      const missing = "kruxos-package-that-nobody-has"
      const loaded = yield* Effect.either(loadLocal(() => import(/* @vite-ignore */ missing)))
      assert.isTrue(Either.isLeft(loaded))
      if (Either.isLeft(loaded)) {
        assert.strictEqual(loaded.left.exitCode, 1)
        assert.match(
          loaded.left.message,
          /^The local gateway cannot be loaded: run `npm install kruxos` without --omit/
        )
        assert.include(loaded.left.message, missing)
      }
    }))
})
