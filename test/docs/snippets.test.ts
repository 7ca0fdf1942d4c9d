import { assert, describe, it } from "@effect/vitest"
import { diagnosticsOf } from "../support/compile.js"
import { documents, snippetsOf } from "../support/snippets.js"

const snippets = documents.flatMap(snippetsOf).filter(({ language }) => language === "ts")

describe("the snippets of README and docs", () => {
  const files = snippets.map(({ code }, index) => [`snippet-${index}.ts`, code] as const)
  const problems = diagnosticsOf(Object.fromEntries(files))

  it("are there", () => assert.isAbove(snippets.length, 0))

  it.each(snippets.map(({ document, line }, index) => [`${document}:${line}`, index] as const))(
    "%s compiles",
    (_name, index) => assert.deepStrictEqual(problems.filter(([file]) => file === `snippet-${index}.ts`), [])
  )
})
