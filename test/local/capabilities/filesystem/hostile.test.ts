import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import type { AnyCapability } from "../../../../src/catalogue/Capability.js"
import * as filesystem from "../../../../src/catalogue/filesystem.js"
import { list, stat } from "../../../../src/local/capabilities/filesystem/directories.js"
import { append, copy, move, read, write } from "../../../../src/local/capabilities/filesystem/files.js"
import * as trash from "../../../../src/local/capabilities/filesystem/trash.js"
import { parameters } from "../../../support/runs.js"
import { openDescriptors, secret, snapshot } from "../../workspace/support.js"
import { invocationFixture, store } from "./workspaceSupport.js"

const links: ReadonlyArray<readonly [string, string]> = [
  ["out", "../outside"],
  ["out-file", "../outside/secret.txt"],
  ["out-new", "../outside/new.txt"],
  ["up", ".."],
  ["deep/up", "../.."],
  ["deep/out", "../../outside/deep"],
  ["chain", "chain-2"],
  ["chain-2", "deep/out"],
  ["mixed", "deep/../out-file"],
  ["loop", "loop-2"],
  ["loop-2", "loop"],
  ["self", "self/self"],
  ["here", "."],
  ["process", "/proc/self/root"],
  ["descriptors", "/proc/self/fd"],
  ["system", "/"],
  ["mounted", "/workspace/deep"],
  ["mounted-out", "/workspace/../outside"],
  ["bin", ".kruxos-trash"]
]

const plant = (root: string, base: string) => {
  for (const name of fs.readdirSync(root)) {
    if (name !== ".kruxos-trash") fs.rmSync(join(root, name), { recursive: true, force: true })
  }
  fs.mkdirSync(join(root, "deep/er"), { recursive: true })
  fs.mkdirSync(join(root, "empty"))
  for (const file of ["file", "deep/file", "secret.txt"]) fs.writeFileSync(join(root, file), "inside")
  for (const [path, target] of links) fs.symlinkSync(target, join(root, path))
  fs.symlinkSync(join(base, "outside"), join(root, "absolute"))
  fs.symlinkSync(join(base, "root/deep"), join(root, "absolute-in"))
  fs.symlinkSync(join(base, "root/../outside"), join(root, "absolute-around"))
  execFileSync("mkfifo", [join(root, "pipe")])
}

const planted = FastCheck.oneof(
  FastCheck.constantFrom("deep", "deep", "er", "empty", "file", "secret.txt", "new.txt", "here", "pipe"),
  FastCheck.constantFrom(...links.map(([path]) => path), "absolute", "absolute-in", "absolute-around")
)

const names = FastCheck.oneof(
  { weight: 4, arbitrary: FastCheck.constantFrom("..", ".", "", "outside", "root", "workspace") },
  { weight: 4, arbitrary: planted },
  {
    weight: 1,
    arbitrary: FastCheck.constantFrom(
      "\0",
      "a\0b",
      "x".repeat(255),
      "x".repeat(256),
      "ü".repeat(128),
      "\ud800",
      "\u2024\u2024",
      "\uff0e\uff0e",
      "\uff0fetc",
      "..\u200b",
      "%2e%2e",
      "..%2f..",
      "..\\..",
      "~",
      "$HOME",
      "\n",
      "\u202e",
      "...",
      "-rf",
      "C:",
      ".kruxos-trash",
      ".KRUXOS-TRASH",
      "proc",
      "self",
      "etc",
      "passwd"
    )
  },
  { weight: 1, arbitrary: FastCheck.string({ unit: "binary", maxLength: 8 }) }
)

/** Paths that are well-formed, and lead wherever the links do. */
const plausiblePath = FastCheck.tuple(
  FastCheck.constantFrom("", "", "/workspace/", "here/"),
  FastCheck.array(planted, { minLength: 1, maxLength: 3 })
).map(([start, middle]) => `${start}${middle.join("/")}`)

const malformedPath = (base: string) =>
  FastCheck.tuple(
    FastCheck.constantFrom(
      "",
      "",
      "",
      "./",
      "../",
      "/",
      "//",
      "/workspace/",
      "/workspace//",
      "/workspace/../",
      "/workspace/../outside/",
      "/workspacefoo/",
      "/workspace/../../../../",
      "/proc/self/root/",
      "/proc/self/cwd/",
      "/proc/self/fd/0/",
      `${base}/outside/`,
      `${base}/root/`,
      `${base}/root/../outside/`,
      `out/../../..${base}/outside/`,
      ".kruxos-trash/"
    ),
    FastCheck.array(names, { maxLength: 6 }),
    FastCheck.constantFrom("", "", "", "/", "/.", "/..", "//", "/secret.txt")
  ).map(([start, middle, end]) => `${start}${middle.join("/")}${end}`)

