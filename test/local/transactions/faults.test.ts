import * as SqlClient from "@effect/sql/SqlClient"
import { SqlError } from "@effect/sql/SqlError"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { until } from "../../support/deadline.js"
import { folders, type TestGateway } from "../../support/gateway.js"
import { at } from "../../support/json.js"
import { initialized, type RawSocket } from "../../support/rawSocket.js"
import { serveCustom } from "../protocol/customGateway.js"
import { begin, end, makeThings, take } from "./things.js"

const report = (rolled_back: ReadonlyArray<string>) => ({ rolled_back, not_reversible: [], conflicts: [] })

/** From then on the store refuses to do something, until it is told not to. */
const refuse = ({ inStore }: TestGateway, what: string) =>
  Effect.asVoid(
    inStore(Effect.flatMap(SqlClient.SqlClient, (sql) =>
      sql.unsafe(`CREATE TRIGGER refused BEFORE ${what} BEGIN SELECT RAISE(ABORT, 'refused by the test'); END`)
        .unprepared))
  )

const allow = ({ inStore }: TestGateway) =>
  Effect.asVoid(inStore(Effect.flatMap(SqlClient.SqlClient, (sql) => sql`DROP TRIGGER refused`.unprepared)))

const serve = Effect.gen(function*() {
  const things = makeThings()
  const gateway = yield* serveCustom({ ...things.options, builtIn: false })
  return { things, gateway, socket: yield* initialized(gateway) }
})

/** The store does not answer what undoes a step. */
const noStore = Effect.die(new SqlError({ cause: new Error("refused by the test") }))

const storeFailed = expect.objectContaining({ error_type: "ServiceUnavailable", retryable: true })

