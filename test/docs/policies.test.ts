import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import { readFileSync } from "node:fs"
import { builtIn } from "../../src/catalogue/builtIn.js"
import { parsePolicy } from "../../src/local/policy/parse.js"
import { unusedPatterns } from "../../src/local/policy/unusedPatterns.js"

const text = readFileSync(new URL("../../docs/policy.md", import.meta.url), "utf8")

const snippets = [...text.matchAll(/^```yaml\n(.*?)^```/gms)].map(([block, yaml = ""]) => {
  const line = text.slice(0, text.indexOf(block)).split("\n").length
  return [`docs/policy.md:${line}`, yaml] as const
})

describe("the policies of docs/policy.md", () => {
  it("are there", () => assert.isAtLeast(snippets.length, 4))

  it.each(snippets)("%s is good, and names what there is", (name, yaml) => {
    const layer = Either.getOrThrowWith(parsePolicy(yaml, name, "any"), (error) => error)
    assert.deepStrictEqual(unusedPatterns(layer, Object.keys(builtIn)), [])
  })
})
