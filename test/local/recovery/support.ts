import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as fs from "node:fs"
import { join, relative } from "node:path"
import { builtIn } from "../../../src/catalogue/builtIn.js"
import { makeFilesystemHandlers } from "../../../src/local/capabilities/filesystem/handlers.js"
import { registerAll } from "../../../src/local/capabilities/Handler.js"
import { EffectChecks, layer } from "../../../src/local/recovery/EffectChecks.js"
import * as Turns from "../../../src/local/recovery/Turns.js"
import { Trash } from "../../../src/local/store/Trash.js"
import { writeTree } from "../capabilities/filesystem/tree.js"
import { invocationFixture } from "../capabilities/filesystem/workspaceSupport.js"
import { makeCrash } from "./crash.js"

/** An invocation, as it comes from the wire. */
export interface Call {
  readonly name: string
  readonly input: { readonly [name: string]: unknown }
}

const trashFolder = ".kruxos-trash"

/** All that is in a workspace, but for temporary files and the trash. */
export const treeOf = (root: string): ReadonlyArray<string> =>
  fs.readdirSync(root, { withFileTypes: true, recursive: true }).flatMap((entry) => {
    const path = relative(root, join(entry.parentPath, entry.name))
    if (path.startsWith(trashFolder) || entry.name.endsWith(".tmp")) return []
    const full = join(root, path)
    const content = entry.isSymbolicLink()
      ? `-> ${fs.readlinkSync(full)}`
      : entry.isDirectory()
      ? "(directory)"
      : fs.readFileSync(full, "utf8")
    return [`${path}: ${content}`]
  }).sort()

/** What an output says, without what is another in every run. */
export const comparable = (output: unknown): string => JSON.stringify(output).replaceAll(/[0-9a-f]{32}-/g, "")

/** A workspace with files; its capabilities and their checks, by an agent `one`. */
export const prepared = (files: { readonly [path: string]: string | Uint8Array } = {}) =>
  Effect.gen(function*() {
    const made = yield* invocationFixture
    writeTree(made.root, files)
    const trash = yield* Trash
    const crash = makeCrash()
    const handlers = yield* Effect.provideService(makeFilesystemHandlers, Trash, crash.ofTrash(trash))
    const registrations = new Map(registerAll(builtIn, handlers).map((made) => [made.capability.name, made]))
    const checks = yield* Effect.provide(EffectChecks, Layer.provide(layer, Turns.layer))
    const context = { agent: "one", workspace: made.workspace, source: "session" }
    const checkOf = (name: string) => Option.getOrThrow(Option.fromNullable(checks.get(name)))
    const run = ({ input, name }: Call) =>
      Effect.flatMap(
        Option.getOrThrow(Option.fromNullable(registrations.get(name))).prepare(input),
        (prepared) => prepared(made.invocation)
      )
    return {
      ...made,
      trash,
      context,
      run,
      checkOf,
      before: ({ input, name }: Call) => checkOf(name).before(input, context),
      after: ({ input, name }: Call, before: unknown) => checkOf(name).after(input, before, context),
      killAt: (step: number, call: Call) => crash.killAt(step, run(call)),
      trashed: () => fs.existsSync(made.host(trashFolder)) ? fs.readdirSync(made.host(trashFolder)) : []
    }
  })
