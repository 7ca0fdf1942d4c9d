import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { Capabilities } from "kruxos"
import { within } from "../support/deadline.js"
import { at } from "../support/json.js"
import { rpcServer } from "../support/realServers.js"
import { gateway, layer, methods, path, stat, success } from "./httpSupport.js"

describe("HTTP in batches", () => {
  const echo = gateway((params) => success({ exists: true, type: at(params, "arguments", "path") }))

  const all = (paths: ReadonlyArray<string>) =>
    Effect.flatMap(
      Capabilities,
      ({ invoke }) =>
        Effect.forEach(paths, (each) => Effect.either(invoke("filesystem.stat", { path: each })), {
          batching: true,
          concurrency: "unbounded"
        })
    )

  it.scopedLive("sends one array, and each gets its own answer, whatever their order", () =>
    Effect.gen(function*() {
      const server = yield* rpcServer(echo)
      const results = yield* Effect.provide(all(["a", "b", "c"]), layer(server))
      assert.deepStrictEqual(results.map((result) => Either.getOrThrow(result).type), ["a", "b", "c"])
      assert.deepStrictEqual(methods(server), [
        "session.create",
        ["capabilities.invoke", "capabilities.invoke", "capabilities.invoke"],
        "session.end"
      ])
    }).pipe(within("the answers")))

  it.scopedLive("sends one request each where it is not asked to", () =>
    Effect.gen(function*() {
      const server = yield* rpcServer(echo)
      yield* Effect.all([stat, stat, stat], { concurrency: "unbounded" }).pipe(Effect.provide(layer(server)))
      assert.strictEqual(server.requests.length, 5)
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
          { batching: true, concurrency: "unbounded" }
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
    }).pipe(within("the answers")))

  it.scopedLive("sends in several what is too much for one", () =>
    Effect.gen(function*() {
      const server = yield* rpcServer(
        gateway((params) => success({ exists: true, type: String(at(params, "arguments", "path")).charAt(0) }))
      )
      const long = 6 * 1024 * 1024
      const results = yield* Effect.provide(
        all(["a", "b", "c", "d"].map((letter) => letter.repeat(long))),
        layer(server)
      )
      assert.deepStrictEqual(results.map((result) => Either.getOrThrow(result).type), ["a", "b", "c", "d"])
      assert.deepStrictEqual(methods(server).slice(1, 3), [
        ["capabilities.invoke", "capabilities.invoke"],
        ["capabilities.invoke", "capabilities.invoke"]
      ])
      assert.isTrue(server.requests.every(({ text }) => text.length <= 16 * 1024 * 1024))
    }).pipe(within("the answers", "15 seconds")))

  it.scopedLive("keeps the deadline of each, and lets nobody wait for another", () =>
    Effect.gen(function*() {
      let answerNow = () => {}
      const server = yield* rpcServer((text, response) => {
        if (text.includes("capabilities.invoke")) answerNow = () => echo(text, response)
        else echo(text, response)
      })
      const [slow, fast] = yield* Effect.flatMap(Capabilities, ({ invoke }) =>
        Effect.forEach(["5 seconds", "100 millis"] as const, (timeout) =>
          Effect.either(invoke("filesystem.stat", { path }, { timeout })).pipe(
            Effect.tap(() =>
              Effect.sync(() =>
                answerNow()
              )
            )
          ), { batching: true, concurrency: "unbounded" })).pipe(Effect.provide(layer(server)))
      assert.isTrue(slow !== undefined && Either.isRight(slow))
      assert.isTrue(fast !== undefined && Either.isLeft(fast) && fast.left._tag === "GatewayTimeout")
    }).pipe(within("the answers", "4 seconds")))

  it.scopedLive("fails all alike where the whole body is refused", () =>
    Effect.gen(function*() {
      const server = yield* rpcServer((text, response) => {
        if (!text.startsWith("[")) return gateway(() => success({}))(text, response)
        response.end(JSON.stringify({ jsonrpc: "2.0", id: null, error: { code: -32600, message: "no batches here" } }))
      })
      const results = yield* Effect.provide(all(["a", "b"]), layer(server))
      for (const result of results) {
        assert.deepInclude(Either.isLeft(result) ? result.left : {}, {
          _tag: "ProtocolError",
          message: "no batches here"
        })
      }
    }).pipe(within("the answers")))
})
