import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestGateway from "../../support/gateway.js"
import { at, textAt } from "../../support/json.js"
import { rpc } from "../../support/rawHttp.js"
import { connect, initializeParams } from "../../support/rawSocket.js"

it.scopedLive("what a session watches, and that its agent has a message, is pushed to its socket", () =>
  Effect.gen(function*() {
    const gateway = yield* TestGateway.serve()
    const other = yield* gateway.addAgent("other")
    const socket = yield* connect(gateway)
    const answer = yield* socket.call("initialize", initializeParams())
    assert.deepStrictEqual(at(answer, "result", "capabilities", "experimental", "kruxos", "events"), {})
    const watched = yield* socket.call("capabilities.invoke", {
      capability: "state.shared.watch",
      arguments: { prefix: "config." }
    })
    const id = textAt(watched, "result", "data", "subscription_id")
    for (const key of ["other", "config.a"]) {
      yield* rpc(gateway, "capabilities.invoke", {
        capability: "state.shared.set",
        arguments: { key, value: 1, expected_version: 0 }
      }, other)
    }
    assert.deepStrictEqual(yield* socket.receive, {
      jsonrpc: "2.0",
      method: "notifications/kruxos/state_changed",
      params: { key: "config.a", version: 1, owner_agent: "other", deleted: false }
    })
    const message = yield* socket.receive
    assert.deepInclude(message, { method: "notifications/kruxos/message" })
    assert.strictEqual(textAt(message, "params", "channel"), `state:${id}`)
    const received = yield* socket.call("capabilities.invoke", { capability: "comms.receive" })
    assert.strictEqual(
      at(received, "result", "data", "messages", 0, "message_id"),
      textAt(message, "params", "message_id")
    )
  }))