describe("where the store fails", () => {
  it.scopedLive("nothing begins that is not in the journal", () =>
    Effect.gen(function*() {
      const { gateway, socket, things } = yield* serve
      const id = yield* begin(socket)
      yield* refuse(gateway, "INSERT ON transaction_steps")
      expect(at(yield* take(socket, id, "a=1"), "error", "type")).toBe("ServiceUnavailable")
      expect(things.values.size).toBe(0)
      expect(things.released).toEqual(["a"])
      yield* allow(gateway)
      expect(at(yield* take(socket, id, "a=1"), "success")).toBe(true)
    }))

  it.scopedLive("a rollback that cannot be noted is carried out all the same, and said when it is asked for again", () =>
    Effect.gen(function*() {
      const { gateway, socket, things } = yield* serve
      const id = yield* begin(socket)
      for (const text of ["a=1", "b=2", "c=3"]) yield* take(socket, id, text)
      yield* refuse(gateway, "UPDATE ON transaction_steps WHEN NEW.status = 'undone'")
      expect(yield* end(socket, "rollback", id)).toEqual(storeFailed)
      expect(things.values.size).toBe(0)
      expect(things.released).toEqual([])
      yield* allow(gateway)
      expect(yield* end(socket, "rollback", id)).toEqual(report(["test.run", "test.run", "test.run"]))
      expect(things.undone).toEqual(["c=3", "b=2", "a=1"])
      expect(things.released).toEqual(["a", "b", "c"])
    }))

  it.scopedLive("a rollback has room for its notes when there is room again only by what is undone", () =>
    Effect.gen(function*() {
      const { gateway, socket, things } = yield* serve
      const id = yield* begin(socket)
      for (const text of ["a=1", "b=2"]) yield* take(socket, id, text)
      yield* refuse(gateway, "UPDATE ON transaction_steps WHEN NEW.status = 'undone'")
      things.whileUndoing.set("a", Effect.orDie(allow(gateway)))
      expect(yield* end(socket, "rollback", id)).toEqual(report(["test.run", "test.run"]))
    }))

  it.scopedLive("a rollback that cannot even begin in the store is carried out", () =>
    Effect.gen(function*() {
      const { gateway, socket, things } = yield* serve
      const id = yield* begin(socket)
      yield* take(socket, id, "a=1")
      yield* refuse(gateway, "UPDATE ON transactions WHEN NEW.status = 'ending'")
      expect(yield* end(socket, "rollback", id)).toEqual(report(["test.run"]))
      expect(things.values.size).toBe(0)
    }))

  it.scopedLive("a rollback goes on where it was cut off, when it is asked for again", () =>
    Effect.gen(function*() {
      const { socket, things } = yield* serve
      const id = yield* begin(socket)
      for (const text of ["a=1", "b=2", "c=3"]) yield* take(socket, id, text)
      things.whileUndoing.set("b", noStore)
      expect(yield* end(socket, "rollback", id)).toEqual(storeFailed)
      expect(at(yield* take(socket, id, "d=4"), "error", "type")).toBe("TransactionClosed")
      expect([...things.values.keys()]).toEqual(["a", "b"])
      expect(things.released).toEqual([])
      things.whileUndoing.clear()
      expect(yield* end(socket, "rollback", id)).toEqual(report(["test.run", "test.run", "test.run"]))
      expect(things.undone).toEqual(["c=3", "b=2", "a=1"])
      expect(things.values.size).toBe(0)
    }))

  it.scopedLive("a commit has not happened, and can be asked for again", () =>
    Effect.gen(function*() {
      const { gateway, socket, things } = yield* serve
      const outer = yield* begin(socket)
      const inner = yield* begin(socket, { parent: outer })
      yield* take(socket, inner, "a=1")
      for (const id of [inner, outer]) {
        yield* refuse(gateway, "UPDATE ON transactions WHEN NEW.status = 'committed'")
        expect(yield* end(socket, "commit", id)).toEqual(storeFailed)
        yield* allow(gateway)
        expect(things.released).toEqual([])
        expect(yield* end(socket, "commit", id)).toEqual({ success: true })
      }
      expect(things.values.get("a")).toBe("1")
      expect(things.released).toEqual(["a"])
    }))

  it.scopedLive("a commit is on the disk before it is told, and before anything is released", () =>
    Effect.gen(function*() {
      const { gateway, socket } = yield* serve
      const id = yield* begin(socket)
      yield* refuse(
        gateway,
        "UPDATE ON transactions WHEN NEW.status = 'committed' AND (SELECT synchronous FROM pragma_synchronous) < 2"
      )
      expect(yield* end(socket, "commit", id)).toEqual({ success: true })
    }))

  it.scopedLive("the next gateway undoes what this one could not", () =>
    Effect.gen(function*() {
      const things = makeThings()
      const on = yield* folders
      const options = { ...things.options, builtIn: false }
      const first = yield* Scope.make()
      const gateway = yield* Scope.extend(serveCustom(options, Effect.succeed(on)), first)
      const socket = yield* Scope.extend(initialized(gateway), first)
      const id = yield* begin(socket)
      const nested = yield* begin(socket, { parent: id })
      for (const [each, text] of [[id, "a=1"], [nested, "b=2"], [id, "a=3"]] as const) yield* take(socket, each, text)
      things.whileUndoing.set("b", noStore)
      yield* Scope.close(first, Exit.void)
      expect([...things.values]).toEqual([["a", "1"], ["b", "2"]])
      things.whileUndoing.clear()
      const second = yield* serveCustom(options, Effect.succeed(on))
      expect(things.values.size).toBe(0)
      const again = yield* initialized(second)
      expect(yield* end(again, "rollback", id)).toEqual(report(["test.run", "test.run", "test.run"]))
      expect(yield* end(again, "rollback", nested)).toEqual(report(["test.run"]))
      expect(at(yield* end(again, "commit", id), "error", "context", "reason")).toBe("gateway_stop")
    }))
})

const invoke = (socket: RawSocket, capability: string, input: object, transaction_id?: string) =>
  Effect.map(
    socket.call("capabilities.invoke", { capability, arguments: input, transaction_id }),
    (answer) => at(answer, "result")
  )

describe("two gateways on one data directory", () => {
  it.scopedLive("leave each other's transactions alone as long as they live, and say what became of them", () =>
    Effect.gen(function*() {
      const things = makeThings()
      const on = yield* folders
      const options = { ...things.options, builtIn: false }
      const first = yield* Scope.make()
      const one = yield* Scope.extend(serveCustom(options, Effect.succeed(on)), first)
      // The other gateway gives the own agent a new key.
      const key = yield* one.addAgent("worker")
      const socket = yield* Scope.extend(initialized(one, key), first)
      const [kept, lost] = [yield* begin(socket), yield* begin(socket)]
      for (const [id, text] of [[kept, "a=1"], [lost, "b=1"]] as const) yield* take(socket, id, text)
      const two = yield* serveCustom(options, Effect.succeed(on))
      const other = yield* initialized(two, key)
      expect(things.values.size).toBe(2)
      expect(yield* end(other, "commit", kept)).toEqual(storeFailed)
      expect(at(yield* take(other, lost, "c=1"), "error", "type")).toBe("TransactionClosed")
      expect(yield* end(socket, "commit", kept)).toEqual({ success: true })
      expect(yield* end(other, "commit", kept)).toEqual({ success: true })
      yield* Scope.close(first, Exit.void)
      expect([...things.values.keys()]).toEqual(["a"])
      expect(yield* end(other, "rollback", lost)).toEqual(report(["test.run"]))
    }))
})

