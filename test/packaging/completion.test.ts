import { assert, it } from "@effect/vitest"
import { resolve } from "node:path"
import { fileURLToPath } from "node:url"
import ts from "typescript"

const root = resolve(fileURLToPath(import.meta.url), "../../..")

/** What an editor offers in each of the texts, where it has a `|`. */
const completionsIn = (marked: ReadonlyArray<string>): ReadonlyArray<ReadonlyArray<string>> => {
  const files = new Map(marked.map((text, index) => [`${root}/completion-${index}.ts`, text]))
  const config = ts.readConfigFile(`${root}/tsconfig.json`, (name) => ts.sys.readFile(name))
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root)
  const read = (name: string) => files.get(name)?.replace("|", "") ?? ts.sys.readFile(name)
  const service = ts.createLanguageService({
    getCompilationSettings: () => options,
    getCurrentDirectory: () => root,
    getDefaultLibFileName: (of) => ts.getDefaultLibFilePath(of),
    getScriptFileNames: () => [...files.keys()],
    getScriptVersion: () => "1",
    getScriptSnapshot: (name) => {
      const content = read(name)
      return content === undefined ? undefined : ts.ScriptSnapshot.fromString(content)
    },
    fileExists: (name) => files.has(name) || ts.sys.fileExists(name),
    readFile: read,
    readDirectory: (...args) => ts.sys.readDirectory(...args),
    directoryExists: (name) => ts.sys.directoryExists(name)
  })
  return [...files].map(([path, text]) =>
    (service.getCompletionsAtPosition(path, text.indexOf("|"), {})?.entries ?? []).map(({ name }) => name)
  )
}

const program = (call: string) => `
  import * as Effect from "effect/Effect"
  import { Capabilities } from "kruxos"
  export const program = Effect.flatMap(Capabilities, ({ invoke }) => ${call})`

it("an editor completes the names of capabilities, and those of their inputs", () => {
  const [names = [], inputs = []] = completionsIn([
    program("invoke(\"|\")"),
    program("invoke(\"filesystem.write\", { path: \"a\", | })")
  ])
  assert.includeMembers([...names], ["filesystem.read", "git.push", "state.shared.set", "email.send"])
  assert.strictEqual(names.length, 94)
  assert.includeMembers([...inputs], ["content", "encoding", "create_parents"])
}, 60_000)
