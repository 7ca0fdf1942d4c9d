import type { ConfigError } from "effect/ConfigError"
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Stream from "effect/Stream"
import {
  type AuthenticationFailed,
  type ConnectionFailed,
  Gateway,
  type GatewayOptions,
  type GatewayServices,
  type GatewayStatus,
  type McpConfig
} from "kruxos"
import { NodeGateway } from "kruxos/node"
import { describe, expect, test } from "tstyche"

const apiKey = Redacted.make("key")

type Refusal = ConnectionFailed | AuthenticationFailed

describe("a gateway's Layer", () => {
  test("gives every service and can only fail to connect", () => {
    expect(Gateway.layer({ apiKey })).type.toBe<Layer.Layer<GatewayServices, Refusal>>()
    expect(NodeGateway.layer({ apiKey })).type.toBe<Layer.Layer<GatewayServices, Refusal>>()
  })

  test("of the environment can also lack its configuration", () => {
    expect(Gateway.layerConfig).type.toBe<Layer.Layer<GatewayServices, Refusal | ConfigError>>()
    expect(NodeGateway.layerConfig).type.toBe<Layer.Layer<GatewayServices, Refusal | ConfigError>>()
  })

  test("needs a key, and one that is hidden", () => {
    expect<{}>().type.not.toBeAssignableTo<GatewayOptions>()
    expect<{ apiKey: string }>().type.not.toBeAssignableTo<GatewayOptions>()
    expect<{ apiKey: Redacted.Redacted<string>; transport: "carrier pigeon" }>().type.not.toBeAssignableTo<
      GatewayOptions
    >()
    expect<{ apiKey: Redacted.Redacted<string>; host: undefined; requestTimeout: "5 seconds" }>()
      .type.toBeAssignableTo<GatewayOptions>()
  })
})

test("the connection tells of itself", () => {
  type Service = Effect.Effect.Success<typeof Gateway>
  expect<Service["status"]>().type.toBe<Stream.Stream<GatewayStatus>>()
  expect<Service["asMcpConfig"]>().type.toBe<Option.Option<Redacted.Redacted<McpConfig>>>()
  expect<Effect.Effect.Error<Service["session"]>>().type.toBe<Refusal>()
})
