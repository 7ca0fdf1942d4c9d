import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { Approvals, Capabilities } from "kruxos"
import { NodeGateway } from "kruxos/node"
import type { Page } from "playwright-core"
import type { ServeOptions } from "../../src/local/LocalGatewayOptions.js"
import { Gateway, layer as gatewayLayer, type TestGateway } from "../support/gateway.js"
import { type Browser, layer as browserLayer, open, type Opened, type OpenOptions } from "./browser.js"

/** What the tests of a file share: a gateway, which asks humans about deletions unless told otherwise, and a browser. */
export const shared = (options: Partial<ServeOptions> = {}): Layer.Layer<Gateway | Browser> =>
  Layer.merge(gatewayLayer(options), browserLayer)

/** Does something with a page; what the browser refuses is a failed test. */
export const inPage = <A>(run: () => Promise<A>): Effect.Effect<A> => Effect.promise(run)

/** Opens the page of the shared gateway with its token, and waits until it is live. */
export const openPage = (options?: OpenOptions): Effect.Effect<Opened, never, Browser | Gateway | Scope.Scope> =>
  Effect.gen(function*() {
    const gateway = yield* Gateway
    const opened = yield* open(gateway.page, options)
    yield* inPage(() => opened.page.locator("[data-connection=Live]").waitFor())
    return opened
  })

/** Connects an agent until the scope ends. */
export const agentOf = (
  { url }: Pick<TestGateway, "url">,
  key: string
): Effect.Effect<Context.Context<Capabilities | Approvals>, never, Scope.Scope> =>
  Effect.orDie(Layer.build(NodeGateway.layer({ host: url, apiKey: Redacted.make(key) })))

/** The card of a pending request that mentions a text. */
export const cardOf = (page: Page, text: string) => page.locator("article.request.pending").filter({ hasText: text })
