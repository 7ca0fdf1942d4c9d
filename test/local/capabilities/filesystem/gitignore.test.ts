import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import { execFileSync, spawnSync } from "node:child_process"
import { ignoredBy, parseIgnoreRules } from "../../../../src/local/capabilities/filesystem/gitignore.js"
import { parameters } from "../../../support/runs.js"
import { temporaryDirectory } from "../../workspace/support.js"
import { writeTree } from "./tree.js"

const decide = (text: string, path: string): boolean | undefined =>
  ignoredBy(parseIgnoreRules(text), path.replace(/\/$/, ""), path.endsWith("/"))

describe("a .gitignore file", () => {
  it("covers names at any depth, and paths from its directory", () => {
    assert.isTrue(decide("*.log", "a.log"))
    assert.isTrue(decide("*.log", "deep/a.log"))
    assert.isTrue(decide("/a.log", "a.log"))
    assert.isUndefined(decide("/a.log", "deep/a.log"))
    assert.isTrue(decide("deep/a.log", "deep/a.log"))
    assert.isUndefined(decide("deep/a.log", "very/deep/a.log"))
    assert.isTrue(decide("**/deep/a.log", "very/deep/a.log"))
    assert.isTrue(decide("a/**/b", "a/b"))
    assert.isTrue(decide("a/**/b", "a/x/y/b"))
    assert.isTrue(decide("a/**", "a/x/y"))
    assert.isUndefined(decide("a/**", "a/"))
  })

  it("covers only directories with a slash at the end", () => {
    assert.isTrue(decide("build/", "build/"))
    assert.isTrue(decide("build/", "deep/build/"))
    assert.isUndefined(decide("build/", "build"))
    assert.isTrue(decide("/build/", "build/"))
    assert.isUndefined(decide("/build/", "deep/build/"))
  })

  it("lets the last rule decide", () => {
    assert.isFalse(decide("*.log\n!keep.log", "keep.log"))
    assert.isTrue(decide("!keep.log\n*.log", "keep.log"))
    assert.isTrue(decide("*.log\n!keep.log", "other.log"))
  })

  it("has comments, blank lines, escapes and Windows line ends", () => {
    assert.isUndefined(decide("# a\n\n   \n", "a"))
    assert.isTrue(decide("\\#a", "#a"))
    assert.isTrue(decide("\\!a", "!a"))
    assert.isTrue(decide("a  ", "a"))
    assert.isTrue(decide("a\\ ", "a "))
    assert.isUndefined(decide("a\\ ", "a"))
    assert.isTrue(decide("a\\\\ ", "a\\"))
    assert.isTrue(decide("a\r\nb\r\n", "b"))
    assert.isTrue(decide("{a,b}", "{a,b}"))
    assert.isUndefined(decide("{a,b}", "a"))
    assert.isTrue(decide("[a-c]?", "bx"))
  })

  it("leaves out what makes no sense, and goes on", () => {
    assert.isTrue(decide("[\n/\n!\na\\\nb", "b"))
    assert.isUndefined(decide("[\n/\n!\na\\", "a"))
  })

  it.scopedLive.skipIf(spawnSync("git", ["--version"]).status !== 0)(
    "means what it means to git",
    () =>
      Effect.gen(function*() {
        const folder = yield* temporaryDirectory
        const paths = ["a/a/a", "a/a b/a", "b/a/b", "a/b ", "ab/a/ab", "a b/a", "b /b"]
        writeTree(folder, Object.fromEntries(paths.map((path) => [path, ""])))
        execFileSync("git", ["init", "-q", folder])

        const ignoredByGit = (rules: string): ReadonlyArray<string> => {
          writeTree(folder, { ".gitignore": rules })
          const { stdout } = spawnSync("git", ["-C", folder, "check-ignore", "--no-index", "-z", "--stdin"], {
            input: paths.join("\0"),
            encoding: "utf8"
          })
          return stdout.split("\0").filter((path) => path !== "")
        }
        const isIgnored = (rules: string, path: string): boolean => {
          const names = path.split("/")
          const above = names.slice(1).map((_, depth) => names.slice(0, depth + 1).join("/"))
          return above.some((directory) => decide(rules, `${directory}/`) === true) || decide(rules, path) === true
        }

        const piece = FastCheck.constantFrom("a", "b", "*", "?", "[ab]", "[!a]", " ", "\\ ", "/", "/**/", "ab")
        const line = FastCheck.tuple(
          FastCheck.constantFrom("", "!"),
          FastCheck.array(piece, { minLength: 1, maxLength: 4 }),
          FastCheck.constantFrom("", "/")
        ).map((parts) => parts.flat().join(""))
          // What ** means within a name differs between versions of git.
          .filter((text) => !/[^/!]\*\*|\*\*[^/]/.test(text))
        FastCheck.assert(
          FastCheck.property(FastCheck.array(line, { minLength: 1, maxLength: 3 }), (lines) => {
            const rules = `${lines.join("\n")}\n`
            assert.deepStrictEqual(paths.filter((path) => isIgnored(rules, path)), ignoredByGit(rules), rules)
          }),
          parameters(500)
        )
      })
  )
})
