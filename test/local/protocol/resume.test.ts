import { assert, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as Memory from "../../../src/connection/memory.js"
import { converse } from "../../../src/local/protocol/conversation.js"
import { mostWaiting } from "../../../src/local/sessions/attaching.js"
import { Sessions } from "../../../src/local/sessions/Sessions.js"
import { Agents } from "../../../src/local/store/Agents.js"
import * as TestGateway from "../../support/gateway.js"
import { at, textAt } from "../../support/json.js"
import { rpc } from "../../support/rawHttp.js"
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

it.scopedLive("it is offered to those alone who have a connection that can be lost", () =>
  Effect.gen(function*() {
    const gateway = yield* TestGateway.serve()
    const answer = yield* (yield* connect(gateway)).call("initialize", resuming(null))
    assert.deepStrictEqual(at(answer, "result", "capabilities", "experimental", "kruxos", "resume"), {})
    const features = at(yield* rpc(gateway, "session.create"), "result", "features")
    assert.deepStrictEqual(at(features, "transactions"), {})
    assert.isUndefined(at(features, "resume"))
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

it.scopedLive("a connection whose session cannot go on elsewhere is left alone by one that names it", () =>
  Effect.gen(function*() {
    const gateway = yield* TestGateway.serve()
    const plain = yield* connect(gateway)
    const answer = yield* plain.call("initialize", initializeParams())
    const id = textAt(answer, "result", "capabilities", "experimental", "kruxos", "session", "session_id")
    yield* set(plain, 1)
    assert.isFalse((yield* begin(gateway, id)).resumed)
    assert.strictEqual(yield* get(plain), 1)
  }))

interface Conversation {
  readonly id: string
  readonly resumed: unknown
  readonly cut: Effect.Effect<void>
}

/** A connection to a core in memory, where the clock is the test's. */
const connected = Effect.gen(function*() {
  const agent = yield* Effect.flatMap(Effect.flatMap(Agents, (agents) => agents.get("agent")), (found) => found)
  const [client, server] = Memory.makePair()
  return { client, fiber: yield* Effect.forkScoped(converse(server, agent, "memory")) }
})

const asksFor = (resume: string | null) =>
  JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params: resuming(resume) })

const speak = (resume: string | null) =>
  Effect.gen(function*() {
    const { client, fiber } = yield* connected
    const answer = yield* Effect.async<string>((resumed) => {
      client.listen({
        onText: (text) => resumed(Effect.succeed(text)),
        onBinary: () => {},
        onPong: () => {},
        onClose: () => {}
      })
      client.send(asksFor(resume))
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

it.scoped("a client that says goodbye while it is given its session ends it", () =>
  inCore(Effect.gen(function*() {
    const { running } = yield* Sessions
    const first = yield* speak(null)
    yield* first.cut
    const { client, fiber } = yield* connected
    client.send(asksFor(first.id))
    client.close(1000, "")
    yield* Fiber.await(fiber)
    assert.strictEqual(running.size, 0)
  })))

/** A session whose connection is cut, but not gone before `slow` is done: it makes room for it by ending another one first. */
const slowlyLost = Effect.gen(function*() {
  const { running } = yield* Sessions
  const sessions = yield* Effect.replicateEffect(speak(null), mostWaiting)
  yield* Effect.forEach(sessions, ({ cut }) => cut)
  const slow = yield* Deferred.make<void>()
  const oldest = running.get(sessions[0]?.id ?? "")
  assert.isDefined(oldest)
  yield* Scope.addFinalizer(oldest.scope, Deferred.await(slow))
  const last = yield* speak(null)
  const cut = yield* Effect.fork(last.cut)
  yield* Effect.repeatN(Effect.yieldNow(), 200)
  return { last, cut, slow }
})

it.scoped("a lost session is found while another one ends to make room for it", () =>
  inCore(Effect.gen(function*() {
    const { cut, last, slow } = yield* slowlyLost
    const resumed = yield* Effect.fork(speak(last.id))
    yield* Effect.repeatN(Effect.yieldNow(), 200)
    yield* Deferred.succeed(slow, undefined)
    yield* Fiber.join(cut)
    assert.isTrue((yield* Fiber.join(resumed)).resumed)
  })))

it.scoped("a client that is gone before it is given its session is no bug of the gateway, and the session waits on", () =>
  Effect.gen(function*() {
    const errors: Array<unknown> = []
    const logger = Logger.make(({ logLevel, message }) => {
      if (LogLevel.greaterThanEqual(logLevel, LogLevel.Error)) errors.push(message)
    })
    yield* inCore(Effect.gen(function*() {
      const { cut, last, slow } = yield* slowlyLost
      const { client, fiber } = yield* connected
      client.send(asksFor(last.id))
      yield* Effect.repeatN(Effect.yieldNow(), 200)
      client.abort()
      yield* Fiber.await(fiber)
      yield* Deferred.succeed(slow, undefined)
      yield* Fiber.join(cut)
      assert.isTrue((yield* speak(last.id)).resumed)
    })).pipe(Effect.provide(Logger.add(logger)))
    assert.deepStrictEqual(errors, [])
  }))
