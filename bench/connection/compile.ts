import { build, type BuildOptions } from "esbuild"
import { mkdirSync, mkdtempSync } from "node:fs"
import { join } from "node:path"
import { root } from "../root.js"
import { clients } from "./contestants.js"

/** Where the compiled programs are. */
export interface Programs {
  readonly folder: string
  readonly server: (name: "minimalServer" | "officialServer") => string
  readonly asker: string
  readonly stateAsker: string
  readonly transactor: string
  readonly auditFiller: string
  readonly sqlite: string
  readonly client: (name: string) => string
  readonly cold: (name: string, kind: "unbundled" | "bundled") => string
}

const here = join(root, "bench/connection")

const shared: BuildOptions = {
  bundle: true,
  platform: "node",
  target: "node20",
  format: "esm",
  // Else the paths of the project's tsconfig would lead from `kruxos` to its sources.
  tsconfigRaw: {},
  logLevel: "warning"
}

const external: BuildOptions = { ...shared, packages: "external" }

// `ws` is CommonJS, and asks for the modules of Node by `require`.
const banner = {
  js: "import { createRequire } from \"node:module\"; const require = createRequire(import.meta.url)"
}

const client = (name: string) =>
  `import { client } from "./clients/${name}.js"
import { serve } from "./children/client.js"
await serve(client)`

const cold = (name: string) =>
  `import { client } from "./clients/${name}.js"
await client.once(process.argv[2], () => process.stdout.write("answered"))`

/** Compiles all programs, so that nothing but what a user has is in a process that is measured. */
export const compile = async (): Promise<Programs> => {
  // Below the build, so that `kruxos` is what a user has.
  mkdirSync(join(root, "dist"), { recursive: true })
  const folder = mkdtempSync(join(root, "dist/bench-"))
  const fileOf = (name: string) => join(folder, `${name}.js`)
  const write = (name: string, contents: string, options: BuildOptions) =>
    build({ ...options, stdin: { contents, resolveDir: here, loader: "ts" }, outfile: fileOf(name) })
  const child = (name: string) =>
    build({ ...external, entryPoints: [join(here, `children/${name}.ts`)], outfile: fileOf(name) })
  await Promise.all([
    ...["minimalServer", "officialServer", "asker", "stateAsker", "transactor", "auditFiller", "sqlite"].map(child),
    ...clients.flatMap(({ name }) => [
      write(`client-${name}`, client(name), external),
      write(`unbundled-${name}`, cold(name), external),
      write(`bundled-${name}`, cold(name), { ...shared, minify: true, banner })
    ])
  ])
  return {
    folder,
    server: fileOf,
    asker: fileOf("asker"),
    stateAsker: fileOf("stateAsker"),
    transactor: fileOf("transactor"),
    auditFiller: fileOf("auditFiller"),
    sqlite: fileOf("sqlite"),
    client: (name) => fileOf(`client-${name}`),
    cold: (name, kind) => fileOf(`${kind}-${name}`)
  }
}
