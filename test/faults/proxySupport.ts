import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { Capabilities, Gateway, type GatewayOptions } from "kruxos"
import { NodeGateway } from "kruxos/node"
import * as fs from "node:fs"
import { join } from "node:path"
import { until } from "../support/deadline.js"
import * as FaultProxy from "../support/faultProxy.js"
import * as TestGateway from "../support/gateway.js"

/** A client of the SDK whose connection goes through a proxy. */
export const clientThrough = (proxy: FaultProxy.FaultProxy, key: string, options: Partial<GatewayOptions> = {}) =>
  Effect.gen(function*() {
    const context = yield* Layer.build(
      NodeGateway.layer({
        host: proxy.url,
        apiKey: Redacted.make(key),
        heartbeat: "10 seconds",
        requestTimeout: "5 seconds",
        reconnect: Schedule.spaced("10 millis"),
        ...options
      })
    )
    const { invoke } = yield* Effect.provide(Capabilities, context)
    const gateway = yield* Effect.provide(Gateway, context)
    const seen: Array<string> = []
    yield* Effect.forkScoped(Stream.runForEach(gateway.status, ({ _tag }) => Effect.sync(() => void seen.push(_tag))))
    yield* until("the first status", Effect.sync(() => seen.length > 0))
    return {
      invoke,
      gateway,
      /** Every status that there has been. */
      seen,
      read: (name: string) =>
        Effect.map(
          invoke("filesystem.read", { path: `/workspace/${name}` }, { timeout: "5 seconds" }),
          ({ content }) => content
        ),
      append: (name: string, content: string) =>
        invoke("filesystem.append", { path: `/workspace/${name}`, content }, { timeout: "5 seconds" }),
      reconnected: (times: number) =>
        until(
          `the return, ${times} times`,
          Effect.sync(() => seen.filter((tag) => tag === "Connected").length > times)
        )
    }
  })

/** A gateway of one's own before which a proxy stands. */
export const standing = (options: FaultProxy.ProxyOptions = {}) =>
  Effect.gen(function*() {
    const gateway = yield* TestGateway.serve({ policy: "allow-all" })
    const proxy = yield* FaultProxy.make(gateway.port, options)
    const file = (name: string) => join(gateway.workspace, name)
    return {
      gateway,
      proxy,
      write: (name: string, content: string) => fs.writeFileSync(file(name), content),
      /** What is in a file of the workspace; nothing where there is none. */
      contents: (name: string) => fs.existsSync(file(name)) ? fs.readFileSync(file(name), "utf8") : "",
      /** The n-th connection through the proxy. */
      connection: (index: number) =>
        Effect.suspend(() => {
          const found = proxy.connections[index]
          return found === undefined ? Effect.dieMessage(`there is no connection ${index}`) : Effect.succeed(found)
        })
    }
  })

/** How long an effect takes, in milliseconds. */
export const took = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.timed(effect), ([duration]) => Duration.toMillis(duration))
