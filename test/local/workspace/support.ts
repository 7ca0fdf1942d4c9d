import * as NodeContext from "@effect/platform-node/NodeContext"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import { join } from "node:path"
import { make } from "../../../src/local/workspace/confined.js"
import type { Holding } from "../../../src/local/workspace/Directory.js"
import { strongestHolding } from "../../../src/local/workspace/Directory.js"

/** What must never be read. */
export const secret = "the secret outside"

/** The guards that this system has. */
export const holdings: ReadonlyArray<Holding> = strongestHolding() === "descriptors"
  ? ["descriptors", "paths"]
  : ["paths"]

/** A folder that goes with the scope, without links in its path. */
export const temporaryDirectory = Effect.flatMap(
  FileSystem.FileSystem,
  (fileSystem) => fileSystem.makeTempDirectoryScoped({ prefix: "kruxos-workspace-" })
).pipe(Effect.map((path) => fs.realpathSync(path)), Effect.provide(NodeContext.layer))

/** A workspace next to a folder with a secret in it; `host` gives the host's path of something in the workspace. */
export const fixture = (holding?: Holding) =>
  Effect.gen(function*() {
    const base = yield* temporaryDirectory
    const root = join(base, "root")
    const outside = join(base, "outside")
    fs.mkdirSync(root)
    fs.mkdirSync(join(outside, "deep"), { recursive: true })
    fs.writeFileSync(join(outside, "secret.txt"), secret)
    fs.writeFileSync(join(outside, "deep", "secret.txt"), secret)
    const scope = yield* Effect.scope
    const workspace = yield* make(root, holding === undefined ? {} : { holding })
    return {
      base,
      root,
      outside,
      scope,
      workspace,
      host: (path: string) => join(root, path),
      text: (path: string) => fs.readFileSync(join(root, path), "utf8"),
      at: (path: string) => Effect.orDie(workspace.resolve(path))
    }
  })

/** Everything below a folder with its content, so that two of them can be compared. */
export const snapshot = (folder: string): ReadonlyArray<string> =>
  fs.readdirSync(folder, { withFileTypes: true, recursive: true }).map((entry) => {
    const path = join(entry.parentPath, entry.name)
    const status = fs.lstatSync(path)
    const content = status.isFile()
      ? createHash("sha256").update(fs.readFileSync(path)).digest("hex")
      : status.isSymbolicLink()
      ? fs.readlinkSync(path)
      : "directory"
    return `${path} ${status.mode.toString(8)} ${status.ino} ${content}`
  }).sort()

const targetOf = (descriptor: string): string => {
  try {
    return fs.readlinkSync(`/proc/self/fd/${descriptor}`)
  } catch {
    // That of the listing itself is closed by now.
    return ""
  }
}

/** How many descriptors this process has open of a folder and what is in it. */
export const openDescriptors = (folder: string): number =>
  fs.readdirSync("/proc/self/fd").filter((descriptor) => targetOf(descriptor).startsWith(folder)).length

/** The bytes of a text. */
export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
