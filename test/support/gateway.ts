import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as LocalGateway from "../../src/local/LocalGateway.js"
import { Agents } from "../../src/local/store/Agents.js"
import * as Store from "../../src/local/store/Store.js"

/** A gateway that listens, with folders of its own that go with it. */
export interface TestGateway {
  readonly url: string
  readonly rpc: string
  readonly port: number
  readonly agent: string
  readonly key: string
  /** Where supervisors decide, and the token that they do it with. */
  readonly api: string
  readonly supervisorToken: string
  /** The address of the supervisors' page, with the token. */
  readonly page: string
  /** The workspace as the host sees it. */
  readonly workspace: string
  readonly dataDirectory: string
  /** Uses the gateway's store as another process would, by a connection of its own. */
  readonly inStore: <A, E>(effect: Effect.Effect<A, E, Store.Store>) => Effect.Effect<A, E>
  /** Makes one more agent, and says its key. */
  readonly addAgent: (name: string) => Effect.Effect<string>
}

/** An empty workspace and a data directory in a temporary folder that goes with the scope. */
export const folders: Effect.Effect<
  { readonly workspace: string; readonly dataDirectory: string },
  never,
  Scope.Scope
> = Effect.gen(function*() {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "kruxos-gateway-")))),
    (path) => Effect.sync(() => fs.rmSync(path, { recursive: true, force: true }))
  )
  const workspace = join(folder, "workspace")
  const dataDirectory = join(folder, "data")
  fs.mkdirSync(workspace)
  fs.mkdirSync(dataDirectory)
  return { workspace, dataDirectory }
})

const storeOf = (dataDirectory: string): TestGateway["inStore"] => (effect) =>
  Effect.scoped(
    Effect.provide(effect, Layer.orDie(Store.layer({ filename: join(dataDirectory, "gateway.db") })))
  )

/** The test's view of a gateway over those folders. */
export const testGateway = (
  { agent, api, apiKey, page, port, rpc, supervisorToken, url }: Omit<LocalGateway.Served, "sandbox">,
  { dataDirectory, workspace }: { readonly workspace: string; readonly dataDirectory: string }
): TestGateway => {
  const inStore = storeOf(dataDirectory)
  return {
    url,
    rpc,
    port,
    agent,
    key: Redacted.value(apiKey),
    api,
    supervisorToken: Redacted.value(supervisorToken),
    page: Redacted.value(page),
    workspace,
    dataDirectory,
    inStore,
    addAgent: (name) =>
      Effect.flatMap(Agents, (agents) => agents.create({ name })).pipe(
        inStore,
        Effect.orDie,
        Effect.map((created) => Redacted.value(created.apiKey))
      )
  }
}

/** What a gateway logs does not belong into the output of tests. */
export const quietly = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.provide(effect, Logger.remove(Logger.defaultLogger))

/** Serves a gateway on a free port until the scope ends. */
export const serve = (
  options: Partial<LocalGateway.ServeOptions> = {}
): Effect.Effect<TestGateway, never, Scope.Scope> =>
  Effect.gen(function*() {
    const used = yield* folders
    const served = yield* LocalGateway.serve({ ...used, port: 0, ...options })
    return testGateway(served, used)
  }).pipe(Effect.orDie, quietly)

/** The gateway that the tests of a file share. */
export class Gateway extends Context.Tag("test/Gateway")<Gateway, TestGateway>() {}

export const layer = (options: Partial<LocalGateway.ServeOptions> = {}): Layer.Layer<Gateway> =>
  Layer.scoped(Gateway, serve(options))
