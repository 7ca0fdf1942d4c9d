import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { spawn } from "node:child_process"
import { once } from "node:events"
import * as fs from "node:fs"
import { fileURLToPath } from "node:url"
import { list } from "../../../../src/local/capabilities/filesystem/directories.js"
import { append, copy, move, read, write } from "../../../../src/local/capabilities/filesystem/files.js"
import * as trash from "../../../../src/local/capabilities/filesystem/trash.js"
import { runs } from "../../../support/runs.js"
import { openDescriptors, secret, snapshot } from "../../workspace/support.js"
import { invocationFixture, store } from "./workspaceSupport.js"

const script = fileURLToPath(new URL("./flip.mjs", import.meta.url))

/** Another process that changes a directory into a link and back until the scope ends. */
const flipping = (root: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const child = spawn(process.execPath, [script, root], { stdio: ["pipe", "pipe", "inherit"] })
      await once(child.stdout, "data")
      return child
    }),
    (child) =>
      Effect.promise(async () => {
        if (child.exitCode !== null) return
        const ended = once(child, "exit")
        child.stdin.end()
        await ended
      })
  )

describe("a directory that becomes a link while it is used", () => {
  it.scopedLive("leads nowhere outside", () =>
    Effect.gen(function*() {
      const { at, host, invocation, outside, root, workspace } = yield* invocationFixture
      const { remove, restore } = yield* trash.make
      fs.mkdirSync(host("flip/deep"), { recursive: true })
      fs.symlinkSync("../outside", host("link"))
      fs.writeFileSync(host("flip/secret.txt"), "inside")
      fs.writeFileSync(host("flip/deep/secret.txt"), "inside")
      fs.writeFileSync(host("file"), "file")
      fs.writeFileSync(`${outside}/only-outside`, secret)
      const before = snapshot(outside)
      const descriptors = openDescriptors(root)
      const seen = new Map<string, number>()
      const count = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1)
      const attempt = <A>(effect: Effect.Effect<A, { readonly _tag: string }>) =>
        effect.pipe(
          Effect.map((value) => {
            assert.notInclude(JSON.stringify(value), secret)
            assert.notInclude(JSON.stringify(value), "only-outside")
            count("success")
          }),
          Effect.catchAll(({ _tag }) => Effect.sync(() => count(_tag)))
        )
      const round = (index: number) =>
        Effect.gen(function*() {
          const name = `flip/new-${index % 10}`
          yield* attempt(read({ path: "flip/secret.txt", encoding: "utf-8" }, invocation))
          yield* attempt(read({ path: "flip/only-outside", encoding: "utf-8" }, invocation))
          yield* attempt(list({ path: "flip", include_hidden: true, sort_by: "name" }, invocation))
          yield* attempt(Stream.runCollect(workspace.walk(yield* at("flip"), { includeHidden: true })))
          yield* attempt(
            write({ path: name, content: "new", encoding: "utf-8", create_parents: true }, invocation)
          )
          yield* attempt(append({ path: "flip/secret.txt", content: "more" }, invocation))
          yield* attempt(
            copy({ source: "flip/deep/secret.txt", destination: `copy-${index % 10}`, overwrite: true }, invocation)
          )
          const copied = host(`copy-${index % 10}`)
          if (fs.existsSync(copied)) assert.notInclude(fs.readFileSync(copied, "utf8"), secret)
          yield* attempt(copy({ source: "file", destination: "flip/deep/secret.txt", overwrite: true }, invocation))
          yield* attempt(move({ source: name, destination: "flip/deep/moved", overwrite: true }, invocation))
          yield* attempt(
            Effect.flatMap(
              remove({ path: "flip/deep/moved" }, invocation),
              ({ trash_path }) => restore({ trash_path, overwrite: true }, invocation)
            )
          )
        })
      yield* Effect.scoped(
        Effect.zipRight(
          flipping(root),
          Effect.forEach(Array.from({ length: runs(1000) }), (_, index) => round(index), { discard: true })
        )
      )
      assert.deepStrictEqual(snapshot(outside), before)
      assert.strictEqual(openDescriptors(root), descriptors)
      for (const what of ["success", "PathOutOfScope"]) assert.isAbove(seen.get(what) ?? 0, 0, what)
    }).pipe(Effect.provide(store)), 120_000)
})