const hostilePath = (base: string) => FastCheck.oneof(plausiblePath, malformedPath(base))

const general = ["InvalidInput", "NotReversible", "PermissionDenied", "ResourceExhausted", "ServiceUnavailable"]

const secretsIn = (root: string): ReadonlyArray<string> =>
  fs.readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => fs.readFileSync(path, "utf8").includes(secret))

describe("hostile paths", () => {
  it.scopedLive("lead nowhere outside, whichever capability is given them", () =>
    Effect.gen(function*() {
      const { base, invocation, outside, root } = yield* invocationFixture
      const { remove, restore } = yield* trash.make
      const run = Runtime.runPromise(yield* Effect.runtime())
      const tags = new Map<string, number>()

      const check = <A>(capability: AnyCapability, effect: Effect.Effect<A, { readonly _tag: string }>) =>
        Effect.map(Effect.exit(effect), (exit): Option.Option<A> => {
          const shown = JSON.stringify(Exit.isSuccess(exit) ? exit.value : Cause.failureOption(exit.cause))
          assert.notInclude(shown, secret, capability.name)
          if (Exit.isSuccess(exit)) {
            tags.set("success", (tags.get("success") ?? 0) + 1)
            return Option.some(exit.value)
          }
          const failure = Option.getOrThrowWith(Cause.failureOption(exit.cause), () =>
            new Error(Cause.pretty(exit.cause)))
          assert.include([...Object.keys(capability.errors), ...general], failure._tag, capability.name)
          tags.set(failure._tag, (tags.get(failure._tag) ?? 0) + 1)
          return Option.none()
        })

      const everything = (one: string, other: string, flag: boolean) =>
        Effect.gen(function*() {
          const encoding = flag ? "binary" : "utf-8"
          yield* check(filesystem.stat, stat({ path: one }, invocation))
          yield* check(filesystem.read, read({ path: one, encoding: "latin1" }, invocation))
          const part = yield* check(filesystem.read, read({ path: other, encoding, limit: 12 }, invocation))
          if (flag && Option.isSome(part)) {
            assert.notInclude(atob(part.value.content), secret.slice(0, 12))
          }
          const listed = yield* check(
            filesystem.list,
            list({ path: one, include_hidden: true, sort_by: "-size" }, invocation)
          )
          if (Option.isSome(listed)) {
            assert.notInclude(
              listed.value.entries.map(({ name }) =>
                name
              ),
              "outside"
            )
          }
          yield* check(
            filesystem.write,
            write({ path: one, content: "bmV3", encoding: "binary", create_parents: flag }, invocation)
          )
          yield* check(filesystem.append, append({ path: other, content: "more" }, invocation))
          yield* check(filesystem.copy, copy({ source: one, destination: other, overwrite: flag }, invocation))
          yield* check(filesystem.copy, copy({ source: "file", destination: one, overwrite: flag }, invocation))
          yield* check(filesystem.move, move({ source: other, destination: one, overwrite: flag }, invocation))
          yield* check(filesystem.move, move({ source: "deep/file", destination: other, overwrite: true }, invocation))
          const deleted = yield* check(filesystem.remove, remove({ path: one }, invocation))
          yield* check(filesystem.restore, restore({ trash_path: other, overwrite: flag }, invocation))
          if (Option.isSome(deleted) && flag) {
            const { trash_path } = deleted.value
            yield* check(filesystem.restore, restore({ trash_path, overwrite: true }, invocation))
          }
        })

      const before = { outside: snapshot(outside), base: fs.readdirSync(base), descriptors: openDescriptors(base) }
      yield* Effect.promise(() =>
        FastCheck.assert(
          FastCheck.asyncProperty(
            hostilePath(base),
            hostilePath(base),
            FastCheck.boolean(),
            async (one, other, flag) => {
              plant(root, base)
              await run(everything(one, other, flag))
              assert.deepStrictEqual(snapshot(outside), before.outside)
              assert.deepStrictEqual(fs.readdirSync(base), before.base)
              assert.deepStrictEqual(secretsIn(root), [])
            }
          ),
          parameters(1000)
        )
      )
      assert.strictEqual(openDescriptors(base), before.descriptors)
      for (const tag of ["success", "PathOutOfScope", "InvalidInput", "FileNotFound", "DestinationExists"]) {
        assert.isAbove(tags.get(tag) ?? 0, 0, tag)
      }
    }).pipe(Effect.provide(store)), 120_000)
})
