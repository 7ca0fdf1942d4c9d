import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type { BuiltIn } from "../catalogue/builtIn.js"
import type { AnyCatalogue } from "../catalogue/Catalogue.js"
import type { AuthenticationFailed, ConnectionFailed } from "../errors/gateway.js"
import type { StartFailure } from "../local/LocalGatewayOptions.js"
import type { GatewayServices } from "../services/Gateway.js"
import type { AnyMockGatewayOptions, MockGatewayOptions, MockGatewayOptionsWith } from "./MockGatewayOptions.js"
import type { MockGatewayService } from "./MockGatewayService.js"
import { start } from "./running.js"

/** What a program under test and its test are given. */
export type MockGatewayLayer = Layer.Layer<
  GatewayServices | MockGateway,
  StartFailure | ConnectionFailed | AuthenticationFailed
>

// A test that has failed already says why.
const verifyAtEnd = ({ verify }: MockGatewayService) =>
  Effect.addFinalizer((exit) => Exit.isSuccess(exit) ? Effect.orDie(verify) : Effect.void)

/** The mock gateway, for the test itself: what was invoked, what is expected, and what happens besides. */
export class MockGateway extends Context.Tag("kruxos/testing/MockGateway")<MockGateway, MockGatewayService>() {
  /**
   * A gateway in memory for a program under test: the local gateway's own core over stores in memory, with scripted capabilities. What
   * is invoked goes through the same encoding, wire forms and decoding as over a socket, and all time is the Clock's.
   */
  static readonly layer: {
    <const C extends AnyCatalogue>(options: MockGatewayOptionsWith<C>): MockGatewayLayer
    (options?: MockGatewayOptions): MockGatewayLayer
  } = (options?: AnyMockGatewayOptions): MockGatewayLayer =>
    Layer.scopedContext(
      start(options ?? {}).pipe(
        Effect.tap(({ mock }) => options?.verifyAtEnd === true ? verifyAtEnd(mock) : Effect.void),
        Effect.map(({ mock, services }) => Context.add(services, MockGateway, mock))
      )
    )

  /** The mock gateway, whose `expect` knows the capabilities of another catalogue, too: the one that the layer was given. */
  static readonly withCatalogue = <Mine extends AnyCatalogue>(
    _mine: Mine
  ): Effect.Effect<MockGatewayService<BuiltIn & Mine>, never, MockGateway> =>
    Effect.map(MockGateway, (mock) => ({ ...mock, expect: mock.expectDynamic }))
}
