import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as fs from "node:fs"
import { join } from "node:path"
import { open } from "../../../src/local/audit/inspect.js"
import type { AuditEntry } from "../../../src/local/store/AuditLog.js"
import { until } from "../../support/deadline.js"
import { folders, quietly, type TestGateway } from "../../support/gateway.js"
import { clientOf, startProcess } from "../../support/gatewayProcess.js"
import { at } from "../../support/json.js"
import { initializeParams, open as openSocket } from "../../support/rawSocket.js"
import { runs } from "../../support/runs.js"
import { canMount, fill, skipped, smallDisk } from "../../support/smallDisk.js"

const inspected = ({ dataDirectory }: Pick<TestGateway, "dataDirectory">) =>
  Effect.gen(function*() {
    const { list, verify } = yield* open(dataDirectory)
    return { found: yield* verify([]), entries: yield* list({ limit: 1_000_000 }) }
  }).pipe(Effect.scoped, Effect.orDie)

const contentOf = ({ details, kind }: AuditEntry): ReadonlyArray<string> => {
  const content = kind === "invocation_started" ? at(JSON.parse(details), "arguments", "content") : undefined
  return typeof content === "string" ? [content] : []
}

const linesOf = ({ workspace }: Pick<TestGateway, "workspace">) =>
  fs.readdirSync(workspace).filter((name) => name.endsWith(".txt")).flatMap((name) =>
    fs.readFileSync(join(workspace, name), "utf8").split("\n").slice(0, -1)
  )

describe("the audit log of gateways that are killed under load", () => {
  const times = runs(10)

  it.scopedLive(
    `${times} times, two on one data directory, is whole and has every effect`,
    () =>
      Effect.gen(function*() {
        const used = yield* folders
        const gateways = yield* Effect.all([startProcess({ folders: used }), startProcess({ folders: used })])
        const state = { isOver: false }
        const load = Effect.forEach(gateways, (gateway, index) =>
          Effect.gen(function*() {
            const { invoke } = yield* clientOf(gateway, {
              requestTimeout: Duration.seconds(8),
              reconnect: Schedule.spaced("20 millis")
            })
            yield* Effect.forEach([0, 1, 2, 3, 4, 5, 6, 7], (caller) =>
              Effect.gen(function*() {
                for (let count = 0; !state.isOver; count++) {
                  const content = `${index}-${caller}-${count}\n`
                  yield* Effect.exit(invoke("filesystem.append", { path: `${index}-${caller}.txt`, content }))
                  yield* Effect.exit(invoke("system.time", {}))
                }
              }), { concurrency: "unbounded", discard: true })
          }), { concurrency: "unbounded", discard: true })
        const running = yield* Effect.fork(Effect.scoped(load))
        for (let time = 0; time < times; time++) {
          for (const gateway of gateways) {
            const { length } = linesOf(used)
            yield* until("more lines", Effect.sync(() => linesOf(used).length > length + 5), "20 seconds")
            yield* Effect.sleep(Duration.millis(yield* Random.nextIntBetween(0, 100)))
            assert.strictEqual((yield* gateway.end("SIGKILL")).signal, "SIGKILL")
            const { entries, found } = yield* inspected(used)
            assert.deepStrictEqual(found.damage, Option.none())
            assert.isTrue(Option.isSome(found.kept) || time === 0)
            assert.isAbove(entries.length, 0)
            yield* gateway.startAgain
          }
        }
        state.isOver = true
        yield* running.await
        for (const gateway of gateways) yield* gateway.end("SIGTERM")
        const { entries, found } = yield* inspected(used)
        assert.deepStrictEqual(found.damage, Option.none())
        // The end of a gateway writes all that waits, and where the log ended.
        assert.deepStrictEqual(found.kept, Option.some(found.head))
        const started = new Set(entries.flatMap(contentOf))
        const lines = linesOf(used)
        assert.isAbove(lines.length, 50)
        assert.deepStrictEqual(lines.filter((line) => !started.has(`${line}\n`)), [], "effects without an entry")
        assert.deepStrictEqual(fs.readdirSync(used.dataDirectory).filter((name) => name.endsWith(".new")), [])
      }).pipe(quietly),
    180_000
  )
})

describe.skipIf(!canMount)(`the audit log on a full disk${skipped}`, () => {
  it.scopedLive(
    "lets nothing run that has effects, lets what is safe go on, and is whole afterwards",
    () =>
      Effect.gen(function*() {
        const { workspace } = yield* folders
        const dataDirectory = yield* smallDisk(8 * 1024 * 1024)
        const gateway = yield* startProcess({ folders: { workspace, dataDirectory } })
        const socket = yield* openSocket(gateway.url, { key: gateway.key })
        yield* socket.call("initialize", initializeParams())
        // Without a key: nothing but the audit log has to be written.
        const write = (name: string) =>
          socket.call("capabilities.invoke", {
            capability: "filesystem.write",
            arguments: { path: name, content: "x".repeat(1000) }
          })
        const time = socket.call("capabilities.invoke", { capability: "system.time", arguments: {} })
        const isRefused = (answer: unknown) => at(answer, "result", "error", "context", "service") === "store"

        assert.isTrue(at(yield* write("before"), "result", "success"))
        const free = fill(dataDirectory)
        // What was allotted to the database before is used up first.
        let refused: string | undefined
        for (let count = 0; refused === undefined && count < 5000; count++) {
          if (isRefused(yield* write(`file-${count}`))) refused = `file-${count}`
        }
        assert.isDefined(refused)
        assert.isFalse(fs.existsSync(join(workspace, refused ?? "")))
        for (let count = 0; count < 100; count++) assert.isTrue(at(yield* time, "result", "success"))
        assert.isTrue(isRefused(yield* write("while-full")))
        assert.isFalse(fs.existsSync(join(workspace, "while-full")))
        assert.include(gateway.log(), "The audit log cannot be written")

        yield* free
        assert.isTrue(at(yield* write("after"), "result", "success"))
        assert.include(gateway.log(), "The audit log can be written again")
        assert.strictEqual((yield* gateway.end("SIGTERM")).code, 0)
        // A copy, because the driver holds files open that would then keep the disk.
        const copy = yield* folders
        fs.cpSync(dataDirectory, copy.dataDirectory, { recursive: true })
        const { entries, found } = yield* inspected(copy)
        assert.deepStrictEqual(found.damage, Option.none())
        assert.deepStrictEqual(found.kept, Option.some(found.head))
        const times = entries.filter(({ capability }) => capability === "system.time")
        // Also those that were made while it was full: they waited.
        assert.isAtLeast(times.length, 100)
        const started = entries.filter(({ kind }) => kind === "invocation_started")
        for (const name of fs.readdirSync(workspace)) {
          assert.isTrue(started.some(({ details }) => details.includes(`"path":"${name}"`)), name)
        }
      }).pipe(quietly),
    30_000
  )
})
