import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { join } from "node:path"
import { builtIn } from "../../../src/catalogue/builtIn.js"
import * as Policy from "../../../src/local/policy/Policy.js"
import { at, textAt } from "../../support/json.js"
import { initialized, type RawSocket } from "../../support/rawSocket.js"
import { decide } from "../../support/supervisor.js"
import { serveCustom } from "../protocol/customGateway.js"
import { begin, end } from "./things.js"

const policy = Policy.catalogueTiers(Object.values(builtIn))

const remove = (socket: RawSocket, transaction_id: string, path: string) =>
  Effect.map(
    socket.call("capabilities.invoke", { capability: "filesystem.delete", arguments: { path }, transaction_id }),
    (answer) => textAt(answer, "result", "error", "context", "approval_id")
  )

/** The next messages, by their methods. */
const messages = (socket: RawSocket, count: number) =>
  Effect.map(
    Effect.replicateEffect(socket.receive, count),
    (received) => new Map(received.map((message) => [textAt(message, "method"), at(message, "params")]))
  )

describe("a step that needs approval", () => {
  it.scopedLive("is carried out in its transaction once it is approved, and undone with it", () =>
    Effect.gen(function*() {
      const gateway = yield* serveCustom({ policy })
      const file = join(gateway.workspace, "a.txt")
      fs.writeFileSync(file, "alpha")
      const socket = yield* initialized(gateway)
      const id = yield* begin(socket)
      const approval = yield* remove(socket, id, "a.txt")
      expect(fs.existsSync(file)).toBe(true)
      yield* decide(gateway, approval, "approve")
      expect(yield* socket.receive).toMatchObject({ params: { approval_id: approval, status: "approved" } })
      expect(fs.existsSync(file)).toBe(false)
      expect(yield* end(socket, "rollback", id)).toEqual({
        rolled_back: ["filesystem.delete"],
        not_reversible: [],
        conflicts: []
      })
      expect(fs.readFileSync(file, "utf8")).toBe("alpha")
    }))

  it.scopedLive("rolls the transaction back when it is rejected, which is told", () =>
    Effect.gen(function*() {
      const gateway = yield* serveCustom({ policy })
      fs.writeFileSync(join(gateway.workspace, "a.txt"), "alpha")
      const socket = yield* initialized(gateway)
      const id = yield* begin(socket)
      yield* socket.call("capabilities.invoke", {
        capability: "filesystem.write",
        arguments: { path: "a.txt", content: "beta" },
        transaction_id: id
      })
      const approval = yield* remove(socket, id, "a.txt")
      yield* decide(gateway, approval, "reject")
      expect((yield* messages(socket, 2)).get("notifications/kruxos/transaction_ended"))
        .toEqual({ transaction_id: id, reason: "approval" })
      expect(fs.readFileSync(join(gateway.workspace, "a.txt"), "utf8")).toBe("alpha")
    }))

  it.scopedLive("is withdrawn when its transaction ends, and never carried out", () =>
    Effect.gen(function*() {
      const gateway = yield* serveCustom({ policy })
      fs.writeFileSync(join(gateway.workspace, "a.txt"), "alpha")
      const [socket, other] = [yield* initialized(gateway), yield* initialized(gateway)]
      const id = yield* begin(socket)
      const approval = yield* remove(socket, id, "a.txt")
      yield* socket.send({ jsonrpc: "2.0", id: 1, method: "transaction.rollback", params: { transaction_id: id } })
      expect(yield* other.receive).toMatchObject({ params: { approval_id: approval, status: "withdrawn" } })
      expect(fs.existsSync(join(gateway.workspace, "a.txt"))).toBe(true)
    }))
})
