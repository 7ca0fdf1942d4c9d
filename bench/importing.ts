import { build } from "esbuild"
import { execFileSync } from "node:child_process"
import { join } from "node:path"
import { median, rounded, type Section } from "./measurement.js"
import { root } from "./root.js"

const runs = 7

/** The modules of other packages that the built entry point loads. */
const loadedByKruxos = async (): Promise<ReadonlyArray<string>> => {
  const { metafile } = await build({
    entryPoints: [join(root, "dist/index.js")],
    bundle: true,
    packages: "external",
    format: "esm",
    treeShaking: false,
    write: false,
    metafile: true,
    logLevel: "silent"
  })
  const imports = Object.values(metafile.inputs).flatMap((input) => input.imports)
  return [...new Set(imports.flatMap(({ external, path }) => external === true ? [path] : []))].toSorted()
}

// A process of its own for each: a module is loaded once.
const importMillis = (modules: ReadonlyArray<string>): number => {
  const program = `const start = performance.now()
${modules.map((module) => `await import(${JSON.stringify(module)})`).join("\n")}
process.stdout.write(String(performance.now() - start))`
  return Number(
    execFileSync(process.execPath, ["--input-type=module", "--eval", program], { cwd: root, encoding: "utf8" })
  )
}

/** How long the built package takes to import. */
export const importing = async (): Promise<Section> => {
  const external = await loadedByKruxos()
  const cases: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
    ["effect/Effect and effect/Schema", ["effect/Effect", "effect/Schema"]],
    [`the ${external.length} modules of Effect that kruxos imports`, external],
    ["kruxos", ["kruxos"]]
  ]
  const times = Array.from({ length: runs }, () => cases.map(([, modules]) => importMillis(modules)))
  return {
    title: "Importing the package",
    columns: ["import of", "ms"],
    rows: cases.map(([title], index) => [title, rounded(median(times.map((run) => run[index] ?? Number.NaN)), 0)]),
    notes: [`median of ${runs} fresh Node processes each, by turns; starting Node itself is not counted`]
  }
}
