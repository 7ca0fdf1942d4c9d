import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as GatewayCore from "../../../src/local/gatewayCore.js"
import { type Agent, Agents } from "../../../src/local/store/Agents.js"

/** A whole gateway with its database in memory, and an empty workspace in which its one agent may do everything. */
export interface FuzzedGateway {
  readonly services: Context.Context<GatewayCore.CoreServices>
  readonly agent: Agent
}

export const gateway: Effect.Effect<FuzzedGateway, never, Scope.Scope> = Effect.gen(function*() {
  const workspace = yield* Effect.acquireRelease(
    Effect.sync(() => fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "kruxos-fuzz-")))),
    (path) => Effect.sync(() => fs.rmSync(path, { recursive: true, force: true }))
  )
  fs.writeFileSync(join(workspace, "a.txt"), "hello\nworld\n")
  const services = yield* Layer.build(GatewayCore.layer({
    workspace,
    database: ":memory:",
    dataDirectory: undefined,
    policy: "allow-all",
    packs: []
  }))
  const { agent } = yield* Effect.provide(
    Effect.flatMap(Agents, (agents) => agents.create({ name: "agent" })),
    services
  )
  return { services, agent }
}).pipe(Effect.orDie)

/** Something that is made anew after a number of uses, so that what the inputs leave behind does not grow without end. */
export interface Renewed<A> {
  /** Makes it, where there is none, or it has been used that often. */
  readonly prepare: Effect.Effect<void>
  /** Uses what there is. It is not used again when that fails. */
  readonly use: <B, E>(use: (made: A) => Effect.Effect<B, E>) => Effect.Effect<B, E>
}

export const renewed = <A>(
  make: Effect.Effect<A, never, Scope.Scope>,
  uses: number
): Effect.Effect<Renewed<A>, never, Scope.Scope> =>
  Effect.map(Effect.scope, (parent) => {
    let current: { readonly made: A; readonly scope: Scope.CloseableScope; used: number } | undefined
    const end = Effect.suspend(() => {
      const old = current
      current = undefined
      return old === undefined ? Effect.void : Scope.close(old.scope, Exit.void)
    })
    const get: Effect.Effect<A> = Effect.gen(function*() {
      if (current !== undefined) return current.made
      const scope = yield* Scope.fork(parent, ExecutionStrategy.sequential)
      current = { made: yield* Scope.extend(make, scope), scope, used: 0 }
      return current.made
    })
    return {
      prepare: Effect.zipRight(
        Effect.suspend(() => current !== undefined && ++current.used > uses ? end : Effect.void),
        get
      ),
      use: (use) => Effect.onError(Effect.flatMap(get, use), () => end)
    }
  })