describe("a key of the state that somebody else has changed", () => {
  it.scopedLive("makes the commit fail with VersionConflict, and the rest is rolled back", () =>
    Effect.gen(function*() {
      const things = makeThings()
      const gateway = yield* serveCustom(things.options)
      const [socket, other] = [yield* initialized(gateway), yield* initialized(gateway)]
      const id = yield* begin(socket)
      yield* take(socket, id, "a=1")
      expect(at(yield* invoke(socket, "state.persistent.set", { key: "k", value: 1 }, id), "success")).toBe(true)
      expect(at(yield* invoke(socket, "state.persistent.get", { key: "k" }, id), "data", "value")).toBe(1)
      expect(at(yield* invoke(other, "state.persistent.get", { key: "k" }), "data", "found")).toBe(false)
      yield* invoke(other, "state.persistent.set", { key: "k", value: 2 })
      for (const each of [socket, other]) {
        expect(yield* end(each, "commit", id)).toEqual({
          ...report(["test.run", "state.persistent.set"]),
          success: false,
          error: expect.objectContaining({ type: "VersionConflict" })
        })
      }
      expect(things.values.size).toBe(0)
      expect(at(yield* invoke(socket, "state.persistent.get", { key: "k" }), "data", "value")).toBe(2)
    }))

  it.scopedLive("is there for all with everything else when the commit succeeds, and not when a savepoint is undone", () =>
    Effect.gen(function*() {
      const gateway = yield* serveCustom({})
      const [socket, other] = [yield* initialized(gateway), yield* initialized(gateway)]
      const id = yield* begin(socket)
      const lost = yield* begin(socket, { parent: id })
      const kept = yield* begin(socket, { parent: id })
      yield* invoke(socket, "state.persistent.set", { key: "lost", value: 1 }, lost)
      yield* invoke(socket, "state.persistent.set", { key: "kept", value: 1 }, kept)
      expect(yield* end(socket, "rollback", lost)).toEqual(report(["state.persistent.set"]))
      expect(yield* end(socket, "commit", kept)).toEqual({ success: true })
      expect(at(yield* invoke(socket, "state.persistent.get", { key: "kept" }, id), "data", "value")).toBe(1)
      expect(at(yield* invoke(other, "state.persistent.get", { key: "kept" }), "data", "found")).toBe(false)
      expect(yield* end(other, "commit", id)).toEqual({ success: true })
      expect(at(yield* invoke(other, "state.persistent.get", { key: "kept" }), "data", "value")).toBe(1)
      expect(at(yield* invoke(other, "state.persistent.get", { key: "lost" }), "data", "found")).toBe(false)
    }))
})

describe("a watch", () => {
  it.scopedLive("ends when the transaction is rolled back that it was begun in, and goes on when that is committed", () =>
    Effect.gen(function*() {
      const gateway = yield* serveCustom({})
      const [socket, other] = [yield* initialized(gateway), yield* initialized(gateway)]
      const changes: Array<string> = []
      for (const [prefix, how] of [["lost/", "rollback"], ["kept/", "commit"]] as const) {
        const id = yield* begin(socket)
        expect(at(yield* invoke(socket, "state.shared.watch", { prefix }, id), "success")).toBe(true)
        yield* end(socket, how, id)
      }
      for (const key of ["lost/1", "kept/1"]) {
        const set = yield* invoke(other, "state.shared.set", { key, value: 1, expected_version: 0 })
        expect(at(set, "success")).toBe(true)
      }
      yield* until(
        "a change",
        Effect.map(socket.receive, (message) => {
          changes.push(String(at(message, "params", "key")))
          return changes.includes("kept/1")
        })
      )
      expect(changes).toEqual(["kept/1"])
    }))
})
