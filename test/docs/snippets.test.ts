import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { diagnosticsOf } from "../support/compile.js"

const root = resolve(fileURLToPath(import.meta.url), "../../..")

const documents = ["README.md", ...readdirSync(`${root}/docs`).map((name) => `docs/${name}`)]
  .filter((name) => name.endsWith(".md"))

/** The TypeScript blocks of a document, each with the line that it starts at. */
const snippetsOf = (document: string) => {
  const lines = readFileSync(`${root}/${document}`, "utf8").split("\n")
  return lines.flatMap((line, start) => {
    if (line !== "```ts") return []
    const end = lines.indexOf("```", start + 1)
    return [{ name: `${document}:${start + 2}`, code: lines.slice(start + 1, end).join("\n") }]
  })
}

const snippets = documents.flatMap(snippetsOf)

describe("the snippets of README and docs", () => {
  const files = snippets.map(({ code }, index) => [`snippet-${index}.ts`, code] as const)
  const problems = diagnosticsOf(Object.fromEntries(files))

  it("are there", () => assert.isAbove(snippets.length, 0))

  it.each(snippets.map(({ name }, index) => [name, index] as const))(
    "%s compiles",
    (_name, index) => assert.deepStrictEqual(problems.filter(([file]) => file === `snippet-${index}.ts`), [])
  )
})
