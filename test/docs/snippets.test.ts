import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { resolve } from "node:path"
import { fileURLToPath } from "node:url"
import ts from "typescript"

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

const compile = (): ReadonlyMap<string, ReadonlyArray<string>> => {
  const config = ts.readConfigFile(`${root}/tsconfig.json`, ts.sys.readFile)
  const { options: { tsBuildInfoFile: _, ...options } } = ts.parseJsonConfigFileContent(config.config, ts.sys, root)
  const files = new Map(snippets.map(({ code }, index) => [`${root}/snippet-${index}.ts`, code]))
  const host = ts.createCompilerHost(options)
  const { fileExists, getSourceFile } = host
  host.fileExists = (name) => files.has(name) || fileExists(name)
  host.getSourceFile = (name, version, ...rest) => {
    const code = files.get(name)
    return code === undefined ? getSourceFile(name, version, ...rest) : ts.createSourceFile(name, code, version)
  }
  const names = [...files.keys()]
  const program = ts.createProgram(names, { ...options, noUnusedLocals: false, incremental: false }, host)
  return new Map(names.map((name, index) => [
    snippets[index]?.name ?? "",
    ts.getPreEmitDiagnostics(program, program.getSourceFile(name)).map(({ messageText }) =>
      ts.flattenDiagnosticMessageText(messageText, "\n")
    )
  ]))
}

describe("the snippets of README and docs", () => {
  const problems = compile()

  it("are there", () => assert.isAbove(snippets.length, 0))

  for (const { name } of snippets) it(`${name} compiles`, () => assert.deepStrictEqual(problems.get(name), []))
})
