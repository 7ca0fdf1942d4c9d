import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Capabilities, Transaction } from "kruxos"
import { LocalGateway } from "kruxos/local"
import childProcess from "node:child_process"
import * as fs from "node:fs"
import { syncBuiltinESMExports } from "node:module"
import { join } from "node:path"
import { sandboxFacts } from "../../../../src/local/sandbox/examine.js"
import { folders } from "../../../support/gateway.js"
import { author, gitIn } from "./support.js"

const later = { timeout: 60_000 }

/** The programs that are started meanwhile. */
const started = Effect.acquireRelease(
  Effect.sync(() => {
    const files: Array<string> = []
    const own = childProcess.spawn
    Reflect.set(childProcess, "spawn", (...given: ReadonlyArray<unknown>): unknown => {
      files.push([given[0], ...Array.isArray(given[1]) ? given[1] : []].includes("bwrap") ? "bwrap" : String(given[0]))
      return Reflect.apply(own, undefined, given)
    })
    syncBuiltinESMExports()
    return { files, own }
  }),
  ({ own }) =>
    Effect.sync(() => {
      Reflect.set(childProcess, "spawn", own)
      syncBuiltinESMExports()
    })
)

const gateway = Effect.gen(function*() {
  const used = yield* folders
  const { files } = yield* started
  const context = yield* Layer.build(LocalGateway.layer(used))
  const provided = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.provide(effect, context)
  return { files, provided, ...used, ...yield* provided(Capabilities) }
})

describe("git by a real gateway", () => {
  it.scopedLive(
    "runs in the sandbox, also where it is undone and where is looked what it did",
    (test) =>
      Effect.gen(function*() {
        if ((yield* sandboxFacts(undefined)).kind !== "bubblewrap") {
          return test.skip("there is no bubblewrap on this machine")
        }
        const { files, invoke, provided, workspace } = yield* gateway
        const inSandbox = () => {
          const now = files.splice(0)
          assert.isAbove(now.length, 0)
          assert.deepStrictEqual([...new Set(now)], ["bwrap"])
        }
        yield* invoke("git.init", { path: "r" })
        yield* invoke("filesystem.write", { path: "r/a.txt", content: "one\n" })
        yield* invoke("git.commit", { path: "r", message: "one", ...author })
        inSandbox()
        const before = gitIn(join(workspace, "r"), "rev-parse", "HEAD")
        files.splice(0)
        const failure = yield* provided(Transaction.run(Effect.gen(function*() {
          const transactional = yield* Capabilities
          yield* transactional.invoke("filesystem.write", { path: "r/a.txt", content: "two\n" })
          yield* transactional.invoke("git.commit", { path: "r", message: "two", ...author })
          yield* transactional.invoke("git.clone", { url: "r", path: "copy" })
          inSandbox()
          assert.isTrue(fs.existsSync(join(workspace, "copy/a.txt")))
          return yield* Effect.fail("roll back" as const)
        }))).pipe(Effect.flip)
        assert.strictEqual(failure, "roll back")
        inSandbox()
        assert.strictEqual(gitIn(join(workspace, "r"), "rev-parse", "HEAD"), before)
        assert.isFalse(fs.existsSync(join(workspace, "copy")))
      }),
    later
  )
})
