import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as Memory from "../../../src/connection/memory.js"
import { converse } from "../../../src/local/protocol/conversation.js"
import { mostWaiting } from "../../../src/local/sessions/attaching.js"
import { Sessions } from "../../../src/local/sessions/Sessions.js"
import { Agents } from "../../../src/local/store/Agents.js"
import * as TestGateway from "../../support/gateway.js"
import { at, textAt } from "../../support/json.js"
import { connect, initializeParams, type RawSocket } from "../../support/rawSocket.js"
import { customCore } from "./customGateway.js"

const resuming = (resume: string | null) => ({ ...initializeParams(), experimental: { kruxos: { resume } } })

const begin = (gateway: TestGateway.TestGateway, resume: string | null, key?: string) =>
  Effect.gen(function*() {
    const socket = yield* connect(gateway, key)
    const answer = yield* socket.call("initialize", resuming(resume))
    const session = at(answer, "result", "capabilities", "experimental", "kruxos", "session")
    return { socket, id: textAt(session, "session_id"), resumed: at(session, "resumed") }
  })

const set = (socket: RawSocket, value: unknown) =>
  socket.call("capabilities.invoke", { capability: "state.session.set", arguments: { key: "a", value } })

const get = (socket: RawSocket) =>
  Effect.map(
    socket.call("capabilities.invoke", { capability: "state.session.get", arguments: { key: "a" } }),
    (answer) => at(answer, "result", "data", "value")
  )

const watchersMessage = (socket: RawSocket) =>
  Effect.repeat(socket.receive, { until: (message) => at(message, "method") === "notifications/kruxos/state_changed" })

it.scopedLive("a session goes on after its connection was cut, with its state and what it watches", () =>
  Effect.gen(function*() {
    const gateway = yield* TestGateway.serve()
    const first = yield* begin(gateway, null)
    assert.isFalse(first.resumed)
    yield* set(first.socket, 7)
    yield* first.socket.call("capabilities.invoke", { capability: "state.shared.watch", arguments: { prefix: "w" } })
    yield* first.socket.cut
    const second = yield* begin(gateway, first.id)
    assert.isTrue(second.resumed)
    assert.strictEqual(second.id, first.id)
    assert.strictEqual(yield* get(second.socket), 7)
    yield* second.socket.send({
      jsonrpc: "2.0",
      id: "write",
      method: "capabilities.invoke",
      params: { capability: "state.shared.set", arguments: { key: "w1", value: 1, expected_version: 0 } }
    })
    assert.deepInclude(at(yield* watchersMessage(second.socket), "params"), { key: "w1", version: 1 })
  }))

it.scopedLive("a connection that is still there is fenced off, and told why", () =>
  Effect.gen(function*() {
    const gateway = yield* TestGateway.serve()
    const first = yield* begin(gateway, null)
    yield* set(first.socket, "kept")
    const second = yield* begin(gateway, first.id)
    assert.isTrue(second.resumed)
    assert.deepStrictEqual(yield* first.socket.closed, {
      code: 1001,
      reason: "the session goes on over another connection"
    })
    assert.strictEqual(yield* get(second.socket), "kept")
  }))

it.scopedLive("of two that resume one session at once, one goes on with it", () =>
  Effect.gen(function*() {
    const gateway = yield* TestGateway.serve()
    const first = yield* begin(gateway, null)
    yield* first.socket.cut
    const both = yield* Effect.all([begin(gateway, first.id), begin(gateway, first.id)], { concurrency: 2 })
    const last = yield* begin(gateway, first.id)
    assert.isTrue(both.some(({ resumed }) => resumed === true))
    assert.isTrue(last.resumed)
    yield* set(last.socket, 1)
    assert.strictEqual(yield* get(last.socket), 1)
  }))

