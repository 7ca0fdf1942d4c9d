import { assert, describe, layer } from "@effect/vitest"
import axe from "axe-core"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Gateway, type TestGateway } from "../support/gateway.js"
import { rpc } from "../support/rawHttp.js"
import { hasBrowser, inBrowser } from "./browser.js"
import { inPage, openPage, shared } from "./support.js"

const send = (gateway: TestGateway, given: object) =>
  rpc(gateway, "capabilities.invoke", { capability: "alerts.send", arguments: given })

const decodeViolations = Schema.decodeUnknown(Schema.parseJson(Schema.Array(Schema.String)))

const find = "axe.run().then(({ violations }) => JSON.stringify(violations" +
  ".filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id }) => id)))"

describe.skipIf(!hasBrowser)(inBrowser("alerts on the page"), () => {
  layer(shared(), { excludeTestServices: true, timeout: "30 seconds" })((it) => {
    it.scoped("appear at once, say what they say, and are acknowledged", () =>
      Effect.gen(function*() {
        const gateway = yield* Gateway
        const { page, problems } = yield* openPage()
        yield* inPage(() => page.locator("nav a[href=\"#/alerts\"]").click())
        yield* inPage(() => page.getByText("No alerts").waitFor())
        yield* send(gateway, {
          severity: "critical",
          title: "Disk",
          message: "<b>it is full</b>",
          context: { path: "/workspace/large.bin" }
        })
        const card = page.locator("article.alert").filter({ hasText: "Disk" })
        yield* inPage(() => card.waitFor())
        yield* inPage(() => card.locator(".badge.bad", { hasText: "critical" }).waitFor())
        yield* inPage(() => card.getByText("<b>it is full</b>").waitFor())
        yield* inPage(() => card.getByText("Context").click())
        yield* inPage(() => card.getByText("/workspace/large.bin").waitFor())
        yield* inPage(() => page.locator("nav a[href=\"#/alerts\"] .count", { hasText: "1 pending" }).waitFor())
        yield* inPage(() => page.locator("[role=status]", { hasText: "critical alert of agent: Disk" }).waitFor())

        yield* inPage(() => card.getByRole("button", { name: "Acknowledge Disk" }).focus())
        yield* inPage(() => page.keyboard.press("Enter"))
        const section = page.getByRole("region", { name: "Acknowledged" })
        yield* inPage(() => section.getByText("Acknowledged by").waitFor())
        yield* inPage(() => page.locator("nav a[href=\"#/alerts\"] .count").waitFor({ state: "detached" }))
        yield* inPage(() => page.getByText("Nothing to acknowledge").waitFor())

        // It is so after the page is loaded again, too.
        yield* inPage(() => page.reload())
        yield* inPage(() => section.getByText("Acknowledged by").waitFor())
        assert.deepStrictEqual(problems(), [])
      }))

    it.scoped("have no serious violation of accessibility, light and dark, wide and narrow", () =>
      Effect.gen(function*() {
        const gateway = yield* Gateway
        for (const severity of ["info", "warning", "critical"]) {
          yield* send(gateway, { severity, message: `${severity} ${"word ".repeat(400)}`, context: { severity } })
        }
        for (const options of [{ scheme: "light" }, { scheme: "dark", width: 360 }] as const) {
          const { page } = yield* openPage(options)
          yield* inPage(() => page.locator("nav a[href=\"#/alerts\"]").click())
          yield* inPage(() => page.locator("article.alert").nth(2).waitFor())
          yield* inPage(() => page.evaluate(axe.source))
          const violations = yield* Effect.orDie(decodeViolations(yield* inPage(() => page.evaluate(find))))
          assert.deepStrictEqual(violations, [], options.scheme)
          const overflow = yield* inPage(() =>
            page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
          )
          assert.strictEqual(overflow, 0, "it fits")
        }
      }))
  })
})
