import { build, type BuildOptions } from "esbuild"
import { copyFile, mkdir, readdir, rename, rm } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { builtInProse } from "../src/catalogue/prose/builtIn.js"

const path = (relative: string) => fileURLToPath(new URL(`../${relative}`, import.meta.url))

const purposes = Object.fromEntries(Object.entries(builtInProse).map(([name, { purpose }]) => [name, purpose]))

const common: BuildOptions = {
  bundle: true,
  minify: true,
  target: ["es2022"],
  legalComments: "none",
  logLevel: "warning"
}

const program: BuildOptions = {
  ...common,
  entryPoints: { page: path("src/page/main.ts") },
  platform: "browser",
  format: "esm",
  define: { capabilityPurposes: JSON.stringify(purposes) }
}

const style: BuildOptions = { ...common, entryPoints: { page: path("src/page/style/page.css") }, target: ["chrome123"] }

/** Builds the supervisor's page into `build/page`. Each file is replaced at once, so that a gateway never reads half of one. */
export const buildPage = async (): Promise<void> => {
  const target = path("build/page")
  const fresh = path(`build/page-${process.pid}`)
  await mkdir(target, { recursive: true })
  await mkdir(fresh, { recursive: true })
  try {
    await Promise.all([
      build({ ...program, outdir: fresh }),
      build({ ...style, outdir: fresh }),
      ...["index.html", "icon.svg"].map((name) => copyFile(path(`src/page/${name}`), `${fresh}/${name}`))
    ])
    await Promise.all((await readdir(fresh)).map((name) => rename(`${fresh}/${name}`, `${target}/${name}`)))
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
}
