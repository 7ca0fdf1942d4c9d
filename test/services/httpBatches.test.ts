import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import { Capabilities, Gateway } from "kruxos"
import { until, within } from "../support/deadline.js"
import { at } from "../support/json.js"
import { rpcServer } from "../support/realServers.js"
import {
  answering,
  bodiesOfInvocations,
  gateway,
  invocations,
  key,
  layer,
  methods,
  stat,
  success
} from "./httpSupport.js"

const echo = gateway((params) => success({ exists: true, type: at(params, "arguments", "path") }))

const statOf = (path: string) =>
  Effect.flatMap(Capabilities, ({ invoke }) => Effect.either(invoke("filesystem.stat", { path })))

const all = (paths: ReadonlyArray<string>) => Effect.forEach(paths, statOf, { concurrency: "unbounded" })

const hundred = Array.from({ length: 100 }, (_, index) => `file-${index}`)

const typesOf = (results: ReadonlyArray<Either.Either<{ readonly type?: unknown }, unknown>>) =>
  results.map((result) => Either.isRight(result) ? result.right.type : result.left)

describe("HTTP in batches", () => {
  it.scopedLive("sends one array, and each gets its own answer, whatever their order", () =>
    Effect.gen(function*() {
      const server = yield* rpcServer(echo)
      const results = yield* Effect.provide(all(["a", "b", "c"]), layer(server))
      assert.deepStrictEqual(typesOf(results), ["a", "b", "c"])
      assert.deepStrictEqual(methods(server), [
        "session.create",
        ["capabilities.invoke", "capabilities.invoke", "capabilities.invoke"],
        "session.end"
      ])
    }).pipe(within("the answers")))

  it.scopedLive("sends a hundred in ten requests at most", () =>
    Effect.gen(function*() {
      const server = yield* rpcServer(echo)
      const results = yield* Effect.provide(all(hundred), layer(server))
      assert.deepStrictEqual(typesOf(results), hundred)
      assert.strictEqual(invocations(server).length, 100)
      assert.isAtMost(bodiesOfInvocations(server), 10)
    }).pipe(within("the answers")))

  it.scopedLive("of fibers that have nothing to do with each other, too", () =>
    Effect.gen(function*() {
      const server = yield* rpcServer(echo)
      yield* Effect.gen(function*() {
        const fibers = yield* Effect.forEach(hundred, (path, index) => {
          // Some ask at once, some from fibers of their own, and some after a turn of the scheduler.
          const asked = index % 3 === 0 ? statOf(path) : Effect.zipRight(Effect.yieldNow(), statOf(path))
          return Effect.forkDaemon(index % 2 === 0 ? asked : Effect.flatten(Effect.fork(asked)))
        })
        const results = yield* Effect.forEach(fibers, (fiber) => Fiber.join(fiber))
        assert.deepStrictEqual(typesOf(results), hundred)
      }).pipe(Effect.provide(layer(server)))
      assert.isAtMost(bodiesOfInvocations(server), 10)
    }).pipe(within("the answers")))

  it.scopedLive("by the standard fetch, too", () =>
    Effect.gen(function*() {
      const server = yield* rpcServer(echo)
      const overFetch = Gateway.layer({ host: server.host, apiKey: Redacted.make(key), transport: "http" })
      const results = yield* Effect.provide(all(hundred), overFetch)
      assert.deepStrictEqual(typesOf(results), hundred)
      assert.isAtMost(bodiesOfInvocations(server), 10)
    }).pipe(within("the answers")))

  it.scopedLive("does so again and again, as long as they go on together", () =>
    Effect.gen(function*() {
      const server = yield* rpcServer(echo)
      yield* Effect.provide(Effect.zipRight(all(hundred), all(hundred)), layer(server))
      yield* Effect.forEach(hundred.slice(0, 16), (path) => Effect.all([statOf(path), statOf(path), statOf(path)]), {
        concurrency: "unbounded"
      }).pipe(Effect.provide(layer(server)))
      assert.isAtMost(bodiesOfInvocations(server), 20 + 3)
    }).pipe(within("the answers")))

  it.scopedLive("sends one alone as it is, and one after the other by themselves", () =>
    Effect.gen(function*() {
      const server = yield* rpcServer(echo)
      yield* Effect.provide(Effect.zipRight(stat, stat), layer(server))
      assert.deepStrictEqual(methods(server), [
        "session.create",
        "capabilities.invoke",
        "capabilities.invoke",
        "session.end"
      ])
    }).pipe(within("the answers")))

  it.scopedLive("gives each its own error", () =>
    Effect.gen(function*() {
      const server = yield* rpcServer(gateway((params) => {
        const path = String(at(params, "arguments", "path"))
        const message = `There is no ${path}`
        return Number(path.slice("file-".length)) % 2 === 0
          ? success({ exists: true, type: path })
          : { result: { success: false, error: { type: "FileNotFound", message, recovery: [] } } }
      }))
      const results = yield* Effect.forEach(hundred, (path) =>
        Effect.flatMap(Capabilities, ({ invokeDynamic }) =>
          Effect.either(invokeDynamic("filesystem.read", { path }))), { concurrency: "unbounded" }).pipe(
          Effect.provide(layer(server))
        )
      assert.deepStrictEqual(
        results.map((result) =>
          Either.isRight(result) ? at(result.right, "type") : result.left.message
        ),
        hundred.map((path, index) => index % 2 === 0 ? path : `There is no ${path}`)
      )
      assert.isAtMost(bodiesOfInvocations(server), 10)
    }).pipe(within("the answers")))

  it.scopedLive("lets no failure of one be the failure of another", () =>
    Effect.gen(function*() {
      const server = yield* rpcServer(gateway((params) => {
        const asked = at(params, "arguments", "path")
        if (asked === "refused") return { error: { code: -32001, message: "no" } }
        if (asked === "lost") return "silence"
        return success({ exists: true, type: asked })
      }))
      const large = "x".repeat(17 * 1024 * 1024)
      const results = yield* Effect.flatMap(Capabilities, ({ invokeDynamic }) =>
        Effect.forEach(
          [{ path: "good" }, { path: 1n }, { path: "refused" }, { path: large }, { path: "lost" }, {
            path: "also good"
          }],
          (input) => Effect.either(invokeDynamic("pack.stat", input)),
          { concurrency: "unbounded" }
        )).pipe(Effect.provide(layer(server)))
      const tags = results.map((result) => Either.isRight(result) ? at(result.right, "type") : result.left._tag)
      assert.deepStrictEqual(tags, [
        "good",
        "InvalidInput",
        "PolicyDenied",
        "InvalidInput",
        "OutcomeUnknown",
        "also good"
      ])
      assert.deepStrictEqual(methods(server)[1], Array.from({ length: 4 }, () => "capabilities.invoke"))
    }).pipe(within("the answers")))

  it.scopedLive("sends large ones by themselves, and as many as make a mebibyte together", () =>
    Effect.gen(function*() {
      const server = yield* rpcServer(
        gateway((params) => success({ exists: true, type: String(at(params, "arguments", "path")).charAt(0) }))
      )
      const paths = ["a", "b", "c", "d"]
      yield* Effect.gen(function*() {
        const large = yield* all(paths.map((letter) => letter.repeat(6 * 1024 * 1024)))
        const small = yield* all(paths.map((letter) => letter.repeat(400 * 1024)))
        assert.deepStrictEqual([...typesOf(large), ...typesOf(small)], [...paths, ...paths])
      }).pipe(Effect.provide(layer(server)))
      const one = "capabilities.invoke"
      assert.deepStrictEqual(methods(server).slice(1, 7), [one, one, one, one, [one, one], [one, one]])
      assert.isTrue(server.requests.every(({ text }) => text.length < 7 * 1024 * 1024))
    }).pipe(within("the answers", "15 seconds")))
})

