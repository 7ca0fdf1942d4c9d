import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as fs from "node:fs"
import { join } from "node:path"
import { until, within } from "../../../support/deadline.js"
import { quietly } from "../../../support/gateway.js"
import { clientOf, startProcess } from "../../../support/gatewayProcess.js"
import { serveHttp } from "../../egress/servers.js"

it.scopedLive(
  "network.download that is killed leaves what was there, and nothing else when the next gateway has looked",
  () =>
    Effect.gen(function*() {
      const server = yield* serveHttp((_incoming, outgoing) => {
        outgoing.setHeader("content-length", "100000")
        outgoing.write("the beginning of it")
      })
      const gateway = yield* startProcess({ args: ["--allow-host", "127.0.0.1"] })
      const names = () => fs.readdirSync(gateway.workspace).filter((name) => name !== ".kruxos-trash").sort()
      const target = join(gateway.workspace, "a.bin")
      fs.writeFileSync(target, "old")
      yield* Effect.scoped(Effect.gen(function*() {
        const { invoke } = yield* clientOf(gateway)
        const input = { url: `http://127.0.0.1:${server.port}/`, path: "a.bin", overwrite: true }
        const downloading = yield* Effect.fork(Effect.exit(invoke("network.download", input)))
        const isWritten = (name: string) => fs.statSync(join(gateway.workspace, name)).size === 19
        yield* until("the beginning", Effect.sync(() => names().some((name) => name !== "a.bin" && isWritten(name))))
        yield* gateway.end("SIGKILL")
        assert.strictEqual(fs.readFileSync(target, "utf8"), "old")
        yield* Fiber.interrupt(downloading)
      }))
      yield* until("the sockets to be closed", Effect.sync(() => server.open() === 0))

      const left = names().filter((name) => name !== "a.bin")
      assert.strictEqual(left.length, 1)
      // What is younger than an hour may be another gateway's.
      for (const name of left) fs.utimesSync(join(gateway.workspace, name), 1, 1)
      yield* gateway.startAgain
      yield* until("the sweep", Effect.sync(() => names().length === 1))
      assert.deepStrictEqual([names(), fs.readFileSync(target, "utf8")], [["a.bin"], "old"])
    }).pipe(within("all of it", "40 seconds"), quietly),
  45_000
)
