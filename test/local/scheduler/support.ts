import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as GatewayCore from "../../../src/local/gatewayCore.js"
import type { PolicyChoice } from "../../../src/local/policy/PolicyChoice.js"
import { Methods } from "../../../src/local/protocol/methods.js"
import { Sessions } from "../../../src/local/sessions/Sessions.js"
import { type Agent, Agents } from "../../../src/local/store/Agents.js"
import { Alerts } from "../../../src/local/store/Alerts.js"
import { folders, quietly } from "../../support/gateway.js"
import { at } from "../../support/json.js"

export interface Arguments {
  readonly [name: string]: unknown
}

/** What a step of a transaction, or a call with a key, says besides. */
export interface More {
  readonly transaction_id?: string
  readonly idempotency_key?: string
}

/** Waits until it is so, while the test's clock stands still. */
export const eventually = <E, R>(what: string, isSo: Effect.Effect<boolean, E, R>) =>
  Effect.gen(function*() {
    for (let turn = 0; turn < 5000; turn++) {
      if (yield* isSo) return
      yield* Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))
    }
    return yield* Effect.dieMessage(`Waited in vain for ${what}`)
  })

/** Lets everything run that can, while the test's clock stands still. */
export const settle = Effect.forEach(
  Array.from({ length: 50 }),
  () => Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve))),
  { discard: true }
)

/** An agent's session at a gateway. */
const caller = (agent: Agent) =>
  Effect.gen(function*() {
    const methods = yield* Methods
    const session = yield* (yield* Sessions).open(agent, { transport: "memory" })
    const request = (method: string, params: unknown) => methods.call(session, method, params)
    return {
      session,
      request,
      /** The answer of `capabilities.invoke`: `{ success, data }` or `{ success, error }`. */
      answer: (capability: string, given: Arguments = {}, more: More = {}) =>
        request("capabilities.invoke", { capability, arguments: given, ...more }),
      /** Its data, which there must be. */
      invoke: (capability: string, given: Arguments = {}, more: More = {}) =>
        Effect.flatMap(
          request("capabilities.invoke", { capability, arguments: given, ...more }),
          (answer) =>
            at(answer, "success") === true
              ? Effect.succeed(at(answer, "data"))
              : Effect.dieMessage(`${capability}: ${JSON.stringify(at(answer, "error"))}`)
        )
    }
  })

export type Caller = Effect.Effect.Success<ReturnType<typeof caller>>

/** A gateway's core under the test's clock until the scope ends. */
export const gateway = (
  database: string,
  workspace: string,
  policy?: PolicyChoice,
  substitutes?: GatewayCore.Substitutes
) =>
  Effect.map(
    Layer.build(Layer.fresh(
      GatewayCore.layer({ workspace, database, dataDirectory: undefined, policy, packs: [], substitutes })
    )),
    (services) => {
      const run = Effect.provide(services)
      return {
        run,
        as: (name: string) =>
          Effect.gen(function*() {
            const agents = yield* Agents
            const found = yield* agents.get(name)
            const agent = found._tag === "Some" ? found.value : (yield* agents.create({ name })).agent
            return yield* caller(agent)
          }).pipe(run),
        /** The messages of an agent's alerts, the oldest first. */
        alerts: (agent: string) =>
          Effect.flatMap(Alerts, (alerts) => alerts.list({ agent, limit: 500 })).pipe(
            Effect.map(({ alerts }) => alerts.map(({ message }) => message).reverse()),
            run
          )
      }
    }
  )

export type Gateway = Effect.Effect.Success<ReturnType<typeof gateway>>

/** A gateway in memory, at the first of 2026. */
export const withGateway = <A, E>(
  use: (made: Gateway) => Effect.Effect<A, E, Scope.Scope>,
  policy: PolicyChoice = "allow-all",
  substitutes?: GatewayCore.Substitutes
) =>
  Effect.gen(function*() {
    yield* TestClock.setTime(Date.UTC(2026, 0, 1))
    const { workspace } = yield* folders
    return yield* use(yield* gateway(":memory:", workspace, policy, substitutes))
  }).pipe(Effect.scoped, quietly)

/** Gateways on one database, which can be stopped one by one. */
export const withDatabase = <A, E>(
  use: (
    start: (policy?: PolicyChoice) => Effect.Effect<Gateway & { readonly stop: Effect.Effect<void> }, unknown>
  ) => Effect.Effect<A, E, Scope.Scope>
) =>
  Effect.gen(function*() {
    yield* TestClock.setTime(Date.UTC(2026, 0, 1))
    const { dataDirectory, workspace } = yield* folders
    const all = yield* Effect.scope
    return yield* use((policy = "allow-all") =>
      Effect.gen(function*() {
        const scope = yield* Scope.fork(all, { _tag: "Sequential" })
        const made = yield* Scope.extend(gateway(`${dataDirectory}/gateway.db`, workspace, policy), scope)
        return { ...made, stop: Scope.close(scope, Exit.void) }
      })
    )
  }).pipe(Effect.scoped, quietly)
