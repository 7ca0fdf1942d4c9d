import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as fs from "node:fs"
import { join, relative } from "node:path"
import { builtIn } from "../../../src/catalogue/builtIn.js"
import { makeFilesystemHandlers } from "../../../src/local/capabilities/filesystem/handlers.js"
import { registerAll } from "../../../src/local/capabilities/Handler.js"
import * as Turns from "../../../src/local/recovery/Turns.js"
import * as SessionStates from "../../../src/local/state/SessionStates.js"
import { Trash } from "../../../src/local/store/Trash.js"
import type { Undone } from "../../../src/local/transactions/Undo.js"
import * as Undos from "../../../src/local/transactions/Undos.js"
import { writeTree } from "../capabilities/filesystem/tree.js"
import { invocationFixture, store as storeOf } from "../capabilities/filesystem/workspaceSupport.js"
import { makeCrash } from "../recovery/crash.js"

/** An invocation, as it comes from the wire. */
export interface Call {
  readonly name: string
  readonly input: { readonly [name: string]: unknown }
}

/** What the journal has of a step. */
export interface Step {
  readonly call: Call
  readonly before: unknown
  readonly after: unknown
}

const trashFolder = ".kruxos-trash"

const timeOf = (path: string): number => Number(fs.lstatSync(path, { bigint: true }).mtimeNs / 1000n)

/** All that is in a workspace but the trash: of files the bytes, the mode and the time. */
export const treeOf = (root: string): { readonly [path: string]: string } =>
  Object.fromEntries(
    fs.readdirSync(root, { withFileTypes: true, recursive: true }).flatMap((entry) => {
      const full = join(entry.parentPath, entry.name)
      const path = relative(root, full)
      if (path.split("/")[0] === trashFolder) return []
      const { mode } = fs.lstatSync(full)
      const content = entry.isSymbolicLink()
        ? `-> ${fs.readlinkSync(full)}`
        : entry.isDirectory()
        ? `directory ${mode.toString(8)}`
        : `${mode.toString(8)} ${timeOf(full)} ${fs.readFileSync(full, "base64")}`
      return [[path, content] as const]
    }).sort(([one], [other]) => one < other ? -1 : 1)
  )

/** The store, and what the undos need of the gateway. */
export const store = Layer.provideMerge(SessionStates.layer(), storeOf)

/** A workspace with files, whose capabilities are invoked by an agent `one`, and undone. */
export const prepared = (files: { readonly [path: string]: string | Uint8Array } = {}) =>
  Effect.gen(function*() {
    const made = yield* invocationFixture
    writeTree(made.root, files)
    const trash = yield* Trash
    const crash = makeCrash()
    const ofCrash = crash.ofTrash(trash)
    const handlers = yield* Effect.provideService(makeFilesystemHandlers, Trash, ofCrash)
    const registrations = new Map(registerAll(builtIn, handlers).map((each) => [each.capability.name, each]))
    const undos = yield* Undos.Undos.pipe(
      Effect.provide(Layer.provide(Undos.layer, Turns.layer)),
      Effect.provideService(Trash, ofCrash)
    )
    const context = { agent: "one", workspace: made.workspace, source: "session" }
    const undoOf = (name: string) => Option.getOrThrow(Option.fromNullable(undos.get(name)))
    const run = ({ input, name }: Call) =>
      Effect.flatMap(
        Effect.suspend(() => Option.getOrThrow(Option.fromNullable(registrations.get(name))).prepare(input)),
        (carryOut) => carryOut(made.invocation)
      )
    // As if it came from the journal of another process.
    const kept = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
    const before = (call: Call) => Effect.map(undoOf(call.name).before(call.input, context), kept)
    const after = (call: Call, known: unknown, output: unknown) =>
      Effect.map(undoOf(call.name).after(call.input, known, output, context), kept)
    const found = (call: Call, known: unknown) => undoOf(call.name).found(call.input, known, context)
    const undo = ({ after, before, call }: Step): Effect.Effect<Undone> =>
      undoOf(call.name).undo(call.input, before, after, context)
    const release = ({ before, call }: Pick<Step, "before" | "call">) => undoOf(call.name).release(before, context)

    /** Runs a step; undefined where it has failed and changed nothing. */
    const step = (call: Call, effect: Effect.Effect<unknown, unknown> = run(call)) =>
      undoOf(call.name).alone(
        call.input,
        context,
        Effect.gen(function*() {
          const known = yield* Effect.either(before(call))
          if (Either.isLeft(known)) return undefined
          const exit = yield* Effect.exit(effect)
          if (Exit.isSuccess(exit)) {
            const made: Step = { call, before: known.right, after: yield* after(call, known.right, exit.value) }
            return made
          }
          const result = yield* found(call, known.right)
          if (result._tag === "Done") {
            const made: Step = { call, before: known.right, after: kept(result.after) }
            return made
          }
          yield* release({ call, before: known.right })
          return undefined
        })
      )

    /** Undoes steps, the last first, and forgets what was kept. */
    const rollBack = (steps: ReadonlyArray<Step>) =>
      Effect.gen(function*() {
        const results = yield* Effect.forEach([...steps].reverse(), undo)
        yield* Effect.forEach(steps, release, { discard: true })
        return results
      })

    return {
      ...made,
      trash,
      context,
      crash,
      run,
      before,
      after,
      found,
      undo,
      undoOf,
      release,
      step,
      rollBack,
      tree: () => treeOf(made.root),
      trashed: () => fs.existsSync(made.host(trashFolder)) ? fs.readdirSync(made.host(trashFolder)).sort() : []
    }
  })

/** The conflicts among results. */
export const conflictsOf = (results: ReadonlyArray<Undone>) =>
  results.flatMap((result) => result._tag === "Conflict" ? [result, ...result.others ?? []] : [])

const agesAgo = 1_000_000_000

/** Gives every file a time and a mode of its own, so that it is seen if they do not come back. */
export const mark = (host: (path: string) => string, paths: ReadonlyArray<string>): void => {
  for (const [index, path] of paths.entries()) {
    fs.chmodSync(host(path), [0o600, 0o644, 0o755, 0o640][index % 4] ?? 0o600)
    fs.utimesSync(host(path), agesAgo + index, agesAgo + index + 0.123456)
  }
}
