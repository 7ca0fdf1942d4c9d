import { build, type Metafile } from "esbuild"
import { join, relative } from "node:path"
import { gzipSync } from "node:zlib"
import { builtInProse } from "../src/catalogue/prose/builtIn.js"
import { rounded, type Section } from "./measurement.js"
import { root } from "./root.js"

interface Bundle {
  readonly text: string
  readonly kilobytes: number
  readonly zipped: number
  readonly metafile: Metafile
}

const kilobytes = (bytes: number) => rounded(bytes / 1000, 1)

const bundle = async (path: string): Promise<Bundle> => {
  const { metafile, outputFiles } = await build({
    entryPoints: [join(root, path)],
    absWorkingDir: root,
    bundle: true,
    minify: true,
    platform: "browser",
    format: "esm",
    charset: "utf8",
    write: false,
    metafile: true,
    logLevel: "silent"
  })
  const text = outputFiles[0]?.text ?? ""
  return {
    text,
    kilobytes: kilobytes(Buffer.byteLength(text)),
    zipped: kilobytes(gzipSync(text, { level: 9 }).length),
    metafile
  }
}

const bytesFrom = ({ metafile }: Bundle, part: string): number =>
  Object.values(metafile.outputs)
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
      "esbuild, platform browser, one file; 1 kB is 1000 bytes; only whole files can be compressed, so that parts have no gzip size",
      `prose in the bundle: ${found === 0 ? "none" : `${found} of ${purposes.length} purposes`} ` +
      `(in a bundle of the prose ${proseIn(prose)} of ${purposes.length} purposes are found)`
    ]
  }
}
