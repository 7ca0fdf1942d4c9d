import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { Capabilities } from "kruxos"
import { folders, serve } from "../support/gateway.js"
import { asSupervisor } from "../support/supervisor.js"
import { hasBrowser, inBrowser, layer as browser, open } from "./browser.js"
import { agentOf, cardOf, inPage } from "./support.js"

const decodeStatus = Schema.decodeUnknown(Schema.Struct({ events: Schema.Struct({ newest: Schema.String }) }))

describe.skipIf(!hasBrowser)(inBrowser("the page of a gateway that is started again"), () => {
  layer(browser, { excludeTestServices: true, timeout: "30 seconds" })((it) => {
    it.scoped("says that it is offline, and then shows what is pending now", () =>
      Effect.gen(function*() {
        const used = yield* folders
        const first = yield* Scope.make()
        const gateway = yield* Scope.extend(serve({ ...used, gracePeriod: "1 second" }), first)
        const { page, problems } = yield* open(gateway.page)
        yield* inPage(() => page.locator("[data-connection=Live]").waitFor())
        yield* Scope.close(first, Exit.void)
        yield* inPage(() => page.locator("[data-connection=Lost]").waitFor())

        const again = yield* serve({ ...used, port: gateway.port })
        const agent = yield* agentOf(again, again.key)
        const error = yield* Effect.flatMap(
          Capabilities,
          ({ invoke }) => invoke("filesystem.delete", { path: "/workspace/later.txt" })
        ).pipe(Effect.flip, Effect.provide(agent))
        assert.strictEqual(error._tag, "ApprovalRequired")
        yield* inPage(() => page.locator("[data-connection=Live]").waitFor({ timeout: 15_000 }))
        yield* inPage(() => cardOf(page, "later.txt").waitFor())
        yield* inPage(() => page.getByText("everything has been loaded anew").waitFor())
        assert.deepStrictEqual(problems(), [])
      }))

    it.scoped("goes on behind the last event that it knows when only the stream was lost", () =>
      Effect.gen(function*() {
        const gateway = yield* serve()
        const agent = yield* agentOf(gateway, gateway.key)
        const { body } = yield* asSupervisor(gateway, "/status")
        const { events: { newest } } = yield* Effect.orDie(decodeStatus(body))
        const resumedBehind: Array<string | undefined> = []
        const { page } = yield* open(gateway.page, {
          before: (page) =>
            page.route("**/api/events", (route) => {
              resumedBehind.push(route.request().headers()["last-event-id"])
              return resumedBehind.length === 1
                ? route.fulfill({
                  headers: { "content-type": "text/event-stream" },
                  body: `id: ${newest}\ndata: {}\n\n`
                })
                : route.continue()
            })
        })
        yield* Effect.flatMap(Capabilities, ({ invoke }) => invoke("filesystem.list", { path: "/workspace" })).pipe(
          Effect.provide(agent)
        )
        yield* inPage(async () => {
          await page.locator("nav a[href=\"#/activity\"]").click()
          await page.locator(".feed > li", { hasText: "filesystem.list" }).waitFor()
        })
        assert.deepStrictEqual(resumedBehind, [undefined, newest])
      }))
  })
})
