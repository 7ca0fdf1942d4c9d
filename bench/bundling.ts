import { build, type Metafile } from "esbuild"
import { join, relative } from "node:path"
import { gzipSync } from "node:zlib"
import { builtInProse } from "../src/catalogue/prose/builtIn.js"
import { rounded, type Section } from "./measurement.js"
import { root } from "./root.js"

type Output = Metafile["outputs"][string]

/** What a program loads at its start. What it loads only where it needs it is in files of its own. */
interface Bundle {
  readonly text: string
  readonly kilobytes: number
  readonly zipped: number
  readonly outputs: ReadonlyArray<Output>
}

const kilobytes = (bytes: number) => rounded(bytes / 1000, 1)

/** The file that a program begins with, and those that this one cannot do without. */
const loadedBy = (outputs: Metafile["outputs"], path: string, found: ReadonlySet<string> = new Set()): Set<string> => {
  const all = new Set(found).add(path)
  return (outputs[path]?.imports ?? [])
    .filter(({ kind, path: imported }) => kind !== "dynamic-import" && !all.has(imported))
    .reduce((known, imported) => loadedBy(outputs, imported.path, known), all)
}

const bundle = async (path: string): Promise<Bundle> => {
  const { metafile, outputFiles } = await build({
    entryPoints: [join(root, path)],
    absWorkingDir: root,
    bundle: true,
    minify: true,
    platform: "browser",
    format: "esm",
    splitting: true,
    outdir: join(root, "bundle"),
    charset: "utf8",
    write: false,
    metafile: true,
    logLevel: "silent"
  })
  const { outputs } = metafile
  const first = Object.keys(outputs).find((name) => outputs[name]?.entryPoint === path) ?? ""
  const loaded = loadedBy(outputs, first)
  const texts = outputFiles.filter((file) => loaded.has(relative(root, file.path).replaceAll("\\", "/"))).map((file) =>
    file.text
  )
  return {
    text: texts.join("\n"),
    kilobytes: kilobytes(texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0)),
    zipped: kilobytes(texts.reduce((sum, text) => sum + gzipSync(text, { level: 9 }).length, 0)),
    outputs: Object.entries(outputs).flatMap(([name, output]) => loaded.has(name) ? [output] : [])
  }
}

const bytesFrom = ({ outputs }: Bundle, part: string): number =>
  outputs
    .flatMap(({ inputs }) => Object.entries(inputs))
    .filter(([path]) => relative(root, join(root, path)).replaceAll("\\", "/").includes(part))
    .reduce((sum, [, { bytesInOutput }]) => sum + bytesInOutput, 0)

const parts = [
  "src/schema/",
  "src/errors/",
  "src/catalogue/",
  "src/connection/",
  "src/services/",
  "node_modules/effect/",
  "node_modules/@effect/"
]

// Quotes are written differently in a bundle: the longest stretch without one tells a sentence as well.
const stretch = (sentence: string): string =>
  sentence.split(/["'`\\\n]/).toSorted((one, other) => other.length - one.length)[0] ?? sentence

const purposes = Object.values(builtInProse).map(({ purpose }) => stretch(purpose))

const proseIn = ({ text }: Bundle): number => purposes.filter((purpose) => text.includes(purpose)).length

/** How large a program is that only invokes, and what its bytes are. */
export const bundling = async (): Promise<Section> => {
  const invokes = await bundle("bench/programs/invokes.ts")
  const effectOnly = await bundle("bench/programs/effectOnly.ts")
  const prose = await bundle("src/catalogue/prose/builtIn.ts")
  const found = proseIn(invokes)
  return {
    title: "Bundling a program that only invokes",
    columns: ["what", "minified, kB", "gzip, kB"],
    rows: [
      ["the program with kruxos", invokes.kilobytes, invokes.zipped],
      ["the same without kruxos: Effect, Layer, Schema", effectOnly.kilobytes, effectOnly.zipped],
      ...parts.map((part) => [`of the first, from ${part}`, kilobytes(bytesFrom(invokes, part)), ""])
    ],
    notes: [
      "esbuild, platform browser, split, what is loaded at the start; 1 kB is 1000 bytes; only whole files can be compressed, so that parts have no gzip size",
      `prose in the bundle: ${found === 0 ? "none" : `${found} of ${purposes.length} purposes`} ` +
      `(in a bundle of the prose ${proseIn(prose)} of ${purposes.length} purposes are found)`
    ]
  }
}