it.scopedLive("a session is not given to another agent, nor to a new key, nor after a goodbye, nor to a client that cannot resume", () =>
  Effect.gen(function*() {
    const gateway = yield* TestGateway.serve()
    const other = yield* gateway.addAgent("other")
    const own = yield* begin(gateway, null)
    yield* own.socket.cut
    const foreign = yield* begin(gateway, own.id, other)
    assert.isFalse(foreign.resumed)
    assert.notStrictEqual(foreign.id, own.id)
    assert.isTrue((yield* begin(gateway, own.id)).resumed)

    const polite = yield* begin(gateway, null)
    yield* polite.socket.close
    yield* polite.socket.closed
    assert.isFalse((yield* begin(gateway, polite.id)).resumed)

    const plain = yield* connect(gateway)
    const answer = yield* plain.call("initialize", initializeParams())
    const plainId = textAt(answer, "result", "capabilities", "experimental", "kruxos", "session", "session_id")
    yield* plain.cut
    assert.isFalse((yield* begin(gateway, plainId)).resumed)

    const old = yield* begin(gateway, null)
    yield* old.socket.cut
    const newKey = yield* Effect.orDie(
      gateway.inStore(Effect.flatMap(Agents, (agents) => agents.rotate(gateway.agent)))
    )
    assert.isFalse((yield* begin(gateway, old.id, Redacted.value(newKey))).resumed)
  }))

interface Conversation {
  readonly id: string
  readonly resumed: unknown
  readonly cut: Effect.Effect<void>
}

/** Speaks with a core in memory, where the clock is the test's. */
const speak = (resume: string | null) =>
  Effect.gen(function*() {
    const agent = yield* Effect.flatMap(Effect.flatMap(Agents, (agents) => agents.get("agent")), (found) => found)
    const [client, server] = Memory.makePair()
    const fiber = yield* Effect.forkScoped(converse(server, agent, "memory"))
    const answer = yield* Effect.async<string>((resumed) => {
      client.listen({
        onText: (text) => resumed(Effect.succeed(text)),
        onBinary: () => {},
        onPong: () => {},
        onClose: () => {}
      })
      client.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params: resuming(resume) }))
    })
    const session = at(JSON.parse(answer), "result", "capabilities", "experimental", "kruxos", "session")
    const conversation: Conversation = {
      id: textAt(session, "session_id"),
      resumed: at(session, "resumed"),
      cut: Effect.zipRight(Effect.sync(() => client.abort()), Effect.asVoid(Fiber.await(fiber)))
    }
    return conversation
  })

const inCore = <A, E>(
  test: Effect.Effect<A, E, Effect.Effect.Context<ReturnType<typeof speak>> | Sessions | Scope.Scope>
) =>
  Effect.flatMap(
    TestGateway.folders,
    ({ workspace }) =>
      Effect.provide(
        Effect.zipRight(Effect.flatMap(Agents, (agents) => agents.create({ name: "agent" })), test),
        customCore({}, { database: ":memory:", workspace })
      )
  )

it.scoped("a lost session waits a minute for its client, and ends then", () =>
  inCore(Effect.gen(function*() {
    const { running } = yield* Sessions
    const first = yield* speak(null)
    yield* first.cut
    yield* TestClock.adjust("59 seconds")
    const second = yield* speak(first.id)
    assert.isTrue(second.resumed)
    yield* TestClock.adjust("10 minutes")
    assert.isTrue(running.has(first.id), "a session that was resumed does not end by the wait that is over")
    yield* second.cut
    yield* TestClock.adjust("61 seconds")
    assert.isFalse(running.has(first.id))
    assert.isFalse((yield* speak(first.id)).resumed)
  })))

it.scoped("a bounded number of lost sessions waits: the one that has waited longest ends for a new one", () =>
  inCore(Effect.gen(function*() {
    const { running } = yield* Sessions
    const ids: Array<string> = []
    for (let index = 0; index <= mostWaiting; index++) {
      const lost = yield* speak(null)
      ids.push(lost.id)
      yield* lost.cut
    }
    assert.strictEqual(running.size, mostWaiting)
    assert.isFalse(running.has(ids[0] ?? ""))
    assert.isTrue((yield* speak(ids[1] ?? "")).resumed)
  })))
