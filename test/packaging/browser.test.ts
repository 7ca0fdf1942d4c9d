import { build } from "esbuild"
import { builtinModules } from "node:module"
import { fileURLToPath } from "node:url"
import { createContext, runInContext } from "node:vm"
import { describe, expect, it } from "vitest"

const source = (path: string) => fileURLToPath(new URL(`../../src/${path}`, import.meta.url))

/** Bundles an entry point as for a browser; a module that only Node has is an error. */
const bundle = (entry: string) =>
  build({
    entryPoints: [source(entry)],
    bundle: true,
    platform: "browser",
    format: "iife",
    globalName: "bundled",
    treeShaking: false,
    write: false,
    metafile: true,
    logLevel: "silent"
  })

/** What every browser has, and nothing that only Node has. */
const browserGlobals = {
  AbortController,
  Headers,
  Request,
  Response,
  TextDecoder,
  TextEncoder,
  URL,
  URLSearchParams,
  clearInterval,
  clearTimeout,
  console,
  crypto,
  fetch,
  performance,
  queueMicrotask,
  setInterval,
  setTimeout
}

describe("what runs outside of Node", () => {
  it.each([
    ["index.ts", ["Capabilities", "FileNotFound", "Gateway", "GatewayStatus", "isCapabilityError"]],
    ["schema/index.ts", ["CapabilityDefinition", "RecoveryAction"]],
    ["errors/index.ts", ["ApprovalRequired", "FileNotFound", "KruxosError"]]
  ])("%s needs nothing of Node", async (entry, exported) => {
    const { metafile, outputFiles, warnings } = await bundle(entry)
    expect(warnings).toEqual([])
    const files = Object.keys(metafile.inputs)
    const imported = Object.values(metafile.inputs).flatMap(({ imports }) => imports.map(({ path }) => path))
    expect(imported.filter((path) => path.startsWith("node:") || builtinModules.includes(path))).toEqual([])
    expect(files.filter((path) => /node_modules\/(ws|@effect\/(platform-node|sql)|libsql)\//.test(path))).toEqual([])
    expect(files.filter((path) => /src\/(node|local|testing|cli)\//.test(path))).toEqual([])
    const context = createContext({ ...browserGlobals })
    runInContext(outputFiles[0]?.text ?? "", context)
    expect(runInContext("Object.keys(bundled)", context)).toEqual(expect.arrayContaining(exported))
  })

  it("kruxos/node does", async () => {
    await expect(bundle("node/index.ts")).rejects.toThrow(/Could not resolve "(?:node:)?\w+"/)
  })
})
