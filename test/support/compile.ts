import { resolve } from "node:path"
import { fileURLToPath } from "node:url"
import ts from "typescript"

const root = resolve(fileURLToPath(import.meta.url), "../../..")

/** What TypeScript says of files that exist only here, compiled as if they lay at the root of this project. */
export const diagnosticsOf = (
  files: { readonly [name: string]: string }
): ReadonlyArray<readonly [name: string, message: string]> => {
  const config = ts.readConfigFile(`${root}/tsconfig.json`, (path) => ts.sys.readFile(path))
  const { options: { tsBuildInfoFile: _, ...options } } = ts.parseJsonConfigFileContent(config.config, ts.sys, root)
  const texts = new Map(Object.entries(files).map(([name, text]) => [`${root}/${name}`, text]))
  const host = ts.createCompilerHost(options)
  const disk = { ...host }
  host.fileExists = (path) => texts.has(path) || disk.fileExists(path)
  host.getSourceFile = (path, version, ...rest) => {
    const text = texts.get(path)
    return text === undefined ? disk.getSourceFile(path, version, ...rest) : ts.createSourceFile(path, text, version)
  }
  const paths = [...texts.keys()]
  const program = ts.createProgram(paths, { ...options, noUnusedLocals: false, incremental: false }, host)
  return paths.flatMap((path) =>
    ts.getPreEmitDiagnostics(program, program.getSourceFile(path)).map(({ messageText }) =>
      [path.slice(root.length + 1), ts.flattenDiagnosticMessageText(messageText, "\n")] as const
    )
  )
}
