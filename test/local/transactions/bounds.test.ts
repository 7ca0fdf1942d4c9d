import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { at } from "../../support/json.js"
import { initialized } from "../../support/rawSocket.js"
import { serveCustom } from "../protocol/customGateway.js"
import { begin, end, makeThings, take } from "./things.js"

const report = (rolled_back: number) => ({
  rolled_back: Array.from({ length: rolled_back }, () => "test.run"),
  not_reversible: [],
  conflicts: []
})

const refusal = (resource: string, limit: number) => expect.objectContaining({ resource, limit })

describe("transactions on the wire", () => {
  it.scopedLive("are bounded in number, depth and steps", () =>
    Effect.gen(function*() {
      const things = makeThings()
      const gateway = yield* serveCustom({ ...things.options, builtIn: false })
      const [socket, other] = [yield* initialized(gateway), yield* initialized(gateway)]
      const first = yield* begin(socket)
      let parent = first
      for (let depth = 2; depth <= 32; depth++) parent = yield* begin(socket, { parent })
      expect(at(yield* socket.call("transaction.begin", { parent }), "error", "data"))
        .toEqual(
          expect.objectContaining({ error_type: "ResourceExhausted", context: refusal("transaction_depth", 32) })
        )
      for (let count = 33; count <= 100; count++) yield* begin(count % 2 === 0 ? socket : other)
      expect(at(yield* other.call("transaction.begin"), "error", "data"))
        .toEqual(expect.objectContaining({ error_type: "ResourceExhausted", context: refusal("transactions", 100) }))
      expect(yield* end(socket, "rollback", parent)).toEqual(report(0))
      const id = yield* begin(socket)
      for (let count = 1; count <= 1000; count++) yield* take(socket, id, `a=${count}`)
      expect(yield* take(socket, id, "a=none"))
        .toEqual(expect.objectContaining({
          success: false,
          error: expect.objectContaining({ type: "ResourceExhausted", context: refusal("transaction_steps", 1000) })
        }))
      expect(yield* end(socket, "rollback", id)).toEqual(report(1000))
      expect(things.values.size).toBe(0)
    }), 120_000)
})
