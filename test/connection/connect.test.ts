import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { ConnectionFailed } from "../../src/errors/gateway.js"
import {
  type Handler,
  initialized,
  initializeResult,
  make,
  native,
  requests,
  settled
} from "../support/scriptedGateway.js"
import { call, linkTo } from "./linkSupport.js"

const answering = (result: unknown): Handler => (message, server) => {
  if (message._tag === "Request") server.answer(message.id, result)
}

const refusing = (code: number, message: string): Handler => (request, server) => {
  if (request._tag === "Request") server.refuse(request.id, { code, message })
}

describe("the first connection", () => {
  it.scoped("introduces itself as MCP has it, and says that it is ready", () =>
    Effect.gen(function*() {
      const gateway = make(initialized())
      const link = yield* linkTo(gateway, { clientName: "my agent" })
      yield* settled
      const received = gateway.connections[0]?.received ?? []
      assert.deepInclude(received[0], {
        _tag: "Request",
        method: "initialize",
        params: {
          protocolVersion: "2024-11-05",
          clientInfo: { name: "my agent", version: "0.1.0" },
          capabilities: {},
          experimental: { kruxos: { resume: null } }
        }
      })
      assert.deepInclude(received[1], { _tag: "Notification", method: "notifications/initialized" })
      const { dialect, features, session } = yield* link.channel
      assert.strictEqual(dialect, "mcp")
      assert.strictEqual(features.size, 0)
      assert.deepStrictEqual(session, {
        id: undefined,
        agent: undefined,
        createdAt: undefined,
        serverName: "kruxos-gateway",
        serverVersion: "0.0.3",
        protocolVersion: "2024-11-05"
      })
    }))

  it.scoped("reads what this project's gateway advertises, and nothing else", () =>
    Effect.gen(function*() {
      const gateway = make(initialized(() => {}, {
        ...native,
        session: { session_id: "s", agent: "a", resumed: false, created_at: "2026-01-02T03:04:05" },
        approvals: {},
        idempotency: true,
        teleportation: {}
      }))
      const { dialect, features, session } = yield* (yield* linkTo(gateway)).channel
      assert.strictEqual(dialect, "native")
      assert.deepStrictEqual([...features].toSorted(), ["approvals", "native"])
      assert.strictEqual(session.id, "s")
      assert.strictEqual(session.agent, "a")
      assert.strictEqual(
        DateTime.formatIso(Option.getOrThrow(Option.fromNullable(session.createdAt))),
        "2026-01-02T03:04:05.000Z"
      )
    }))

  it.scoped("fails as the dial fails, once", () =>
    Effect.gen(function*() {
      const refused = new ConnectionFailed({ message: "nobody there" })
      const gateway = make(refused)
      assert.strictEqual(yield* Effect.flip(linkTo(gateway)), refused)
      assert.strictEqual(gateway.dials(), 1)
    }))

  it.scoped.each(
    [
      ["the code for a bad key", refusing(-32003, "bad key"), "AuthenticationFailed", true],
      ["another code", refusing(-32603, "broken"), "ConnectionFailed", true],
      ["a rate limit", refusing(-32000, "slow down"), "ConnectionFailed", true],
      [
        "close 1008",
        (_: unknown, server: { close: (code: number, reason: string) => void }) => server.close(1008, "bad key"),
        "AuthenticationFailed",
        false
      ],
      [
        "close 1011",
        (_: unknown, server: { close: (code: number, reason: string) => void }) => server.close(1011, "broken"),
        "ConnectionFailed",
        false
      ],
      ["nothing", answering(null), "ConnectionFailed", true],
      ["a result without a version", answering({ capabilities: {} }), "ConnectionFailed", true],
      ["a result of another form", answering({ ...initializeResult(), capabilities: 7 }), "ConnectionFailed", true]
    ] as const
  )("is refused by %s", ([, handler, tag, stillOpen]) =>
    Effect.gen(function*() {
      const gateway = make(handler)
      const failure = yield* Effect.flip(linkTo(gateway))
      assert.strictEqual(failure._tag, tag)
      yield* settled
      // Whoever is refused hangs up.
      if (stillOpen) assert.isTrue(gateway.connections[0]?.isClosed())
    }))

  it.scoped("says that an answer which is not MCP's will not get better", () =>
    Effect.gen(function*() {
      const failure = yield* Effect.flip(linkTo(make(answering({}))))
      assert.isFalse(failure.retryable)
    }))

  it.scoped.each([["a dial that hangs", "hang"], ["a gateway that does not answer", () => {}]] as const)(
    "does not wait longer than the request timeout for %s",
    ([, step]) =>
      Effect.gen(function*() {
        const gateway = make(step)
        const fiber = yield* Effect.fork(Effect.flip(linkTo(gateway, { requestTimeoutMillis: 5000 })))
        yield* settled
        yield* TestClock.adjust("4999 millis")
        assert.isTrue(Option.isNone(yield* Fiber.poll(fiber)))
        yield* TestClock.adjust("1 millis")
        assert.strictEqual((yield* Fiber.join(fiber))._tag, "ConnectionFailed")
        yield* settled
        assert.isTrue(gateway.connections.every((server) => server.isClosed()))
      })
  )

  it.scoped("answers a ping, and says of anything else that it has no such method", () =>
    Effect.gen(function*() {
      const gateway = make(initialized())
      yield* linkTo(gateway)
      const server = gateway.connections[0]
      server?.ask("p-1", "ping")
      server?.ask(0, "sampling/createMessage", {})
      yield* settled
      const answers = (server?.received ?? []).filter(({ _tag }) => _tag === "Success" || _tag === "Failure")
      assert.deepStrictEqual(answers, [
        { _tag: "Success", id: "p-1", result: {} },
        {
          _tag: "Failure",
          id: 0,
          error: { code: -32601, message: "This client has no method sampling/createMessage", data: undefined }
        }
      ])
    }))

  it.scoped("goes on after frames that are none of its business", () =>
    Effect.gen(function*() {
      const gateway = make(initialized(({ id }, server) => server.answer(id, "still here")))
      const link = yield* linkTo(gateway)
      for (const text of ["", "nonsense", "[]", "{}", "{\"jsonrpc\":\"2.0\",\"id\":77,\"result\":1}"]) {
        gateway.connections[0]?.send(text)
      }
      assert.strictEqual(yield* call(link), "still here")
      assert.strictEqual(requests(gateway.connections[0]).length, 1)
    }))
})
