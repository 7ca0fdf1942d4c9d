import { assert, layer } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { Gateway } from "kruxos"
import type { GatewayLayer } from "./GatewayLayer.js"

/** What holds for the Gateway of every layer. */
export const gatewaySuite = ({ hasUrl, layer: gateway, name }: GatewayLayer) =>
  layer(gateway, { excludeTestServices: true })(`Gateway (${name})`, (it) => {
    it.effect("has a session that names its agent", () =>
      Effect.gen(function*() {
        const gateway = yield* Gateway
        const session = yield* gateway.session
        assert.strictEqual(session.agent, "agent")
        assert.match(session.id ?? "", /^ses-/)
        assert.notStrictEqual(session.createdAt, undefined)
        assert.deepStrictEqual(yield* gateway.session, session)
      }))

    it.effect("says which features are in use", () =>
      Effect.gen(function*() {
        const features = yield* (yield* Gateway).features
        assert.isTrue(features.has("native"))
      }))

    it.effect("starts its status with what holds now", () =>
      Effect.gen(function*() {
        const gateway = yield* Gateway
        const [first] = Chunk.toReadonlyArray(yield* Stream.runCollect(Stream.take(gateway.status, 1)))
        assert.strictEqual(first?._tag, "Connected")
        if (first?._tag === "Connected") assert.deepStrictEqual(first.session, yield* gateway.session)
      }))

    it.effect("gives the configuration for an MCP client, if there is a URL", () =>
      Effect.gen(function*() {
        const { asMcpConfig } = yield* Gateway
        assert.strictEqual(Option.isSome(asMcpConfig), hasUrl)
        if (Option.isNone(asMcpConfig)) return
        const { headers, url } = Redacted.value(asMcpConfig.value).mcpServers.kruxos
        assert.match(url, /^ws:\/\/127\.0\.0\.1:\d+\/mcp$/)
        assert.match(headers.Authorization, /^Bearer [0-9a-f]{64}$/)
        assert.notInclude(String(asMcpConfig.value), headers.Authorization)
      }))
  })