describe("HTTP does not put together with others", () => {
  const released = Effect.suspend(() => {
    const held: Array<() => void> = []
    const server = rpcServer((text, response) => {
      if (text.includes("slow")) held.push(() => echo(text, response))
      else echo(text, response)
    })
    return Effect.map(server, (each) => ({ ...each, held }))
  })

  it.scopedLive("what may take long: what has more time than usual, and what waits for a program or another machine", () =>
    Effect.gen(function*() {
      const server = yield* released
      yield* Effect.gen(function*() {
        const { invokeDynamic } = yield* Capabilities
        const slowOnes = [
          invokeDynamic("process.run", { command: "slow" }),
          invokeDynamic("network.http_request", { url: "http://slow.example", timeout: 1 }),
          invokeDynamic("git.pull", { path: "slow" }, { timeout: "5 seconds" }),
          invokeDynamic("pack.wait", { for: "slow" }, { timeout: "31 seconds" })
        ]
        yield* Effect.forEach(slowOnes, (each) => Effect.fork(each))
        const results = yield* all(["a", "b", "c"])
        assert.deepStrictEqual(typesOf(results), ["a", "b", "c"])
        yield* until("the slow ones", Effect.sync(() => server.held.length === 4))
        assert.strictEqual(bodiesOfInvocations(server), 5)
        server.held.forEach((answer) => answer())
      }).pipe(Effect.provide(layer(server)))
    }).pipe(within("the answers")))

  it.scopedLive.each(
    [
      ["what may wait for a human, where a gateway holds the answer back until then", {}, 2],
      ["what only one that answers at once would be asked", { approvals: {} }, 1]
    ] as const
  )("%s", ([, features, bodies]) =>
    Effect.gen(function*() {
      const server = yield* rpcServer(answering((method) =>
        method === "session.create"
          ? { result: { session_id: "s-1", agent: "agent", features: { native: {}, ...features } } }
          : success({ exists: true })
      ))
      yield* Effect.flatMap(Capabilities, ({ invokeDynamic }) =>
        Effect.all([
          invokeDynamic("filesystem.stat", { path: "a" }),
          invokeDynamic("filesystem.delete", { path: "a" }),
          invokeDynamic("filesystem.stat", { path: "b" })
        ], { concurrency: "unbounded" })).pipe(Effect.provide(layer(server)))
      assert.strictEqual(bodiesOfInvocations(server), bodies)
    }).pipe(within("the answers")))

  it.scopedLive("all that there is: of a hundred, one that is slow holds up fifteen at most", () =>
    Effect.gen(function*() {
      const server = yield* released
      yield* Effect.gen(function*() {
        let answered = 0
        const fibers = yield* Effect.forEach(
          ["slow", ...hundred.slice(1)],
          (path) => Effect.fork(Effect.tap(statOf(path), () => Effect.sync(() => answered++)))
        )
        yield* until("the answers of the others", Effect.sync(() => answered >= 84))
        assert.strictEqual(server.held.length, 1)
        server.held.forEach((answer) => answer())
        const results = yield* Effect.forEach(fibers, (fiber) => Fiber.join(fiber))
        assert.strictEqual(results.filter(Either.isRight).length, 100)
        assert.isAtMost(bodiesOfInvocations(server), 10)
      }).pipe(Effect.provide(layer(server)))
    }).pipe(within("the answers")))
})
