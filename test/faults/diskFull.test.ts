import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { join } from "node:path"
import { folders, quietly } from "../support/gateway.js"
import { clientOf, startProcess } from "../support/gatewayProcess.js"
import { at } from "../support/json.js"
import { rpc } from "../support/rawHttp.js"
import { initializeParams, open } from "../support/rawSocket.js"
import { canMount, fill, skipped, smallDisk } from "../support/smallDisk.js"

const mebibyte = 1024 * 1024

const sizesIn = (folder: string) =>
  fs.readdirSync(folder).toSorted().map((name) => [name, fs.statSync(join(folder, name)).size])

describe.skipIf(!canMount)(`a full disk${skipped}`, () => {
  it.scopedLive("of the workspace fails what writes with a typed error, and leaves everything as it was", () =>
    Effect.gen(function*() {
      const workspace = yield* smallDisk(8 * mebibyte)
      const { dataDirectory } = yield* folders
      const gateway = yield* startProcess({ folders: { workspace, dataDirectory } })
      const { invoke } = yield* clientOf(gateway)
      const old = "old ".repeat(10_000)
      const large = "new ".repeat(mebibyte / 4)
      fs.writeFileSync(join(workspace, "kept.txt"), old)
      fs.writeFileSync(join(workspace, "source.txt"), large)
      const free = fill(workspace, 256 * 1024)
      const before = sizesIn(workspace)

      const failures = yield* Effect.all([
        Effect.flip(invoke("filesystem.write", { path: "kept.txt", content: large })),
        Effect.flip(invoke("filesystem.write", { path: "fresh.txt", content: large })),
        Effect.flip(invoke("filesystem.copy", { source: "source.txt", destination: "copy.txt" })),
        Effect.flip(
          invoke("filesystem.edit", { path: "source.txt", pattern: "new", replace: "newer", replace_all: true })
        )
      ])
      assert.deepStrictEqual(
        failures.map(({ _tag }) => _tag),
        ["DiskFull", "DiskFull", "ResourceExhausted", "ResourceExhausted"]
      )
      assert.deepStrictEqual(sizesIn(workspace), before)
      assert.strictEqual((yield* invoke("filesystem.read", { path: "kept.txt" })).content, old)

      yield* free
      yield* invoke("filesystem.write", { path: "kept.txt", content: large })
      assert.strictEqual((yield* invoke("filesystem.read", { path: "kept.txt" })).content, large)
      assert.notInclude(gateway.log(), "ERROR")
    }).pipe(quietly))

  it.scopedLive("of the workspace takes nothing of what cannot be appended as a whole", () =>
    Effect.gen(function*() {
      const workspace = yield* smallDisk(4 * mebibyte)
      const { dataDirectory } = yield* folders
      const gateway = yield* startProcess({ folders: { workspace, dataDirectory } })
      const { invoke } = yield* clientOf(gateway)
      const large = "new ".repeat(mebibyte / 4)
      fs.writeFileSync(join(workspace, "log.txt"), "old")
      const free = fill(workspace, 256 * 1024)
      const before = sizesIn(workspace)
      for (const path of ["log.txt", "fresh.log"]) {
        const failure = yield* Effect.flip(invoke("filesystem.append", { path, content: large }))
        assert.strictEqual(failure._tag, "DiskFull")
      }
      assert.deepStrictEqual(sizesIn(workspace), before)
      yield* free
      yield* invoke("filesystem.append", { path: "log.txt", content: large })
      assert.strictEqual(fs.readFileSync(join(workspace, "log.txt"), "utf8"), `old${large}`)
    }).pipe(quietly))

  it.scopedLive("of the data lets nothing begin that has to be recorded, and reading goes on", () =>
    Effect.gen(function*() {
      const { workspace } = yield* folders
      const dataDirectory = yield* smallDisk(4 * mebibyte)
      const gateway = yield* startProcess({ folders: { workspace, dataDirectory } })
      const { invoke } = yield* clientOf(gateway)
      fs.writeFileSync(join(workspace, "a.txt"), "a")
      const free = fill(dataDirectory)

      const unavailable = { error_type: "ServiceUnavailable", retryable: true, context: { service: "store" } }
      const socket = yield* open(gateway.url, { key: gateway.key })
      for (
        const answer of [
          yield* rpc(gateway, "session.create"),
          yield* socket.call("initialize", initializeParams())
        ]
      ) {
        assert.containSubset(at(answer, "error", "data"), unavailable)
      }
      const failure = yield* Effect.flip(invoke("filesystem.delete", { path: "a.txt" }))
      assert.strictEqual(failure._tag, "ServiceUnavailable")
      assert.strictEqual((yield* invoke("filesystem.read", { path: "a.txt" })).content, "a")

      yield* free
      assert.isDefined(at(yield* rpc(gateway, "session.create"), "result", "session_id"))
      assert.isDefined(at(yield* socket.call("initialize", initializeParams()), "result"))
      yield* invoke("filesystem.delete", { path: "a.txt" })
      assert.isFalse(fs.existsSync(join(workspace, "a.txt")))
      assert.strictEqual((yield* gateway.end("SIGTERM")).code, 0)
    }).pipe(quietly))

  it.scopedLive("of the data, while things are being done, does not make a lie of any answer", () =>
    Effect.gen(function*() {
      const { workspace } = yield* folders
      const dataDirectory = yield* smallDisk(4 * mebibyte)
      const gateway = yield* startProcess({ folders: { workspace, dataDirectory } })
      const { invoke } = yield* clientOf(gateway)
      const file = join(workspace, "tokens.txt")
      fs.writeFileSync(file, "")
      const free = fill(dataDirectory, 96 * 1024)
      const append = (token: string) => invoke("filesystem.append", { path: "tokens.txt", content: `${token}\n` })

      const wanted = new Map<string, boolean | undefined>()
      for (let count = 0; count < 200; count++) {
        const result = yield* Effect.either(append(`token-${count}`))
        if (result._tag === "Right") wanted.set(`token-${count}`, true)
        else {
          assert.include(["ServiceUnavailable", "OutcomeUnknown"], result.left._tag)
          wanted.set(`token-${count}`, result.left._tag === "OutcomeUnknown" ? undefined : false)
        }
      }
      const lines = fs.readFileSync(file, "utf8").split("\n").slice(0, -1)
      assert.strictEqual(new Set(lines).size, lines.length)
      for (const [token, isThere] of wanted) {
        if (isThere !== undefined) assert.strictEqual(lines.includes(token), isThere, token)
      }

      yield* free
      yield* append("last")
      assert.isTrue(fs.readFileSync(file, "utf8").endsWith("last\n"))
      assert.strictEqual((yield* gateway.end("SIGTERM")).code, 0)
    }).pipe(quietly))
})
