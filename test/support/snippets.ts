import { readdirSync, readFileSync } from "node:fs"
import { resolve } from "node:path"
import { fileURLToPath } from "node:url"
import type { Plugin } from "vitest/config"

const root = resolve(fileURLToPath(import.meta.url), "../../..")

/** README and what is in docs, by their paths in this project. */
export const documents: ReadonlyArray<string> = [
  "README.md",
  ...readdirSync(`${root}/docs`).map((name) => `docs/${name}`).filter((name) => name.endsWith(".md"))
]

/** A block of code in a document. */
export interface Snippet {
  readonly document: string
  readonly language: string
  /** The line that it starts at. */
  readonly line: number
  readonly code: string
}

/** The blocks of code of a document, in their order. */
export const snippetsOf = (document: string): ReadonlyArray<Snippet> => {
  const lines = readFileSync(`${root}/${document}`, "utf8").split("\n")
  const snippets: Array<Snippet> = []
  for (let start = lines.findIndex((line) => line.startsWith("```")); start >= 0;) {
    const end = lines.indexOf("```", start + 1)
    const code = lines.slice(start + 1, end).join("\n")
    snippets.push({ document, language: lines[start]?.slice(3) ?? "", line: start + 2, code })
    const next = lines.slice(end + 1).findIndex((line) => line.startsWith("```"))
    start = next < 0 ? -1 : end + 1 + next
  }
  return snippets
}

/** What a snippet is imported by, as if it lay at the root of this project. */
export const moduleOf = ({ document, line }: Snippet): string => `${root}/${document.replace("/", "-")}.${line}.ts`

/** Lets snippets be imported as modules. */
export const snippetModules = (): Plugin => {
  const codeOf = (id: string) =>
    documents.flatMap(snippetsOf).find((snippet) => snippet.language === "ts" && moduleOf(snippet) === id)?.code
  const isSnippet = (id: string) => /\.md\.\d+\.ts$/.test(id)
  return {
    name: "snippets",
    enforce: "pre",
    resolveId: (id) => isSnippet(id) ? id : undefined,
    load: (id) => isSnippet(id) ? codeOf(id) : undefined
  }
}
