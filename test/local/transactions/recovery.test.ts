import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { join } from "node:path"
import { quietly, type TestGateway } from "../../support/gateway.js"
import { type GatewayProcess, startProcess } from "../../support/gatewayProcess.js"
import { at, listAt, textAt } from "../../support/json.js"
import { initialized, type RawSocket } from "../../support/rawSocket.js"
import { runs } from "../../support/runs.js"
import { begin, end } from "./things.js"

const steps: ReadonlyArray<{ readonly capability: string; readonly input: object }> = [
  { capability: "filesystem.write", input: { path: "new/folder/file.txt", content: "new", create_parents: true } },
  { capability: "filesystem.write", input: { path: "a.txt", content: "other" } },
  { capability: "state.persistent.set", input: { key: "k", value: "in the transaction" } },
  { capability: "filesystem.append", input: { path: "b.txt", content: "more\n" } },
  {
    capability: "filesystem.edit",
    input: { path: "b.txt", pattern: "beta", replace: "gamma", expected_replacements: 1 }
  },
  { capability: "filesystem.copy", input: { source: "b.txt", destination: "new/folder/b.txt" } },
  { capability: "state.shared.set", input: { key: "s", value: "in the transaction", expected_version: 1 } },
  { capability: "filesystem.move", input: { source: "folder/inner/c.txt", destination: "c.txt" } },
  { capability: "filesystem.delete", input: { path: "b.txt" } },
  { capability: "filesystem.delete", input: { path: "c.txt" } }
]

/** Every file and directory with what is in it and when it was changed, but what is kept for the gateway itself. */
const pictureOf = ({ workspace }: TestGateway) =>
  fs.readdirSync(workspace, { recursive: true, withFileTypes: true })
    .map((entry) => ({ entry, path: join(entry.parentPath, entry.name).slice(workspace.length) }))
    .filter(({ path }) => !path.startsWith("/.kruxos"))
    .map(({ entry, path }) => {
      const { mode } = fs.lstatSync(join(workspace, path))
      return entry.isFile() ? `${path} ${mode} ${fs.readFileSync(join(workspace, path), "utf8")}` : `${path}/ ${mode}`
    })
    .sort()

const invoke = (socket: RawSocket, capability: string, input: object, more: object = {}) =>
  Effect.map(
    socket.call("capabilities.invoke", { capability, arguments: input, ...more }),
    (answer) => at(answer, "result")
  )

const stateOf = (socket: RawSocket) =>
  Effect.all([
    invoke(socket, "state.persistent.get", { key: "k" }),
    invoke(socket, "state.shared.get", { key: "s" })
  ]).pipe(Effect.map((found) => found.map((each) => [at(each, "data", "value"), at(each, "data", "version")])))

const fill = ({ workspace }: TestGateway) =>
  Effect.sync(() => {
    fs.writeFileSync(join(workspace, "a.txt"), "alpha")
    fs.writeFileSync(join(workspace, "b.txt"), "beta\n")
    fs.mkdirSync(join(workspace, "folder", "inner"), { recursive: true })
    fs.writeFileSync(join(workspace, "folder", "inner", "c.txt"), "c".repeat(100_000))
    fs.writeFileSync(join(workspace, "bystander.txt"), "mine")
    fs.chmodSync(join(workspace, "a.txt"), 0o600)
  })

const prepared = Effect.gen(function*() {
  const gateway = yield* startProcess()
  yield* fill(gateway)
  const socket = yield* initialized(gateway)
  yield* invoke(socket, "state.persistent.set", { key: "k", value: "before" })
  yield* invoke(socket, "state.shared.set", { key: "s", value: "before", expected_version: 0 })
  return { gateway, state: yield* stateOf(socket) }
})

/** Makes the first steps of a transaction, and kills the gateway when the next one is on its way. */
const killIn = (gateway: GatewayProcess, done: number) =>
  Effect.gen(function*() {
    const socket = yield* initialized(gateway)
    const id = yield* begin(socket)
    for (const [index, { capability, input }] of steps.slice(0, done).entries()) {
      const result = yield* invoke(socket, capability, input, { transaction_id: id, idempotency_key: `key-${index}` })
      expect(result).toEqual({ success: true, data: expect.anything() })
    }
    const next = steps[done]
    if (next !== undefined) {
      const params = { capability: next.capability, arguments: next.input, transaction_id: id }
      yield* socket.send({ jsonrpc: "2.0", id: "next", method: "capabilities.invoke", params })
    }
    yield* gateway.end("SIGKILL")
    return id
  }).pipe(Effect.scoped)

const every = runs(10) < 10 ? [0, 3, 8, 10] : Array.from({ length: 11 }, (_, done) => done)

describe("a gateway that is killed in a transaction of ten steps", () => {
  it.scopedLive(
    "has everything as it was before it serves again, and says so, whatever the step",
    () =>
      Effect.gen(function*() {
        const { gateway, state } = yield* prepared
        const before = pictureOf(gateway)
        for (const done of every) {
          const id = yield* killIn(gateway, done)
          yield* gateway.startAgain
          expect(pictureOf(gateway)).toEqual(before)
          const socket = yield* initialized(gateway)
          expect(yield* stateOf(socket)).toEqual(state)
          const answer = yield* end(socket, "commit", id)
          expect(at(answer, "error", "type")).toBe("TransactionClosed")
          expect(listAt(answer, "conflicts")).toEqual([])
          const files = steps.slice(0, done).map(({ capability }) => capability).filter((name) => name.startsWith("f"))
          const undone = listAt(answer, "rolled_back")
          // That of the step which was on its way may be among them.
          expect(undone.slice(undone.length - files.length)).toEqual(files.reverse())
          expect(undone.length - files.length).toBeLessThanOrEqual(1)
          const known = yield* socket.call("capabilities.outcome", { idempotency_key: "key-0" })
          expect(textAt(known, "result", "status")).toBe("not_found")
        }
        yield* gateway.end("SIGTERM")
      }).pipe(quietly),
    120_000
  )

  it.scopedLive(
    "has all of it once it is committed, and says that too",
    () =>
      Effect.gen(function*() {
        const { gateway } = yield* prepared
        const socket = yield* initialized(gateway)
        const id = yield* begin(socket)
        for (const { capability, input } of steps) {
          expect(yield* invoke(socket, capability, input, { transaction_id: id })).toMatchObject({ success: true })
        }
        expect(yield* end(socket, "commit", id)).toEqual({ success: true })
        const after = pictureOf(gateway)
        yield* gateway.end("SIGKILL")
        yield* gateway.startAgain
        expect(pictureOf(gateway)).toEqual(after)
        const again = yield* initialized(gateway)
        expect(yield* stateOf(again)).toEqual([["in the transaction", 2], ["in the transaction", 2]])
        expect(yield* end(again, "commit", id)).toEqual({ success: true })
        yield* gateway.end("SIGTERM")
      }).pipe(quietly),
    60_000
  )

  it.scopedLive(
    "that is told to stop rolls back at once, and ends in time",
    () =>
      Effect.gen(function*() {
        const { gateway } = yield* prepared
        const before = pictureOf(gateway)
        const socket = yield* initialized(gateway)
        const id = yield* begin(socket)
        for (const { capability, input } of steps) yield* invoke(socket, capability, input, { transaction_id: id })
        expect(pictureOf(gateway)).not.toEqual(before)
        yield* gateway.signal("SIGTERM")
        expect(yield* gateway.ended).toEqual({ code: 0, signal: null })
        expect(pictureOf(gateway)).toEqual(before)
      }).pipe(quietly),
    60_000
  )
})
