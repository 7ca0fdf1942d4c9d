import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { join } from "node:path"
import { until } from "../../support/deadline.js"
import * as TestGateway from "../../support/gateway.js"
import { at, listAt, textAt } from "../../support/json.js"
import { post } from "../../support/rawHttp.js"
import { initialized, type RawSocket } from "../../support/rawSocket.js"

const gateway = TestGateway.Gateway

const invocation = (id: unknown, capability: string, given: object = {}) => ({
  jsonrpc: "2.0",
  id,
  method: "capabilities.invoke",
  params: { capability, arguments: given }
})

const receiveAll = (socket: RawSocket, count: number) => Effect.all(Array.from({ length: count }, () => socket.receive))

layer(TestGateway.layer(), { excludeTestServices: true })("connections", (it) => {
  it.scoped("are 100 at once, each with answers of its own", () =>
    Effect.gen(function*() {
      const served = yield* gateway
      const numbers = Array.from({ length: 100 }, (_, index) => index)
      const sockets = yield* Effect.forEach(numbers, () => initialized(served), { concurrency: "unbounded" })
      for (const number of numbers) fs.writeFileSync(join(served.workspace, `${number}.txt`), `content ${number}`)
      const seen = yield* Effect.forEach(sockets, (socket, number) =>
        Effect.gen(function*() {
          // Every socket uses the same ids.
          yield* socket.send(invocation(1, "filesystem.read", { path: `${number}.txt` }))
          yield* socket.send(invocation(2, "agent.session"))
          const answers = yield* receiveAll(socket, 2)
          const content = answers.find((answer) => at(answer, "id") === 1)
          const session = answers.find((answer) => at(answer, "id") === 2)
          expect(at(content, "result", "data", "content")).toBe(`content ${number}`)
          return textAt(session, "result", "data", "session_id")
        }), { concurrency: "unbounded" })
      expect(new Set(seen).size).toBe(100)
    }))

  it.scoped("of two agents never see each other's replies", () =>
    Effect.gen(function*() {
      const served = yield* gateway
      const agents = [
        { name: served.agent, key: served.key },
        { name: "other", key: yield* served.addAgent("other") }
      ]
      const rounds = Array.from({ length: 50 }, (_, index) => index)
      yield* Effect.forEach(agents, ({ key, name }) =>
        Effect.gen(function*() {
          const socket = yield* initialized(served, key)
          const asking = Effect.forEach(rounds, (id) => socket.send(invocation(id, "agent.whoami")))
          const [, answers] = yield* Effect.all([asking, receiveAll(socket, rounds.length)], { concurrency: 2 })
          expect(new Set(answers.map((answer) => at(answer, "id")))).toEqual(new Set(rounds))
          for (const answer of answers) expect(at(answer, "result", "data", "agent_name")).toBe(name)
          const { body } = yield* post(served, rounds.map((id) => invocation(id, "agent.whoami")), { key })
          for (const answer of listAt(body)) expect(at(answer, "result", "data", "agent_name")).toBe(name)
        }), { concurrency: "unbounded" })
    }))

  it.scoped("keep the answers to many requests at once apart", () =>
    Effect.gen(function*() {
      const socket = yield* initialized(yield* gateway)
      const ids = Array.from({ length: 500 }, (_, index) => index % 2 === 0 ? index : `text ${index}`)
      for (const id of ids) yield* socket.send(invocation(id, "filesystem.read", { path: `${id}.none` }))
      const answers = yield* receiveAll(socket, ids.length)
      for (const answer of answers) {
        expect(at(answer, "result", "error", "context", "path")).toBe(`/workspace/${String(at(answer, "id"))}.none`)
      }
      expect(new Set(answers.map((answer) => at(answer, "id")))).toEqual(new Set(ids))
    }))

  it.scoped("that do not read their answers are read no further, and lose nothing", () =>
    Effect.gen(function*() {
      const served = yield* gateway
      const size = 4 * 1024 * 1024
      fs.writeFileSync(join(served.workspace, "large"), "x".repeat(size))
      const socket = yield* initialized(served)
      const other = yield* initialized(served)
      yield* socket.pause
      const reads = Array.from({ length: 12 }, (_, id) => invocation(id, "filesystem.read", { path: "large" }))
      for (const read of reads) yield* socket.send(read)
      // What the gateway holds for the client is more than it wants to hold as soon as the reads are done.
      yield* until(
        "the reads",
        Effect.map(other.call("capabilities.invoke", { capability: "agent.session" }), () => true)
      )
      for (let round = 0; round < 200; round++) yield* other.call("tools/list")
      yield* socket.send(invocation("last", "filesystem.write", { path: "marker", content: "" }))
      for (let round = 0; round < 100; round++) yield* other.call("ping")
      expect(fs.existsSync(join(served.workspace, "marker"))).toBe(false)
      yield* socket.resume
      const answers = yield* receiveAll(socket, reads.length + 1)
      const contents = answers.flatMap((answer) => {
        const content = at(answer, "result", "data", "content")
        return typeof content === "string" ? [content.length] : []
      })
      expect(contents).toEqual(reads.map(() => size))
      expect(fs.existsSync(join(served.workspace, "marker"))).toBe(true)
    }))

  it.scoped("that have 128 MiB unread are ended with a reason, and no others", () =>
    Effect.gen(function*() {
      const served = yield* gateway
      fs.writeFileSync(join(served.workspace, "huge"), "x".repeat(14 * 1024 * 1024))
      const socket = yield* initialized(served)
      const other = yield* initialized(served)
      yield* socket.pause
      for (let id = 0; id < 16; id++) yield* socket.send(invocation(id, "filesystem.read", { path: "huge" }))
      const mine = Effect.map(other.call("capabilities.invoke", { capability: "agent.whoami" }), () => true)
      yield* until("an answer", mine)
      yield* socket.send(invocation("never", "agent.whoami"))
      yield* socket.resume
      expect(yield* socket.closed).toEqual({
        code: 1013,
        reason: "more than 128 MiB of answers are unread: read faster, or ask for less at a time"
      })
      yield* other.call("ping")
    }), 60_000)
})
